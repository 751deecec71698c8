#include "tensor/cuda_on_cpu/block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "tensor/cuda_on_cpu/cuda_on_cpu.h"
#include "tensor/cuda_on_cpu/fiber.h"
#include "tensor/cuda_on_cpu/threads.h"
#include "tensor/error.h"

// AddressSanitizer wants to know which stack is in use and which memory may be touched. These are
// null where it is not linked.
extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** save, const void* bottom, size_t bytes);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* save, const void** bottom, size_t* bytes);
[[gnu::weak]] void __asan_poison_memory_region(const volatile void*, size_t);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void*, size_t);
}

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace clade::cuda_on_cpu {

Now now;

namespace {

// "0-2, 5"
std::string ranges(const std::vector<int>& sorted) {
  std::string out;
  for (size_t i = 0, j; i < sorted.size(); i = j) {
    for (j = i + 1; j < sorted.size() && sorted[j] == sorted[j - 1] + 1; j++) {
    }
    out += text(i ? ", " : "", sorted[i]);
    if (j > i + 1) out += text("-", sorted[j - 1]);
  }
  return out;
}

}  // namespace

std::string to_text(const char* op, Place p) {
  const char* slash = std::strrchr(p.file, '/');
  return text(op, " at ", slash ? slash + 1 : p.file, ":", p.line);
}

Block& block() {
  static Block* b = [] {
    Block* made = new Block;
    const char* order = std::getenv("CLADE_CUDA_ORDER");
    made->order = order ? unsigned(std::strtoul(order, nullptr, 10)) : 0;
    return made;
  }();
  return *b;
}

void Block::prepare_shared(size_t bytes) {
  const size_t room = (bytes + 255) / 256 * 256 + 256;
  if (room > shared_capacity_) {
    std::free(shared);
    shared = static_cast<unsigned char*>(std::aligned_alloc(256, room));
    shared_capacity_ = room;
  }
  shared_bytes = bytes;
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(shared, shared_capacity_);
  std::memset(shared, 0xFF, bytes);  // NaN, so that what was never written shows
  if (__asan_poison_memory_region)
    __asan_poison_memory_region(shared + bytes, shared_capacity_ - bytes);
}

void Block::run(size_t shared_bytes_wanted, void (*kernel)(void*), void* arguments) {
  count_ = int(blockDim.x * blockDim.y * blockDim.z);
  if (threads_.size() < size_t(count_)) threads_.resize(size_t(count_));
  order_.resize(size_t(count_));
  for (int i = 0; i < count_; i++) {
    order_[size_t(i)] = i;
    Thread& t = threads_[size_t(i)];
    t.state = State::fresh;
    t.op = "";
    t.place = {"", 0};
  }
  if (order) shuffle(order_.begin(), order_.end());
  free_stacks_.clear();
  for (int i = count_; i-- > 0;) free_stacks_.push_back(i);
  const size_t warps = size_t(count_ + 31) / 32;
  for (auto& lists : meetings_) {
    free_meetings_.insert(free_meetings_.end(), lists.begin(), lists.end());
    lists.clear();
  }
  meetings_.resize(warps);
  warp_meetings_.assign(warps, 0);
  ready_.clear();
  at_barrier_.clear();
  next_ready_ = 0, finished_ = 0, fresh_ = 0, counting_ = {};
  now.barriers = 0;
  prepare_shared(shared_bytes_wanted);
  kernel_ = kernel, arguments_ = arguments;
  go_to(&main_pointer_, nullptr, nullptr, false);  // begins a first fiber
  now.in_kernel = false;
}

// Leaves this stack for `target`, or for a new fiber where that is null.
void Block::go_to(void** save, void* target, const char* stack, bool for_good) {
  if (!target) {
    entering_ = free_stacks_.back();
    free_stacks_.pop_back();
    char* fresh = stack_at(entering_);
    // What an abandoned fiber left there is not the new one's business.
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(fresh, kStackBytes);
    target = prepare_stack(fresh, enter_fiber);
    stack = fresh;
  }
  void* fake = nullptr;
  if (__sanitizer_start_switch_fiber) {
    const bool to_main = target == main_pointer_;
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake, to_main ? main_stack_ : stack,
                                   to_main ? main_bytes_ : kStackBytes);
  }
  switch_stack(save, target);
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
}

void Block::enter_fiber() { block().run_fresh_threads(); }

// A fiber runs threads that have not begun, one after the other, for as long as none has to wait:
// kernels without barriers never switch stacks.
void Block::run_fresh_threads() {
  const int stack = entering_;
  if (__sanitizer_finish_switch_fiber) {
    const void* bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
    if (!main_stack_) main_stack_ = bottom, main_bytes_ = bytes;
  }
  while (fresh_ < count_ && next_ready_ == ready_.size()) {
    const int thread = order_[size_t(fresh_++)];
    threads_[size_t(thread)].stack = stack;
    become(thread);
    now.in_kernel = true;
    kernel_(arguments_);
    now.in_kernel = false;
    self().state = State::finished;
    finished_++;
  }
  free_stacks_.push_back(stack);  // nobody else begins on it before it is left
  go_on(true);
}

void Block::become(int thread) {
  running_ = thread;
  Thread& t = threads_[size_t(thread)];
  t.state = State::running;
  const unsigned i = unsigned(thread);
  threadIdx = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
  now.thread = i;
  now.warp_meetings = warp_meetings_[i / 32];
}

// The running thread must wait, or has finished: another goes on.
void Block::go_on(bool for_good) {
  void* nowhere;
  void** save = for_good ? &nowhere : &self().stack_pointer;
  if (next_ready_ < ready_.size()) {
    const int thread = ready_[next_ready_++];
    if (next_ready_ == ready_.size()) ready_.clear(), next_ready_ = 0;
    const bool same = thread == running_ && !for_good;
    become(thread);
    if (!same) go_to(save, self().stack_pointer, stack_at(self().stack), for_good);
  } else if (fresh_ < count_) {
    go_to(save, nullptr, nullptr, for_good);
  } else if (finished_ == count_) {
    go_to(save, main_pointer_, nullptr, true);
  } else {
    report_deadlock();
    stop_launch();
  }
}

void Block::wait(State state, const char* op, Place place) {
  Thread& t = self();
  t.state = state, t.op = op, t.place = place;
  now.in_kernel = false;
  go_on(false);
  now.in_kernel = true;
}

// Who waited may go on; in a shuffled order, the running thread stands in line with them.
void Block::release(const std::vector<int>& waiting, bool self_too) {
  for (int thread : waiting) {
    threads_[size_t(thread)].state = State::ready;
    ready_.push_back(thread);
  }
  if (self_too) ready_.push_back(running_);
  if (order) shuffle(ready_.begin() + int64_t(next_ready_), ready_.end());
}

Votes Block::barrier(const char* op, bool predicate, Place place) {
  if (at_barrier_.empty()) {
    barrier_place_ = place, barrier_op_ = op, barrier_is_one_ = true, counting_ = {0, 0, 1};
  }
  barrier_is_one_ &= place.line == barrier_place_.line && !std::strcmp(op, barrier_op_) &&
                     !std::strcmp(place.file, barrier_place_.file);
  counting_.count += predicate;
  counting_.any |= predicate;
  counting_.all &= predicate;
  // Where threads wait at different barriers, all wait for ever: the report names the groups.
  if (!barrier_is_one_ || int(at_barrier_.size()) + 1 < count_) {
    at_barrier_.push_back(running_);
    wait(State::at_barrier, op, place);
    return counted_;
  }
  counted_ = counting_;
  now.barriers++;
  std::vector<int> waiting;
  waiting.swap(at_barrier_);
  release(waiting, order != 0);
  if (order) wait(State::ready, op, place);
  return counted_;
}

void Block::abandon() {
  now.in_kernel = false;
  void* nowhere;
  go_to(&nowhere, main_pointer_, nullptr, true);
}

void Block::report_deadlock() {
  std::map<std::string, std::vector<int>> groups;
  for (int i = 0; i < count_; i++) {
    const Thread& t = threads_[size_t(i)];
    groups[t.state == State::finished ? "finished" : "waiting in " + to_text(t.op, t.place)]
        .push_back(i);
  }
  std::string got;
  for (const auto& [what, who] : groups)
    got += text(got.empty() ? "" : ", ", "threads ", ranges(who), " ", what);
  const bool barrier = !at_barrier_.empty();
  record_error(barrier ? barrier_op_ : "warp",
               barrier ? "all threads of the block at one barrier"
                       : "all lanes of the mask in one collective",
               got);
}

Votes barrier(const char* op, bool predicate, Place place) {
  return block().barrier(op, predicate, place);
}

void* dynamic_shared_memory() { return block().shared; }

bool is_dynamic_shared(const void* address) {
  return uintptr_t(address) - uintptr_t(block().shared) < block().shared_bytes;
}

}  // namespace clade::cuda_on_cpu

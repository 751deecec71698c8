#include "tensor/cuda_on_cpu/block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "tensor/cuda_on_cpu/cuda_on_cpu.h"
#include "tensor/cuda_on_cpu/fiber.h"
#include "tensor/error.h"
#include "tensor/philox.h"

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
const RaceChecker* race_checker = nullptr;

namespace {

constexpr unsigned kMostThreads = 1024, kMostShared = 227 * 1024;

enum class State : uint8_t { fresh, running, ready, at_barrier, at_meeting, finished };

struct Thread {
  State state;
  int stack;            // which one it stands on
  void* stack_pointer;  // while it waits
  const char* op;       // what it waits in, and where
  Place place;
};

// Lanes of one warp that meet in a collective.
struct Meeting {
  unsigned mask, arrived, left;
  const char* op;
  Place place;
  alignas(16) Deposit table[32];
};

std::string to_text(const char* op, Place p) {
  const char* slash = std::strrchr(p.file, '/');
  return text(op, " at ", slash ? slash + 1 : p.file, ":", p.line);
}

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

class Block {
 public:
  void run(size_t shared_bytes, void (*kernel)(void*), void* arguments);

  Votes barrier(const char* op, bool predicate, Place place);
  // Waits until all lanes of `mask` have come; the last to come calls combine(table).
  Meeting& meet(const char* op, unsigned mask, const void* mine, size_t bytes, Place place,
                Combine combine);
  void leave(Meeting& m);
  void pass_sync_warp() { now.warp_meetings = ++warp_meetings_[size_t(running_ / 32)]; }

  Thread& self() { return threads_[size_t(running_)]; }
  int running() const { return running_; }

  unsigned order = 0;  // the seed
  uint64_t draws = 0;
  template <class List>
  void shuffle(List begin, List end) {
    for (int64_t n = end - begin; n > 1; n--)
      std::swap(begin[n - 1], begin[philox_word(order, 0, draws++) % uint64_t(n)]);
  }

  void abandon();  // the fibers, for the launch's thread

  std::string error;
  unsigned char* shared = nullptr;
  size_t shared_bytes = 0;

 private:
  static void enter_fiber();
  void run_fresh_threads();
  void wait(State state, const char* op, Place place);
  void go_on(bool for_good);
  void go_to(void** save, void* target, const char* stack, bool for_good);
  void become(int thread);
  void release(const std::vector<int>& waiting, bool self_too);
  void prepare_shared(size_t bytes);
  void report_deadlock();

  int count_ = 0, running_ = -1, finished_ = 0, fresh_ = 0;
  std::vector<Thread> threads_;
  std::vector<int> order_;  // in which fresh threads start
  std::vector<int> ready_;  // may go on; taken from the front
  size_t next_ready_ = 0;
  std::vector<int> free_stacks_;
  int entering_ = -1;  // the stack that a new fiber begins on
  void* main_pointer_ = nullptr;
  const void* main_stack_ = nullptr;
  size_t main_bytes_ = 0;
  void (*kernel_)(void*) = nullptr;
  void* arguments_ = nullptr;

  std::vector<int> at_barrier_;
  Place barrier_place_{};
  const char* barrier_op_ = "";
  bool barrier_is_one_ = true;
  Votes counting_{}, counted_{};
  std::vector<std::vector<Meeting*>> meetings_;  // of each warp
  std::vector<Meeting*> free_meetings_;
  std::vector<uint32_t> warp_meetings_;
  size_t shared_capacity_ = 0;
};

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

Meeting& Block::meet(const char* op, unsigned mask, const void* mine, size_t bytes, Place place,
                     Combine combine) {
  const int warp = running_ / 32, me = running_ % 32;
  const int lanes = std::min(32, count_ - warp * 32);
  if (lanes < 32) mask &= (1u << lanes) - 1;  // lanes that were never launched are not awaited
  if (!(mask >> me & 1))
    stop_launch(op, "the calling lane in its own mask",
                [&] { return text("lane ", me, ", ", to_text(op, place)); });
  auto& list = meetings_[size_t(warp)];
  Meeting* m = nullptr;
  for (Meeting* open : list)
    if (open->mask == mask && open->arrived != mask) m = open;
  if (!m) {
    if (free_meetings_.empty()) free_meetings_.push_back(new Meeting);
    m = free_meetings_.back();
    free_meetings_.pop_back();
    m->mask = mask, m->arrived = m->left = 0, m->op = op, m->place = place;
    list.push_back(m);
  }
  if (std::strcmp(m->op, op))
    stop_launch(op, "all lanes of the mask in one collective", [&] {
      return text("lane ", me, " in ", to_text(op, place), ", others in ",
                  to_text(m->op, m->place));
    });
  if (bytes) std::memcpy(m->table[me], mine, bytes);
  m->arrived |= 1u << me;
  if (m->arrived != mask) {
    wait(State::at_meeting, op, place);
    return *m;
  }
  if (combine) combine(m->table);
  std::vector<int> waiting;
  for (int i = 0; i < 32; i++)
    if ((mask >> i & 1) && i != me) waiting.push_back(warp * 32 + i);
  release(waiting, order != 0);
  if (order) wait(State::ready, op, place);
  return *m;
}

void Block::leave(Meeting& m) {
  m.left |= 1u << running_ % 32;
  if (m.left != m.mask) return;
  auto& list = meetings_[size_t(running_ / 32)];
  list.erase(std::find(list.begin(), list.end(), &m));
  free_meetings_.push_back(&m);
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

dim3 block_at(uint64_t i, dim3 blocks) {
  return {unsigned(i % blocks.x), unsigned(i / blocks.x % blocks.y),
          unsigned(i / (uint64_t(blocks.x) * blocks.y))};
}

}  // namespace

void set_thread_order(unsigned seed) { block().order = seed; }
unsigned thread_order() { return block().order; }

void record_error(const char* op, const std::string& expected, const std::string& got) {
  if (block().error.empty())
    block().error = text(op, ": expected ", expected, "; got block (", blockIdx.x, ", ", blockIdx.y,
                         ", ", blockIdx.z, "): ", got);
}

void stop_launch() { block().abandon(); }

void run_grid(const char* name, dim3 blocks, dim3 threads, size_t shared_bytes,
              void (*kernel)(void*), void* arguments) {
  const uint64_t size = uint64_t(threads.x) * threads.y * threads.z;
  const std::string sizes =
      text("blocks (", blocks.x, ", ", blocks.y, ", ", blocks.z, "), threads (", threads.x, ", ",
           threads.y, ", ", threads.z, "), ", shared_bytes, " bytes of shared memory");
  if (size < 1 || size > kMostThreads || threads.z > 64 || blocks.x < 1 || blocks.y < 1 ||
      blocks.z < 1 || blocks.x > 0x7fffffff || blocks.y > 65535 || blocks.z > 65535 ||
      shared_bytes > kMostShared)
    fail(name, "a launch that a GPU takes", sizes);
  Block& b = block();
  if (now.in_kernel) fail(name, "a launch from the host", "one from a kernel");
  const uint64_t grid = uint64_t(blocks.x) * blocks.y * blocks.z;
  std::vector<uint64_t> order(grid);
  for (uint64_t i = 0; i < grid; i++) order[i] = i;
  b.draws = 0;
  if (b.order) b.shuffle(order.begin(), order.end());
  b.error.clear();
  now.launch++;
  if (race_checker) race_checker->launch_begins();
  for (uint64_t i : order) {
    const dim3 at = block_at(i, blocks);
    blockIdx = {at.x, at.y, at.z};
    blockDim = threads, gridDim = blocks;
    now.block = uint32_t(i);
    b.run(shared_bytes, kernel, arguments);
    if (!b.error.empty()) break;
  }
  std::string found = b.error;
  if (race_checker) {
    const std::string races = race_checker->launch_ends();
    if (found.empty()) found = races;
  }
  if (!found.empty()) throw Error(text(name, ": ", found));
}

Votes barrier(const char* op, bool predicate, Place place) {
  return block().barrier(op, predicate, place);
}

int lane() { return block().running() % 32; }

void exchange(const char* op, unsigned mask, const void* mine, size_t bytes, int source, void* out,
              Place place) {
  Block& b = block();
  Meeting& m = b.meet(op, mask, mine, bytes, place, nullptr);
  if (source < 0) source = lane();
  if (!(m.mask >> source & 1))
    stop_launch(op, "a source lane that is in the mask", [&] {
      return text("lane ", lane(), " reading lane ", source, ", ", to_text(op, place));
    });
  std::memcpy(out, m.table[source], bytes);
  b.leave(m);
}

void combine_lanes(const char* op, const void* mine, size_t bytes, Combine combine, void* out,
                   size_t out_bytes, Place place) {
  Block& b = block();
  Meeting& m = b.meet(op, ~0u, mine, bytes, place, combine);
  std::memcpy(out, m.table[lane()], out_bytes);
  b.leave(m);
}

unsigned ballot(const char* op, unsigned mask, bool predicate, Place place) {
  Block& b = block();
  Meeting& m = b.meet(op, mask, &predicate, sizeof predicate, place, nullptr);
  unsigned votes = 0;
  for (int i = 0; i < 32; i++)
    if (m.mask >> i & 1) votes |= unsigned(m.table[i][0] != 0) << i;
  b.leave(m);
  return votes;
}

void sync_warp(unsigned mask, Place place) {
  Block& b = block();
  Meeting& m =
      b.meet("__syncwarp", mask, nullptr, 0, place, [](Deposit*) { block().pass_sync_warp(); });
  b.leave(m);
}

void* dynamic_shared_memory() { return block().shared; }

bool is_dynamic_shared(const void* address) {
  return uintptr_t(address) - uintptr_t(block().shared) < block().shared_bytes;
}

}  // namespace clade::cuda_on_cpu

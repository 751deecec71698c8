// The block that runs: its threads, what each waits for, and how one is left for another.
//
// There is one, used for all blocks of all launches. Threads are fibers; the running one goes on
// until it must wait, at a barrier (block.cpp) or in a collective of its warp (warp.cpp). grid.cpp
// hands it block after block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/cuda_on_cpu/block.h"
#include "tensor/philox.h"

namespace clade::cuda_on_cpu {

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

std::string to_text(const char* op, Place p);  // "op at file:line"

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

Block& block();

}  // namespace clade::cuda_on_cpu

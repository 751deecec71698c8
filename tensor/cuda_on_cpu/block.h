// How blocks of CUDA threads run on the CPU: what the functions in cuda_on_cpu.h call.
//
// One block after the other, in one thread of the operating system; the threads of a block are
// fibers, each of which runs until it must wait for others. So a kernel's bits are the same in
// every run with the same order (set_thread_order).
//
// A mistake in a kernel (threads that never meet, a lane that is missing) stops it, and launch()
// throws Error with the groups of threads, what each did, and its file and line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct dim3;

namespace clade::cuda_on_cpu {

// 0: blocks and threads in their natural order. Any other number: an order shuffled with that seed,
// again after each barrier and collective. Until called, what the environment variable
// CLADE_CUDA_ORDER says, else 0.
void set_thread_order(unsigned seed);
unsigned thread_order();

// Runs kernel(arguments) for every thread of the grid. Throws Error when the launch is one that a
// GPU would refuse, or the kernel went wrong.
void run_grid(const char* name, dim3 blocks, dim3 threads, size_t shared_bytes,
              void (*kernel)(void*), void* arguments);

// Where in the source a thread is.
struct Place {
  const char* file;
  int line;
};

struct Votes {
  int count;  // threads whose predicate was true
  int any, all;
};
// All threads of the block wait for each other.
Votes barrier(const char* op, bool predicate, Place place);

// The lanes of `mask` meet; each lays `bytes` (at most 64) on the table. Then out = what lane
// `source` laid there; source -1: this lane itself.
void exchange(const char* op, unsigned mask, const void* mine, size_t bytes, int source, void* out,
              Place place);
unsigned ballot(const char* op, unsigned mask, bool predicate, Place place);
// As CUDA's lanes: 0 to 31.
int lane();

void sync_warp(unsigned mask, Place place);
// All 32 lanes lay `bytes` on the table; the last to come calls combine(table), which writes there
// what each lane takes away.
using Deposit = unsigned char[64];
using Combine = void (*)(Deposit* table);
void combine_lanes(const char* op, const void* mine, size_t bytes, Combine combine, void* out,
                   size_t out_bytes, Place place);

void* dynamic_shared_memory();

// Ends the launch from within a kernel, with what record_error was told. The fibers are abandoned
// where they stand: what their frames hold is not destroyed, so the message is made and gone
// before.
void record_error(const char* op, const std::string& expected, const std::string& got);
void stop_launch();
template <class Got>
void stop_launch(const char* op, const char* expected, Got got) {
  record_error(op, expected, got());
  stop_launch();
}

// Who runs now; what the race checker asks.
struct Now {
  bool in_kernel = false;
  uint32_t launch = 0, block = 0, thread = 0;
  uint32_t barriers = 0;       // that this block has passed
  uint32_t warp_meetings = 0;  // __syncwarp that this warp has passed
};
extern Now now;
bool is_dynamic_shared(const void* address);

// Set by race_check.cpp where it is linked.
struct RaceChecker {
  void (*launch_begins)();
  std::string (*launch_ends)();  // what was found; empty: nothing
  void (*touch)(const void* address, size_t bytes, bool write, const void* code);
};
extern const RaceChecker* race_checker;

}  // namespace clade::cuda_on_cpu

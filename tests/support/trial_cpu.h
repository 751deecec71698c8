// Where the kernels of a Trial run: on the CPU, with 1, 2 and 3 threads and with every instruction
// set that this processor has. tests/cuda/trial_device.h is its twin.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/context.h"
#include "tensor/vectors.h"
#include "tests/support/threads.h"

namespace clade::testing {

using TrialDevice = kernels::Cpu;
using TrialBytes = std::vector<uint8_t>;

constexpr int64_t kManyElements = 70000;

// Of the first ones, which must give the same bits, each has the best instruction set.
constexpr int kRuns = 5, kRunsOfBestSet = 3;
constexpr const char* kRunNames[kRuns] = {"1 thread", "2 threads", "3 threads", "SSE2", "AVX2"};

// One run of a kernel. A processor without more than the set that is to be tried keeps its own.
struct RunScope {
  explicit RunScope(int run) : threads(run < kRunsOfBestSet ? run + 1 : 1), best(vectors()) {
    const Vectors set = run < kRunsOfBestSet ? best : run == 3 ? Vectors::baseline : Vectors::avx2;
    if (set < best) use_vectors(set);
  }
  ~RunScope() { use_vectors(best); }
  ThreadsScope threads;
  Vectors best;
};

inline uint64_t trials(uint64_t of) { return of; }

// The first and last `guard` bytes of a block must not be touched until allow().
inline void forbid(TrialBytes&, int64_t) {}
inline void allow(TrialBytes&) {}

}  // namespace clade::testing

// Where the kernels of a Trial run: on the device, twice; where the CPU plays the device, in two
// orders of threads. The twin of tests/support/trial_cpu.h.
//
// The blocks of a trial lie in memory that host and device share, so that the same pointers serve
// both. Guards are forbidden to AddressSanitizer while the kernel runs.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "kernels/context.h"
#include "tensor/device_memory.h"
#include "tests/cuda/shared_memory.h"

namespace clade::testing {

using TrialDevice = kernels::Cuda;

template <class T>
struct SharedAllocator {
  using value_type = T;
  T* allocate(size_t n) { return static_cast<T*>(shared_allocate(n * sizeof(T))); }
  void deallocate(T* data, size_t) { shared_deallocate(data); }
  bool operator==(const SharedAllocator&) const { return true; }
};
using TrialBytes = std::vector<uint8_t, SharedAllocator<uint8_t>>;

constexpr int64_t kManyElements = 9000;
constexpr int kRuns = 2, kRunsOfBestSet = 2;
constexpr const char* kRunNames[kRuns] = {"an order of threads", "another order of threads"};

struct RunScope {
  explicit RunScope(int number) : run(number) { begin_run(run); }
  ~RunScope() { end_run(run); }
  int run;
};

// One in so many as the environment variable CLADE_TRIALS_ONE_IN says, else all: a thousand times
// slower than a GPU, the CPU tries fewer.
inline uint64_t trials(uint64_t of) {
  static const char* const value = std::getenv("CLADE_TRIALS_ONE_IN");
  static const uint64_t one_in = value ? std::strtoull(value, nullptr, 10) : 1;
  return of / one_in + 1;
}

inline void forbid(TrialBytes& block, int64_t guard) {
  forbid_bytes(block.data(), size_t(guard));
  forbid_bytes(block.data() + block.size() - guard, size_t(guard));
}
inline void allow(TrialBytes& block) {
  synchronize();
  allow_bytes(block.data(), block.size());
}

}  // namespace clade::testing

// Grids: how many blocks serve n elements, and which element a thread has.
#pragma once

#include "kernels/context.h"
#include "tensor/cuda.cuh"
#include "tensor/host_device.h"

namespace clade::kernels::cuda {

constexpr int kThreads = 256;  // of a block, where nothing speaks for another number

CLADE_HD inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline bool on_16_bytes(const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }

// One thread for every `each` elements.
inline Grid grid_of(int64_t n, int64_t each = 1) {
  return {{unsigned(ceil_div(n, each * kThreads))}, {unsigned(kThreads)}};
}

// The number of this thread in a grid of one axis.
__device__ inline int64_t thread_index() {
  return int64_t(blockIdx.x) * int64_t(blockDim.x) + int64_t(threadIdx.x);
}

}  // namespace clade::kernels::cuda

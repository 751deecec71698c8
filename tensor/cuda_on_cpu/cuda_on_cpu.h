// CUDA C++ for g++ and clang++: the part of the language and its built-in functions that Clade's
// kernels use, so that a .cu file compiles as it stands and its kernels run on the CPU.
//
// It stands in for <cuda_runtime.h>: include tensor/cuda/cuda.cuh, which takes whichever fits. How
// threads run is told in block.h; how to debug a kernel this way, in docs/cuda_on_cpu.md.
//
// Differences that a kernel can see: one block runs at a time; warps are 32 lanes that advance one
// by one, so nothing happens in lockstep that is not asked for by a __..._sync function; shared
// memory begins as NaN (dynamic) or as what an earlier block left (static).
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/cuda_on_cpu/block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
// Blocks run one after the other: all of them use the same memory, as in a multiprocessor.
#define __shared__ static

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

#define CLADE_VECTOR_TYPES(T, name)                            \
  struct alignas(2 * sizeof(T)) name##2 {                      \
    T x, y;                                                    \
  };                                                           \
  struct alignas(sizeof(T) < 8 ? 4 * sizeof(T) : 16) name##4 { \
    T x, y, z, w;                                              \
  };                                                           \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }   \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
CLADE_VECTOR_TYPES(float, float)
CLADE_VECTOR_TYPES(double, double)
CLADE_VECTOR_TYPES(int, int)
CLADE_VECTOR_TYPES(unsigned, uint)
#undef CLADE_VECTOR_TYPES

// Where the call stands in the source: parameters that a caller does not give.
#define CLADE_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

// -- barriers ------------------------------------------------------------------------------------

inline void __syncthreads(CLADE_PLACE) {
  clade::cuda_on_cpu::barrier("__syncthreads", false, {file, line});
}
inline int __syncthreads_count(int predicate, CLADE_PLACE) {
  return clade::cuda_on_cpu::barrier("__syncthreads_count", predicate != 0, {file, line}).count;
}
inline int __syncthreads_or(int predicate, CLADE_PLACE) {
  return clade::cuda_on_cpu::barrier("__syncthreads_or", predicate != 0, {file, line}).any;
}
inline int __syncthreads_and(int predicate, CLADE_PLACE) {
  return clade::cuda_on_cpu::barrier("__syncthreads_and", predicate != 0, {file, line}).all;
}
inline void __syncwarp(unsigned mask = ~0u, CLADE_PLACE) {
  clade::cuda_on_cpu::sync_warp(mask, {file, line});
}

// -- collectives of a warp -----------------------------------------------------------------------
// `width` (a power of two) cuts the warp into pieces that shuffle among themselves; a lane whose
// source lies outside its piece keeps its own value.

namespace clade::cuda_on_cpu {
template <class T>
T shuffle(const char* op, unsigned mask, T value, int source, Place place) {
  T out;
  exchange(op, mask, &value, sizeof value, source, &out, place);
  return out;
}
}  // namespace clade::cuda_on_cpu

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, CLADE_PLACE) {
  const int base = clade::cuda_on_cpu::lane() & ~(width - 1);
  return clade::cuda_on_cpu::shuffle("__shfl_sync", mask, value, base | (source & (width - 1)),
                                     {file, line});
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, CLADE_PLACE) {
  const int me = clade::cuda_on_cpu::lane(), end = (me & ~(width - 1)) + width, from = me ^ bits;
  return clade::cuda_on_cpu::shuffle("__shfl_xor_sync", mask, value, from < end ? from : -1,
                                     {file, line});
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int by, int width = 32, CLADE_PLACE) {
  const int me = clade::cuda_on_cpu::lane(), end = (me & ~(width - 1)) + width;
  return clade::cuda_on_cpu::shuffle("__shfl_down_sync", mask, value, me + by < end ? me + by : -1,
                                     {file, line});
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int by, int width = 32, CLADE_PLACE) {
  const int me = clade::cuda_on_cpu::lane(), base = me & ~(width - 1);
  return clade::cuda_on_cpu::shuffle("__shfl_up_sync", mask, value, me - by >= base ? me - by : -1,
                                     {file, line});
}
inline unsigned __ballot_sync(unsigned mask, int predicate, CLADE_PLACE) {
  return clade::cuda_on_cpu::ballot("__ballot_sync", mask, predicate != 0, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, CLADE_PLACE) {
  return clade::cuda_on_cpu::ballot("__any_sync", mask, predicate != 0, {file, line}) != 0;
}
inline int __all_sync(unsigned mask, int predicate, CLADE_PLACE) {
  return clade::cuda_on_cpu::ballot("__all_sync", mask, predicate == 0, {file, line}) == 0;
}
#undef CLADE_PLACE

// -- atomics: the old value is returned ----------------------------------------------------------

namespace clade::cuda_on_cpu {
template <class T, class F>
T atomic_update(T* at, F next) {
  std::atomic_ref<T> cell(*at);
  T old = cell.load(std::memory_order_relaxed);
  while (!cell.compare_exchange_weak(old, next(old), std::memory_order_relaxed)) {
  }
  return old;
}
}  // namespace clade::cuda_on_cpu

template <class T>
T atomicAdd(T* at, std::type_identity_t<T> v) {
  return clade::cuda_on_cpu::atomic_update(at, [v](T old) { return T(old + v); });
}
template <class T>
T atomicMax(T* at, std::type_identity_t<T> v) {
  return clade::cuda_on_cpu::atomic_update(at, [v](T old) { return old < v ? v : old; });
}
template <class T>
T atomicMin(T* at, std::type_identity_t<T> v) {
  return clade::cuda_on_cpu::atomic_update(at, [v](T old) { return v < old ? v : old; });
}
template <class T>
T atomicOr(T* at, std::type_identity_t<T> v) {
  return clade::cuda_on_cpu::atomic_update(at, [v](T old) { return T(old | v); });
}
template <class T>
T atomicAnd(T* at, std::type_identity_t<T> v) {
  return clade::cuda_on_cpu::atomic_update(at, [v](T old) { return T(old & v); });
}
template <class T>
T atomicExch(T* at, std::type_identity_t<T> v) {
  return std::atomic_ref<T>(*at).exchange(v, std::memory_order_relaxed);
}
template <class T>
T atomicCAS(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  std::atomic_ref<T>(*at).compare_exchange_strong(expected, v, std::memory_order_relaxed);
  return expected;
}
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() {}

// -- arithmetic ----------------------------------------------------------------------------------

using std::max;
using std::min;

template <class T>
T __ldg(const T* at) {
  return *at;
}
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return std::countl_zero(unsigned(x)); }
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }

// Strided copy with conversion, and fill, on the GPU: a thread an element, in the order in which
// the target lies in memory, so that a warp writes neighbours. Equal dense layouts go through the
// copy engine.
#include "tensor/copy_loops.h"
#include "tensor/cuda.cuh"
#include "tensor/device_memory.h"

namespace clade {
namespace {

constexpr int64_t kThreads = 256;

Grid grid_of(int64_t n) {
  return {{unsigned((n + kThreads - 1) / kThreads)}, {unsigned(kThreads)}};
}

__device__ int64_t thread_index() { return int64_t(blockIdx.x) * kThreads + int64_t(threadIdx.x); }

template <class From, class To>
__global__ void copy_strided(const From* from, CopyLoops loops, int64_t n, To* to) {
  const int64_t i = thread_index();
  if (i >= n) return;
  int64_t f, t;
  loops.locate(i, loops.rank - 1, f, t);
  to[t] = convert<To>(from[f]);
}

template <class T>
__global__ void fill_strided(T value, CopyLoops loops, int64_t n, T* to) {
  const int64_t i = thread_index();
  if (i >= n) return;
  int64_t f, t;
  loops.locate(i, loops.rank - 1, f, t);
  to[t] = value;
}

}  // namespace

void device_copy(const View& from, const View& to, CUstream_st* stream) {
  const int64_t n = to.numel();
  if (n == 0) return;
  const CopyLoops loops(from, to);
  if (from.dtype == to.dtype && loops.rank == 1 && loops.inner().from == 1 && loops.inner().to == 1)
    return check_cuda("device_copy",
                      cudaMemcpyAsync(to.data, from.data, size_t(n) * size_of(to.dtype),
                                      cudaMemcpyDeviceToDevice, stream));
  dispatch(from.dtype, [&](auto f) {
    dispatch(to.dtype, [&](auto t) {
      using From = decltype(f);
      using To = decltype(t);
      launch<copy_strided<From, To>>(stream, grid_of(n), from.as<const From>(), loops, n,
                                     to.as<To>());
    });
  });
}

void device_fill(const View& to, double value, CUstream_st* stream) {
  const int64_t n = to.numel();
  if (n == 0) return;
  dispatch(to.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<fill_strided<T>>(stream, grid_of(n), convert<T>(value), CopyLoops(to, to), n,
                            to.as<T>());
  });
}

}  // namespace clade

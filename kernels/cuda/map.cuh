// map: out[i] = f(in[i]...) over views of equal sizes, one kernel for all elementwise work.
//
// Where all views step by 1 through the same dense memory and stand at 16 bytes, a thread moves 16
// bytes of each: the widest load there is, and neighbours of a warp touch neighbouring lines. Else
// a thread has one element, found by Walk::locate.
#pragma once

#include "kernels/cuda/grid.cuh"
#include "kernels/elementwise/walk.h"

namespace clade::kernels::cuda {

template <class T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T value[kSize];
};

template <class T, int K>
struct Operands {
  T* out;
  const T* in[K];
};

template <class F, class T>
__device__ T apply(F f, const T (&x)[1]) {
  return f(x[0]);
}
template <class F, class T>
__device__ T apply(F f, const T (&x)[2]) {
  return f(x[0], x[1]);
}
template <class F, class T>
__device__ T apply(F f, const T (&x)[3]) {
  return f(x[0], x[1], x[2]);
}

// In place too: a thread reads its elements before it writes them, hence no __restrict__.
template <class T, int K, class F>
__global__ void map_packs(F f, int64_t n, Operands<T, K> o) {
  constexpr int kSize = Pack<T>::kSize;
  const int64_t first = thread_index() * kSize;
  if (first + kSize <= n) {
    Pack<T> in[K], out;
    for (int k = 0; k < K; k++) in[k] = *reinterpret_cast<const Pack<T>*>(o.in[k] + first);
    for (int i = 0; i < kSize; i++) {
      T x[K];
      for (int k = 0; k < K; k++) x[k] = in[k].value[i];
      out.value[i] = apply(f, x);
    }
    *reinterpret_cast<Pack<T>*>(o.out + first) = out;
  } else {
    for (int64_t i = first; i < n; i++) {
      T x[K];
      for (int k = 0; k < K; k++) x[k] = o.in[k][i];
      o.out[i] = apply(f, x);
    }
  }
}

template <class T, int K, class F>
__global__ void map_strided(F f, Walk<K + 1> walk, Operands<T, K> o) {
  const int64_t i = thread_index();
  if (i >= walk.numel()) return;
  int64_t at[K + 1];
  walk.locate(i, at);
  T x[K];
  for (int k = 0; k < K; k++) x[k] = o.in[k][at[k + 1]];
  o.out[at[0]] = apply(f, x);
}

// f is a struct with operator(), of namespace scope (nvcc takes no lambda here).
template <class T, class F, class... In>
void map(const Cuda& ctx, F f, const View& out, const In&... in) {
  constexpr int K = sizeof...(In);
  const View views[] = {out, in...};
  const Walk<K + 1> walk(views);
  const Operands<T, K> operands{out.as<T>(), {in.template as<const T>()...}};
  const bool flat = walk.unit_steps() && walk.rank() == 1 && on_16_bytes(out.data) &&
                    (on_16_bytes(in.data) && ...);
  if (flat)
    return launch<map_packs<T, K, F>>(ctx.stream, grid_of(walk.numel(), Pack<T>::kSize), f,
                                      walk.numel(), operands);
  launch<map_strided<T, K, F>>(ctx.stream, grid_of(walk.numel()), f, walk, operands);
}

}  // namespace clade::kernels::cuda

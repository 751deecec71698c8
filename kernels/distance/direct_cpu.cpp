// Direct sums of squared differences of long rows. The partial sums are vectors in registers: four
// of them, since an addition takes four cycles and the processor can start one in each.
#include <algorithm>
#include <array>
#include <type_traits>

#include "kernels/distance/distance.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kParts = 4;

// Zero all but the last `count` lanes.
template <class S, int64_t Lanes, class V>
inline void keep_last(int64_t count, V& v) {
  using Bits = std::conditional_t<sizeof(S) == 4, int32_t, int64_t>;
  typedef Bits Mask __attribute__((vector_size(Lanes * sizeof(S))));
  typedef Bits LooseMask
      __attribute__((vector_size(Lanes * sizeof(S)), may_alias, aligned(alignof(Bits))));
  alignas(64) static constexpr auto kMask = [] {
    std::array<Bits, size_t(2 * Lanes)> mask{};
    for (int64_t l = 0; l < Lanes; l++) mask[size_t(Lanes + l)] = -1;
    return mask;
  }();
  v = (V)((Mask)v & *(const LooseMask*)(kMask.data() + count));
}

// S: what is summed in; kParts vectors of `Lanes` of them, joined one by one or in pairs. To be
// called within with_vectors.
template <class S, int64_t Lanes, bool InOrder, class T>
inline S sum_of_squares(const T* x, const T* y, int64_t d) {
  typedef S Sums __attribute__((vector_size(Lanes * sizeof(S))));
  typedef T Loose __attribute__((vector_size(Lanes * sizeof(T)), may_alias, aligned(alignof(T))));
  typedef S LooseSums
      __attribute__((vector_size(Lanes * sizeof(S)), may_alias, aligned(alignof(S))));
  constexpr int64_t kAtOnce = Lanes * kParts;
  Sums sum[kParts] = {};
  int64_t j = 0;
  for (; j + kAtOnce <= d; j += kAtOnce) {
#pragma GCC unroll 4
    for (int64_t p = 0; p < kParts; p++) {
      const Sums a = __builtin_convertvector(*(const Loose*)(x + j + p * Lanes), Sums);
      const Sums b = __builtin_convertvector(*(const Loose*)(y + j + p * Lanes), Sums);
      sum[p] += (a - b) * (a - b);
    }
  }
#pragma GCC unroll 4
  for (int64_t p = 0; p < kParts; p++) {  // what is left: whole vectors, then a part of one
    if (j + Lanes <= d) {
      const Sums a = __builtin_convertvector(*(const Loose*)(x + j), Sums);
      const Sums b = __builtin_convertvector(*(const Loose*)(y + j), Sums);
      sum[p] += (a - b) * (a - b);
      j += Lanes;
    } else if (j < d && !InOrder && d > Lanes) {  // the last vector, without what is in the sums
      const Sums a = __builtin_convertvector(*(const Loose*)(x + d - Lanes), Sums);
      const Sums b = __builtin_convertvector(*(const Loose*)(y + d - Lanes), Sums);
      Sums rest = a - b;
      keep_last<S, Lanes>(d - j, rest);
      sum[p] += rest * rest;
      j = d;
    } else if (j < d) {
      S part[Lanes];
      for (int64_t l = 0; l < Lanes; l++) part[l] = j + l < d ? S(x[j + l]) - S(y[j + l]) : S(0);
      const Sums a = *(const LooseSums*)part;
      sum[p] += a * a;
      j = d;
    }
  }
  S total = 0;
  if constexpr (InOrder) {
    for (const Sums& part : sum)
      for (int64_t l = 0; l < Lanes; l++) total += part[l];
  } else {
    S lane[Lanes];
    *(LooseSums*)lane = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (int64_t half = Lanes / 2; half > 0; half /= 2)
      for (int64_t l = 0; l < half; l++) lane[l] += lane[l + half];
    total = lane[0];
  }
  return total;
}

}  // namespace

template <class T>
double long_squared_distance(const T* x, const T* y, int64_t d) {
  double total;
  with_vectors([&] { total = sum_of_squares<double, kLongLanes / kParts, true>(x, y, d); });
  return total;
}

template <class T>
T rough_squared_distance(const T* x, const T* y, int64_t d) {
  T total;
  with_vectors([&] { total = sum_of_squares<T, int64_t(64 / sizeof(T)), false>(x, y, d); });
  return total;
}

template <class T>
void rough_squared_distances(const T* x, const int32_t* rows, const T* y, const int32_t* others,
                             int64_t count, int64_t d, T* out) {
  constexpr int64_t kLine = 64 / sizeof(T), kLines = 4, kAhead = 8;
  with_vectors([&] {
    for (int64_t i = 0; i < count; i++) {
      if (i + kAhead < count)  // rows lie apart: the cache does not foresee them
        for (int64_t j = 0; j < std::min(d, kLines * kLine); j += kLine)
          __builtin_prefetch(x + rows[i + kAhead] * d + j);
      out[i] =
          sum_of_squares<T, int64_t(64 / sizeof(T)), false>(x + rows[i] * d, y + others[i] * d, d);
    }
  });
}

template double long_squared_distance<float>(const float*, const float*, int64_t);
template double long_squared_distance<double>(const double*, const double*, int64_t);
template float rough_squared_distance<float>(const float*, const float*, int64_t);
template double rough_squared_distance<double>(const double*, const double*, int64_t);
template void rough_squared_distances<float>(const float*, const int32_t*, const float*,
                                             const int32_t*, int64_t, int64_t, float*);
template void rough_squared_distances<double>(const double*, const int32_t*, const double*,
                                              const int32_t*, int64_t, int64_t, double*);

}  // namespace clade::kernels

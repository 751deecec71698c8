// Direct sums of squared differences of long rows. The partial sums are vectors in registers: four
// of them, since an addition takes four cycles and the processor can start one in each.
#include "kernels/distance/distance.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kParts = 4;

// S: what is summed in; kParts vectors of `Lanes` of them, joined one by one or in pairs.
template <class S, int64_t Lanes, bool InOrder, class T>
S sum_of_squares(const T* x, const T* y, int64_t d) {
  typedef S Sums __attribute__((vector_size(Lanes * sizeof(S))));
  typedef T Loose __attribute__((vector_size(Lanes * sizeof(T)), may_alias, aligned(alignof(T))));
  typedef S LooseSums
      __attribute__((vector_size(Lanes * sizeof(S)), may_alias, aligned(alignof(S))));
  constexpr int64_t kAtOnce = Lanes * kParts;
  S total = 0;
  with_vectors([&] {
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
      } else if (j < d) {
        S part[Lanes];
        for (int64_t l = 0; l < Lanes; l++) part[l] = j + l < d ? S(x[j + l]) - S(y[j + l]) : S(0);
        const Sums a = *(const LooseSums*)part;
        sum[p] += a * a;
        j = d;
      }
    }
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
  });
  return total;
}

}  // namespace

template <class T>
double long_squared_distance(const T* x, const T* y, int64_t d) {
  return sum_of_squares<double, kLongLanes / kParts, true>(x, y, d);
}

template <class T>
T rough_squared_distance(const T* x, const T* y, int64_t d) {
  return sum_of_squares<T, int64_t(64 / sizeof(T)), false>(x, y, d);
}

template double long_squared_distance<float>(const float*, const float*, int64_t);
template double long_squared_distance<double>(const double*, const double*, int64_t);
template float rough_squared_distance<float>(const float*, const float*, int64_t);
template double rough_squared_distance<double>(const double*, const double*, int64_t);

}  // namespace clade::kernels

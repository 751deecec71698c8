// Lanes: 64 bytes of numbers side by side, and a * b + c on them with one rounding.
//
// Inside with_vectors (tensor/vectors.h) they become one register of AVX-512 or two of AVX2, and
// the sum one instruction. fma() is exact everywhere, so the bits do not depend on the set; where a
// processor has no such instruction it is a call for each lane, and slow.
#pragma once

#include <cstdint>

namespace clade::cluster {

template <class T>
struct LanesOf {
  typedef T type __attribute__((vector_size(64)));
};
template <class T>
using Lanes = typename LanesOf<T>::type;
template <class T>
inline constexpr int64_t kLanes = 64 / int64_t(sizeof(T));

// `columns` brought up to whole lanes.
template <class T>
constexpr int64_t whole_lanes(int64_t columns) {
  return (columns + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// z = x - mean, rounded to T, for kLanes<T> numbers.
inline __attribute__((always_inline)) void subtract(const double* x, double mean, double* z) {
  *(Lanes<double>*)z = *(const Lanes<double>*)x - mean;
}

inline __attribute__((always_inline)) void subtract(const double* x, double mean, float* z) {
  typedef float Half __attribute__((vector_size(32)));
  for (int64_t h = 0; h < 2; h++)
    *(Half*)(z + 8 * h) = __builtin_convertvector(*(const Lanes<double>*)(x + 8 * h) - mean, Half);
}

// c += a b.
inline __attribute__((always_inline)) void add_product(double a, const Lanes<double>& b,
                                                       Lanes<double>& c) {
  Lanes<double> sum;
  for (int l = 0; l < 8; l++) sum[l] = __builtin_fma(a, b[l], c[l]);
  c = sum;
}

inline __attribute__((always_inline)) void add_product(float a, const Lanes<float>& b,
                                                       Lanes<float>& c) {
  Lanes<float> sum;
  for (int l = 0; l < 16; l++) sum[l] = __builtin_fmaf(a, b[l], c[l]);
  c = sum;
}

}  // namespace clade::cluster

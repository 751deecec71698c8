// lanes: a row folded to one number, in an order fixed by the row's length alone.
//
// Element i goes to lane i mod L, and the lanes are joined in pairs: independent chains instead of
// one, which is what pipelines and vector units want, and the same bits on every machine. Sums have
// eight lanes of f64; the largest and smallest element need no more digits than they have, and no
// order, so they take 64 lanes of their own type.
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/elementwise/math_bits.h"
#include "tensor/host_device.h"

namespace clade::kernels {

struct Sum {
  template <class T>
  using Lane = double;
  static constexpr int kLanes = 8;
  static constexpr double kStart = 0;
  CLADE_HD static double join(double a, double b) { return a + b; }
};

// NaN wins over everything, in both.
struct Largest {
  template <class T>
  using Lane = T;
  static constexpr int kLanes = 64;
  static constexpr double kStart = -std::numeric_limits<double>::infinity();
  template <class T>
  CLADE_HD static T join(T a, T b) {
    return math::choose((b > a) | (b != b), b, a);
  }
};
struct Smallest {
  template <class T>
  using Lane = T;
  static constexpr int kLanes = 64;
  static constexpr double kStart = std::numeric_limits<double>::infinity();
  template <class T>
  CLADE_HD static T join(T a, T b) {
    return math::choose((b < a) | (b != b), b, a);
  }
};

// The n elements x[0], x[step], x[2 step], ...; Op::kStart when n is 0.
template <class Op, class T>
double fold(const T* x, int64_t n, int64_t step = 1) {
  using Lane = typename Op::template Lane<T>;
  constexpr int kLanes = Op::kLanes;
  if (kLanes > 8 && n < kLanes) {  // too short to be worth its lanes
    Lane all = Lane(Op::kStart);
    for (int64_t i = 0; i < n; i++) all = Op::join(all, Lane(x[i * step]));
    return double(all);
  }
  Lane lane[kLanes];
  for (Lane& l : lane) l = Lane(Op::kStart);
  int64_t i = 0;
  if (step == 1) {
    for (; i + kLanes <= n; i += kLanes)
      for (int l = 0; l < kLanes; l++) lane[l] = Op::join(lane[l], Lane(x[i + l]));
  } else {
    for (; i + kLanes <= n; i += kLanes)
      for (int l = 0; l < kLanes; l++) lane[l] = Op::join(lane[l], Lane(x[(i + l) * step]));
  }
  for (int l = 0; i < n; i++, l++) lane[l] = Op::join(lane[l], Lane(x[i * step]));
  for (int apart = kLanes / 2; apart > 0; apart /= 2)
    for (int l = 0; l < apart; l++) lane[l] = Op::join(lane[l], lane[l + apart]);
  return double(lane[0]);
}

}  // namespace clade::kernels

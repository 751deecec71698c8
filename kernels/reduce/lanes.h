// lanes: a row folded to one f64 number, in an order fixed by the row's length alone.
//
// Element i goes to lane i mod 8, and the lanes are joined in pairs: eight independent chains
// instead of one, which is what pipelines and vector units want, and the same bits on every
// machine.
#pragma once

#include <cstdint>
#include <limits>

namespace clade::kernels {

struct Sum {
  static constexpr double kStart = 0;
  static double join(double a, double b) { return a + b; }
};

// NaN wins over everything, in both.
struct Largest {
  static constexpr double kStart = -std::numeric_limits<double>::infinity();
  static double join(double a, double b) { return b > a || b != b ? b : a; }
};
struct Smallest {
  static constexpr double kStart = std::numeric_limits<double>::infinity();
  static double join(double a, double b) { return b < a || b != b ? b : a; }
};

// The n elements x[0], x[step], x[2 step], ...; Op::kStart when n is 0.
template <class Op, class T>
double fold(const T* x, int64_t n, int64_t step = 1) {
  double lane[8];
  for (double& l : lane) l = Op::kStart;
  int64_t i = 0;
  if (step == 1) {
    for (; i + 8 <= n; i += 8)
      for (int l = 0; l < 8; l++) lane[l] = Op::join(lane[l], double(x[i + l]));
  } else {
    for (; i + 8 <= n; i += 8)
      for (int l = 0; l < 8; l++) lane[l] = Op::join(lane[l], double(x[(i + l) * step]));
  }
  for (int l = 0; i < n; i++, l++) lane[l] = Op::join(lane[l], double(x[i * step]));
  for (int apart = 4; apart > 0; apart /= 2)
    for (int l = 0; l < apart; l++) lane[l] = Op::join(lane[l], lane[l + apart]);
  return lane[0];
}

}  // namespace clade::kernels

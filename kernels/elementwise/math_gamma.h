// math_gamma: ln [Gamma(a + 1/2) / Gamma(a)] and its derivative, without branches or library calls.
//
// What Student's t density needs of the gamma function. The difference of two lgamma loses its
// digits for large a; the difference of their series (Abramowitz and Stegun 6.1.42, with the
// Bernoulli polynomials at 1/2 and 0) does not:
//
//     g(a) = 1/2 ln a - sum over odd n of (2 - 2^-n) B_(n+1) / (n (n + 1)) a^-n
//          = 1/2 ln a - 1/(8 a) + 1/(192 a^3) - 1/(640 a^5) + 17/(14336 a^7) - ...
//
// Good to 2e-15 at a >= 8 with seven terms; smaller a step up by Gamma(a + 1) = a Gamma(a):
//     g(a) = g(a + 8) - ln prod over i < 8 of (1 + 1 / (2 (a + i)))
#pragma once

#include "kernels/elementwise/math.h"

namespace clade::kernels::math {
namespace detail {

// Coefficients of a^-1, a^-3, ..., a^-13. A function's own array is seen by the GPU too.
CLADE_MATH constexpr double gamma_half(int i) {
  const double c[] = {-1.0 / 8,      1.0 / 192,      -1.0 / 640,      17.0 / 14336,
                      -31.0 / 18432, 691.0 / 180224, -5461.0 / 425984};
  return c[i];
}

}  // namespace detail

template <class T>
CLADE_MATH T gamma_half_ratio(T a) {
  T product = 1;
  for (int i = 0; i < 8; i++) product *= 1 + T(0.5) / (a + T(i));
  const T b = a + 8, s = 1 / (b * b);
  T series = T(detail::gamma_half(6));
  for (int i = 6; i-- > 0;) series = series * s + T(detail::gamma_half(i));
  return T(0.5) * log(b) + series / b - log(product);
}

template <class T>
CLADE_MATH T gamma_half_ratio_slope(T a) {
  T steps = 0;
  for (int i = 0; i < 8; i++) steps += T(0.5) / ((a + T(i)) * (a + T(i) + T(0.5)));
  const T b = a + 8, s = 1 / (b * b);
  T series = T(-13 * detail::gamma_half(6));
  for (int i = 6; i-- > 0;) series = series * s + T(-(2 * i + 1) * detail::gamma_half(i));
  return T(0.5) / b + series * s + steps;
}

}  // namespace clade::kernels::math

// math: exp, log, pow, tanh, gelu and their kin without branches or library calls.
//
// The compiler cannot vectorise a call of libm, and a scalar exp costs as much as reading a hundred
// bytes. These are straight lines of arithmetic, so that loops over them vectorise on any machine,
// and every element gets the same bits wherever it stands in its vector and whatever the
// instruction set: nothing here is fused or reordered.
//
// Largest errors in units in the last place of the result, which the tests hold over the whole
// range of x, denormal numbers among it, against the C library in a wider type
// (tests/kernels/math_test.cpp):
//
//                    f32    f64                            f32    f64
//   exp              1      1         sigmoid              2.3    2.3
//   log              0.8    0.8       softplus             1.7    1.7
//   log1p_unit       0.9    0.9       gelu                 5.5    6
//   expm1_negative   1.1    1.2       gelu_slope           6.5    8.5 (of the larger of its terms)
//   tanh             2.6    2.6       Pow                  0.501  1.15 (2.5 for |a| > 30)
//
// NaN gives NaN (but NaN^0 is 1); infinities, zeros and overflow give what the limits are.
#pragma once

#include "kernels/elementwise/math_f32.h"
#include "kernels/elementwise/math_f64.h"
#include "kernels/elementwise/math_pow.h"

namespace clade::kernels::math {

// 1 / (1 + e^-x), from e^-|x| <= 1 alone: nothing overflows, and the small tail keeps its digits.
template <class T>
CLADE_MATH T sigmoid(T x) {
  const T e = exp(-std::fabs(x));
  return choose(x >= 0, T(1), e) / (1 + e);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
template <class T>
CLADE_MATH T softplus(T x) {
  return choose(x > 0, x, T(0)) + log1p_unit(exp(-std::fabs(x)));
}

// With e = e^-2|x| - 1, which keeps its digits near 0: |tanh x| = -e / (2 + e).
template <class T>
CLADE_MATH T tanh(T x) {
  const T e = expm1_negative(-2 * std::fabs(x));
  return std::copysign(e / (2 + e), x);
}

// x Phi(x) = max(x, 0) - t (1 - Phi(t)) with t = |x|: the lower tail keeps its digits.
template <class T>
CLADE_MATH T gelu(T x) {
  const auto tail = detail::normal_tail(x);
  return choose(x > 0, x, T(0)) - tail.t * tail.share * tail.density;
}

// Its derivative Phi(x) + x phi(x), phi(t) = density / sqrt(2 pi).
template <class T>
CLADE_MATH T gelu_slope(T x) {
  const auto tail = detail::normal_tail(x);
  const T below = (tail.share - tail.t * T(0.39894228040143268)) * tail.density;
  return choose(x > 0, 1 - below, below);
}

}  // namespace clade::kernels::math

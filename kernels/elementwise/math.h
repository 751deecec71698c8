// math: exp, sigmoid, tanh, expm1 and softplus without branches or library calls, in f32.
//
// The compiler cannot vectorise a call of libm, and a scalar exp costs as much as reading a hundred
// bytes. These are straight lines of arithmetic, so that loops over them vectorise on any machine,
// and every element gets the same bits wherever it stands in its vector. f64 goes to libm: it
// serves gradient checks, where accuracy counts and time does not.
//
// Loops that use them must be compiled with these inlined: hence CLADE_MATH, which insists.
//
// Relative error below 2.5e-7 (about 2 units in the last place) each; NaN gives NaN.
// Sources: Cephes expf and tanhf (Moshier) for the polynomials.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/host_device.h"

#define CLADE_MATH [[gnu::always_inline]] CLADE_HD inline

namespace clade::kernels::math {

namespace detail {
CLADE_MATH float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
CLADE_MATH uint32_t to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}
}  // namespace detail

// condition ? yes : no, both computed. Written with bits, since for a plain choice GCC moves the
// work of an operand into its own branch, and a loop with branches does not vectorise.
CLADE_MATH float choose(bool condition, float yes, float no) {
  uint32_t mask = -uint32_t(condition);
  return detail::from_bits((detail::to_bits(yes) & mask) | (detail::to_bits(no) & ~mask));
}
CLADE_MATH double choose(bool condition, double yes, double no) { return condition ? yes : no; }

// e^x = 2^n e^r with n = round(x / log 2) and |r| <= log(2) / 2, where a polynomial of degree 7
// does.
CLADE_MATH float exp(float x) {
  x = choose(x < -104.0f, -104.0f, x);  // below: rounds to 0
  x = choose(x > 89.0f, 89.0f, x);      // above: infinity
  // Adding 1.5 * 2^23 leaves no room for a fraction: n stands in the low bits of the sum.
  const float round = 12582912.0f;
  float shifted = x * 1.44269504f + round;
  float n = shifted - round;
  float r =
      x - n * 0.693359375f;  // log 2 in two parts, the first short enough for an exact product
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // 2^n in two factors: n runs from -150 to 128, which one f32 exponent does not hold.
  int32_t whole = int32_t(detail::to_bits(shifted) - detail::to_bits(round));
  int32_t half = whole >> 1;
  float low = detail::from_bits(uint32_t(half + 127) << 23);
  float high = detail::from_bits(uint32_t(whole - half + 127) << 23);
  return p * low * high;
}
CLADE_MATH double exp(double x) { return std::exp(x); }

// log(1 + z) for z in [0, 1]: 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = z / (2 + z), at
// most 1/3, so that eight terms leave less than 1e-8.
CLADE_MATH float log1p_unit(float z) {
  float s = z / (2.0f + z), w = s * s;
  float p = 1.0f / 15;
  p = p * w + 1.0f / 13;
  p = p * w + 1.0f / 11;
  p = p * w + 1.0f / 9;
  p = p * w + 1.0f / 7;
  p = p * w + 1.0f / 5;
  p = p * w + 1.0f / 3;
  float two_s = s + s;
  return p * w * two_s + two_s;
}
CLADE_MATH double log1p_unit(double z) { return std::log1p(z); }

// 1 / (1 + e^-x), from e^-|x| <= 1 alone: nothing overflows, and the small tail keeps its digits.
template <class T>
CLADE_MATH T sigmoid(T x) {
  T e = exp(-std::fabs(x));
  T s = 1 / (1 + e), tail = e / (1 + e);
  return choose(x >= 0, s, tail);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
template <class T>
CLADE_MATH T softplus(T x) {
  return choose(x > 0, x, T(0)) + log1p_unit(exp(-std::fabs(x)));
}

// Near 0 a polynomial, as 1 - e^-2|x| would cancel there; else (1 - e^-2|x|) / (1 + e^-2|x|).
CLADE_MATH float tanh(float x) {
  float w = x * x;
  float p = -5.70498872745e-3f;
  p = p * w + 2.06390887954e-2f;
  p = p * w - 5.37397155531e-2f;
  p = p * w + 1.33314422036e-1f;
  p = p * w - 3.33332819422e-1f;
  float near = p * w * x + x;
  float size = std::fabs(x), e = exp(-2 * size);
  float far = std::copysign((1 - e) / (1 + e), x);
  return choose(size < 0.625f, near, far);
}
CLADE_MATH double tanh(double x) { return std::tanh(x); }

// e^x - 1 for x <= 0: 2 t / (1 - t) with t = tanh(x / 2), which cancels nowhere.
CLADE_MATH float expm1_negative(float x) {
  float t = tanh(0.5f * x);
  return (t + t) / (1 - t);
}
CLADE_MATH double expm1_negative(double x) { return std::expm1(x); }

}  // namespace clade::kernels::math

#undef CLADE_MATH

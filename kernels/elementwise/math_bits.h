// math_bits: what the functions of math.h are built from: bit patterns, choices, polynomials.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tensor/host_device.h"

// Loops over these functions vectorise only where they are inlined.
#define CLADE_MATH [[gnu::always_inline]] CLADE_HD inline

namespace clade::kernels::math {

namespace detail {

CLADE_MATH float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
CLADE_MATH double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, 8);
  return x;
}
CLADE_MATH uint32_t to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}
CLADE_MATH uint64_t to_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  return bits;
}

// A polynomial in x by Horner's rule in x^2, odd and even powers apart: two chains of half the
// length, as the loops wait for results more than for units. a, b and then the rest are the
// coefficients, the highest power first.
template <class T>
CLADE_MATH T two_chains(T x, T, T a, T b) {
  return a * x + b;
}
template <class T>
CLADE_MATH T two_chains(T x, T square, T a, T b, T last) {
  return b * x + (a * square + last);
}
template <class T, class... Rest>
CLADE_MATH T two_chains(T x, T square, T a, T b, T c, T d, Rest... rest) {
  return two_chains(x, square, a * square + c, b * square + d, rest...);
}
template <class T, class... Coefficients>
CLADE_MATH T polynomial(T x, Coefficients... coefficients) {
  return two_chains(x, x * x, coefficients...);
}

}  // namespace detail

// condition ? yes : no, both computed. Written with bits, since for a plain choice GCC moves the
// work of an operand into its own branch, and a loop with branches does not vectorise.
CLADE_MATH float choose(bool condition, float yes, float no) {
  const uint32_t mask = -uint32_t(condition);
  return detail::from_bits((detail::to_bits(yes) & mask) | (detail::to_bits(no) & ~mask));
}
CLADE_MATH double choose(bool condition, double yes, double no) {
  const uint64_t mask = -uint64_t(condition);
  return detail::from_bits((detail::to_bits(yes) & mask) | (detail::to_bits(no) & ~mask));
}

}  // namespace clade::kernels::math

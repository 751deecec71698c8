// math_f32: the functions of math.h that are written for each precision, in f32.
//
// exp, expm1: x = n log 2 + r with whole n and |r| <= log(2) / 2; e^x = 2^n (1 + r + r^2 P(r)).
// log, log1p: x = 2^k (1 + f) with 1 + f in [0.7, 1.5]; log x = k log 2 + f - f^2 / 2 + f^3 P(f).
// Upper tail of the normal law, t >= 0: 1 - Phi(t) = e^(-t^2 / 2) P(u) / (t + 4),
//   u = (t - 4) / (t + 4).
// The coefficients are those that scripts/polynomials prints.
#pragma once

#include "kernels/elementwise/math_bits.h"

namespace clade::kernels::math {
namespace detail {

// Adding 1.5 * 2^23 leaves no room for a fraction: the sum is rounded to a whole number, which
// stands in its low bits.
constexpr float kWhole32 = 12582912.0f;

CLADE_MATH float nearest(float x) { return (x + kWhole32) - kWhole32; }

// 2^n for whole n from -126 to 127.
CLADE_MATH float two_to(float n) { return from_bits(to_bits(n + (kWhole32 + 127)) << 23); }

// log 2 in two parts: k times the first is exact.
constexpr float kLog2High32 = 0.693145751953125f, kLog2Low32 = 1.4286068203e-6f;

// r for n = nearest(x / log 2), which is given.
CLADE_MATH float exp_rest(float x, float n) { return (x - n * kLog2High32) - n * kLog2Low32; }

// e^r - 1 for |r| <= log(2) / 2.
CLADE_MATH float expm1_near(float r) {
  const float p = polynomial(r, 0.0001989196991f, 0.001393453166f, 0.008333310035f, 0.0416664569f,
                             0.1666666668f, 0.5000000014f);
  return p * (r * r) + r;
}

// y 2^n, n from -252 to 254, in two factors, as one exponent does not hold it.
CLADE_MATH float scale(float y, float n) {
  const float half = nearest(0.5f * n);
  return y * two_to(half) * two_to(n - half);
}

// e^(x + low) for a small `low`.
CLADE_MATH float exp_sum(float x, float low) {
  x = choose(x < -104.0f, -104.0f, x);  // below: rounds to 0
  x = choose(x > 89.0f, 89.0f, x);      // above: infinity
  const float n = nearest(x * 1.44269504f);
  return scale(expm1_near(exp_rest(x, n) + low) + 1.0f, n);
}

// k log 2 + log(1 + f), f from -0.293 to 0.5; the small terms are added first.
CLADE_MATH float log_near(float f, float k) {
  const float p =
      polynomial(f, -0.0448799087f, 0.09553603634f, -0.1089596208f, 0.1122006354f, -0.1244042578f,
                 0.1427568827f, -0.166681265f, 0.2000021912f, -0.2499998965f, 0.3333333265f);
  const float square = f * f;
  const float rest = (square * f * p + k * kLog2Low32) - 0.5f * square;
  return (rest + f) + k * kLog2High32;
}

// The upper tail of the normal law at |x|, as t * share * density and so on need its parts apart.
template <class T>
struct NormalTail {
  T t;        // |x|, but no more than where the density rounds to 0
  T density;  // e^(-t^2 / 2)
  T share;    // (1 - Phi(t)) / density
};

// t^2 / 2 is large where the density is small, so its rounding would be seen: it is taken in two
// parts, of which the first is exact (12 bits of t, squared).
CLADE_MATH NormalTail<float> normal_tail(float x) {
  const float size = std::fabs(x), t = choose(size > 14.5f, 14.5f, size);
  const float high = from_bits(to_bits(t) & 0xfffff000u);
  const float density = exp_sum(-0.5f * high * high, -0.5f * (t - high) * (t + high));
  const float q = 1.0f / (t + 4.0f), u = (t - 4.0f) * q;
  const float p = polynomial(u, -5.264564978e-5f, -0.0002346217611f, 0.0001693554583f,
                             0.001646295612f, -0.00348807553f, -0.007545268164f, 0.06039729391f,
                             -0.1865213075f, 0.3871373823f, -0.6078966578f, 0.7552851305f);
  return {t, density, p * q};
}

}  // namespace detail

CLADE_MATH float exp(float x) { return detail::exp_sum(x, -0.0f); }

// e^x - 1 for x <= 0. 2^n - 1 is exact as long as it counts.
CLADE_MATH float expm1_negative(float x) {
  using namespace detail;
  x = choose(x < -40.0f, -40.0f, x);  // -1
  const float n = nearest(x * 1.44269504f), power = two_to(n);
  const float rest = expm1_near(exp_rest(x, n)) * power;
  return choose(n == 0, rest, rest + (power - 1.0f));  // keeps -0
}

// log x: -infinity at 0, NaN below.
CLADE_MATH float log(float x) {
  using namespace detail;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr uint32_t kRootHalf = 0x3f3504f3u;  // sqrt(1/2), where 1 + f begins
  const bool small = x < 0x1p-126f;
  const float normal = choose(small, x * 0x1p24f, x);
  const uint32_t bits = to_bits(normal) - kRootHalf;
  const float k = float(int32_t(bits) >> 23) - choose(small, 24.0f, 0.0f);
  const float f = from_bits((bits & 0x007fffffu) + kRootHalf) - 1.0f;
  const float below = choose(x == 0, -kInfinity, std::numeric_limits<float>::quiet_NaN());
  const float outside = choose(x <= 0, below, x);  // infinity and NaN: themselves
  return choose((x > 0) & (x < kInfinity), log_near(f, k), outside);
}

// log(1 + z) for z in [0, 1].
CLADE_MATH float log1p_unit(float z) {
  const bool upper = z > 0.5f;
  const float f = choose(upper, 0.5f * (z - 1.0f), z);  // 1 + z = 1 + f, or 2 (1 + f)
  return detail::log_near(f, choose(upper, 1.0f, 0.0f));
}

}  // namespace clade::kernels::math

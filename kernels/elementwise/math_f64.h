// math_f64: the functions of math.h that are written for each precision, in f64.
//
// As math_f32.h, with longer polynomials, and one difference: here
//   log(1 + f) = 2 atanh(s) = 2 s + s^3 P(s^2), s = f / (2 + f),
// whose series is twice as fast, which pays for the division.
// Whole numbers travel as f64 in their own bits: SSE2 and AVX2 cannot convert 64-bit integers.
#pragma once

#include "kernels/elementwise/math_f32.h"

namespace clade::kernels::math {
namespace detail {

constexpr double kWhole64 = 6755399441055744.0;  // 1.5 * 2^52

CLADE_MATH double nearest(double x) { return (x + kWhole64) - kWhole64; }

// 2^n for whole n from -1022 to 1023.
CLADE_MATH double two_to(double n) { return from_bits(to_bits(n + (kWhole64 + 1023)) << 52); }

constexpr double kLog2High64 = 0.69314718055966295651, kLog2Low64 = 2.8235290563031577123e-13;

CLADE_MATH double exp_rest(double x, double n) { return (x - n * kLog2High64) - n * kLog2Low64; }

CLADE_MATH double expm1_near(double r) {
  const double p =
      polynomial(r, 2.09154335980760045e-9, 2.51062625508790787e-8, 2.75572718315361297e-7,
                 2.75572528633673204e-6, 0.0000248015873269900488, 0.000198412698768403559,
                 0.00138888888888833317, 0.0083333333333255517, 0.0416666666666666701,
                 0.166666666666666714, 0.5);
  return p * (r * r) + r;
}

CLADE_MATH double scale(double y, double n) {
  const double half = nearest(0.5 * n);
  return y * two_to(half) * two_to(n - half);
}

CLADE_MATH double exp_sum(double x, double low) {
  x = choose(x < -746.0, -746.0, x);
  x = choose(x > 710.0, 710.0, x);
  const double n = nearest(x * 1.4426950408889634);
  return scale(expm1_near(exp_rest(x, n) + low) + 1.0, n);
}

// P of log(1 + f), w = s^2.
CLADE_MATH double atanh_tail(double w) {
  return polynomial(w, 0.136040157071240775, 0.132103604851326198, 0.153888346778019151,
                    0.181817384547230256, 0.222222230378072419, 0.285714285673391893,
                    0.400000000000078006, 0.666666666666666642);
}

// 2 s = f - s f = f - f^2 / 2 + s f^2 / 2, of which the first two are the large ones.
CLADE_MATH double log_near(double f, double k) {
  const double s = f / (2.0 + f), w = s * s, half = 0.5 * f * f;
  const double rest = (s * (half + w * atanh_tail(w)) + k * kLog2Low64) - half;
  return (rest + f) + k * kLog2High64;
}

// x = 2^k (1 + f), for finite x > 0.
struct Mantissa {
  double f, k;
};
CLADE_MATH Mantissa take_apart(double x) {
  constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcdu, kBias = uint64_t(1024) << 52;
  const bool small = x < 0x1p-1022;
  const double normal = choose(small, x * 0x1p54, x);
  const uint64_t bits = to_bits(normal) - kRootHalf;
  // The exponent as a f64: below 2^52 a number's low bits are itself.
  const double exponent = from_bits(((bits + kBias) >> 52) | to_bits(0x1p52)) - (0x1p52 + 1024);
  const double f = from_bits((bits & 0x000fffffffffffffu) + kRootHalf) - 1.0;
  return {f, exponent - choose(small, 54.0, 0.0)};
}

CLADE_MATH NormalTail<double> normal_tail(double x) {
  const double size = std::fabs(x), t = choose(size > 39.0, 39.0, size);
  const double high = from_bits(to_bits(t) & 0xfffffffff8000000u);
  const double density = exp_sum(-0.5 * high * high, -0.5 * (t - high) * (t + high));
  const double q = 1.0 / (t + 4.0), u = (t - 4.0) * q;
  const double p =
      polynomial(u, -7.2624198104095793e-10, -2.52209945787807354e-9, 1.91827702037334026e-9,
                 1.96196108613555597e-8, 1.32807977873103278e-8, -8.54084181568512498e-8,
                 -1.54964917422474505e-7, 2.71804529625928358e-7, 1.02155403719610153e-6,
                 -6.29696560581582333e-7, -5.92017332301610292e-6, 7.16666324522103119e-7,
                 0.000035144686053003463, -1.90825847977343311e-6, -0.000231094935169459014,
                 0.000133344312409645737, 0.00163081845758870119, -0.00347969236739359515,
                 -0.00754018896672679157, 0.0603965748909365607, -0.186521857959657247,
                 0.387137400742214541, -0.607896641971892108, 0.755285130415751493);
  return {t, density, p * q};
}

}  // namespace detail

CLADE_MATH double exp(double x) { return detail::exp_sum(x, -0.0); }

CLADE_MATH double expm1_negative(double x) {
  using namespace detail;
  x = choose(x < -60.0, -60.0, x);  // -1
  const double n = nearest(x * 1.4426950408889634), power = two_to(n);
  const double rest = expm1_near(exp_rest(x, n)) * power;
  return choose(n == 0, rest, rest + (power - 1.0));
}

CLADE_MATH double log(double x) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto [f, k] = detail::take_apart(x);
  const double below = choose(x == 0, -kInfinity, std::numeric_limits<double>::quiet_NaN());
  const double outside = choose(x <= 0, below, x);
  return choose((x > 0) & (x < kInfinity), detail::log_near(f, k), outside);
}

CLADE_MATH double log1p_unit(double z) {
  const bool upper = z > 0.5;
  const double f = choose(upper, 0.5 * (z - 1.0), z);
  return detail::log_near(f, choose(upper, 1.0, 0.0));
}

}  // namespace clade::kernels::math

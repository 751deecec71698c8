// math_pow: x^a for one exponent a and many x.
//
// |x|^a = e^(a log |x|), where the product needs more digits than the type has: its absolute error
// becomes the relative error of the result. f32 computes in f64. f64 carries log |x| and the
// product as sums of two numbers; exact products come from halves of 26 bits, since fma() would be
// slow where the processor has none. Signs, zeros and infinities as C's pow.
#pragma once

#include "kernels/elementwise/math_f64.h"

namespace clade::kernels::math {
namespace detail {

struct Two {
  double high, low;  // their sum; |low| is small beside |high|
};

// The upper 26 bits of x: the product of two such is exact.
CLADE_MATH double upper_half(double x) { return from_bits(to_bits(x) & 0xfffffffff8000000u); }

// log x for finite x > 0. The last term is small, and plain arithmetic does for it.
CLADE_MATH Two log_two(double x) {
  const auto [f, k] = take_apart(x);
  const double d = 2.0 + f, d_low = f - (d - 2.0);
  const double s = f / d, sh = upper_half(s), dh = upper_half(d);
  const double remainder = ((f - sh * dh) - sh * (d - dh)) - sh * d_low;
  const double s_low = remainder / d, w = s * s;
  const double tail = (s * w * atanh_tail(w) + 2.0 * s_low) + k * kLog2Low64;
  const double large = k * kLog2High64, sum = large + 2.0 * sh;
  const double low = (2.0 * sh - (sum - large)) + tail;
  const double high = upper_half(sum + low);
  return {high, (sum - high) + low};
}

CLADE_MATH double power_of_positive(double x, double a) {
  const Two l = log_two(x);
  const double ah = upper_half(a), al = a - ah;
  const double product = a * l.high;
  const double low = ((ah * l.high - product) + al * l.high) + a * l.low;
  const bool far = !(std::fabs(product) < 800);  // 0 or infinity, and low may be large
  return exp_sum(product, choose(far, 0.0, low));
}
CLADE_MATH float power_of_positive(float x, double a) {
  const auto [f, k] = take_apart(double(x));
  return float(exp_sum(a * log_near(f, k), -0.0));
}

}  // namespace detail

// What depends on a alone is made ready once; the loop over x chooses between numbers.
template <class T>
class Pow {
 public:
  CLADE_HD explicit Pow(T a) : a_(a > kMost ? kMost : a < -kMost ? -kMost : double(a)) {
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
    const bool whole = std::trunc(a_) == a_;
    const bool odd = whole && std::fabs(a_) < 0x1p53 && std::fmod(a_, 2.0) != 0;
    at_zero_ = a_ > 0 ? T(0) : a_ < 0 ? kInfinity : T(1);
    at_infinity_ = a_ > 0 ? kInfinity : a_ < 0 ? T(0) : T(1);
    at_nan_ = a_ == 0 ? T(1) : kNan;
    below_ = whole ? T(1) : kNan;
    sign_ = odd ? detail::to_bits(T(-0.0)) : 0;
  }

  CLADE_MATH T operator()(T x) const {
    const T size = std::fabs(x);
    T y = detail::power_of_positive(size, a_);
    y = choose((x < 0), y * below_, y);
    y = choose(size == 0, at_zero_, y);
    y = choose(size == std::numeric_limits<T>::infinity(), at_infinity_, y);
    y = choose(x != x, at_nan_, y);
    return detail::from_bits(detail::to_bits(y) ^ (detail::to_bits(x) & sign_));
  }

 private:
  // Beyond, every power but that of 1 is 0 or infinity, even that of the neighbours of 1.
  static constexpr double kMost = 0x1p65;
  double a_;
  T at_zero_, at_infinity_, at_nan_;
  T below_;                              // 1, or NaN where numbers below 0 have no such power
  decltype(detail::to_bits(T())) sign_;  // the sign bit, where it passes to the power
};

}  // namespace clade::kernels::math

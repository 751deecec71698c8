// The formulas of elementwise.h in f64, one line each: value(x) and slope(x) = d value / d x.
#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/index.h"

namespace clade::kernels::reference {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double normal_cdf(double x) { return std::erfc(-x * M_SQRT1_2) / 2; }
double normal_density(double x) { return std::exp(-x * x / 2) * M_2_SQRTPI * M_SQRT1_2 / 2; }

double value(Unary op, double x, double a, double b) {
  switch (op) {
    case Unary::affine: return a * x + b;
    case Unary::exp: return std::exp(x);
    case Unary::log: return std::log(x);
    case Unary::sqrt: return std::sqrt(x);
    case Unary::square: return x * x;
    case Unary::abs: return std::fabs(x);
    case Unary::reciprocal: return 1 / x;
    case Unary::power: return std::pow(x, a);
    case Unary::clamp: return x < a ? a : x > b ? b : x;
    case Unary::relu: return x <= 0 ? 0 : x;
    case Unary::leaky_relu: return x > 0 ? x : a * x;
    case Unary::elu: return x > 0 ? x : a * std::expm1(x);
    case Unary::sigmoid: return sigmoid(x);
    case Unary::tanh: return std::tanh(x);
    case Unary::softplus: return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
    case Unary::gelu: return x * normal_cdf(x);
    case Unary::silu: return x * sigmoid(x);
  }
  return 0;
}

double slope(Unary op, double x, double a, double b) {
  switch (op) {
    case Unary::affine: return a;
    case Unary::exp: return std::exp(x);
    case Unary::log: return 1 / x;
    case Unary::sqrt: return 0.5 / std::sqrt(x);
    case Unary::square: return 2 * x;
    case Unary::abs: return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary::reciprocal: return -1 / (x * x);
    case Unary::power: return a == 0 ? 0 : a * std::pow(x, a - 1);
    case Unary::clamp: return x >= a && x <= b ? 1 : 0;
    case Unary::relu: return x <= 0 ? 0 : 1;
    case Unary::leaky_relu: return x > 0 ? 1 : a;
    case Unary::elu: return x > 0 ? 1 : a * std::exp(x);
    case Unary::sigmoid: return sigmoid(x) * sigmoid(-x);
    case Unary::tanh: return 1 - std::tanh(x) * std::tanh(x);
    case Unary::softplus: return sigmoid(x);
    case Unary::gelu: return normal_cdf(x) + x * normal_density(x);
    case Unary::silu: return sigmoid(x) * (1 + x * sigmoid(-x));
  }
  return 0;
}

double combine(Binary op, double a, double b) {
  switch (op) {
    case Binary::add: return a + b;
    case Binary::sub: return a - b;
    case Binary::mul: return a * b;
    case Binary::div: return a / b;
    case Binary::maximum: return std::isnan(a) || a > b ? a : b;
    case Binary::minimum: return std::isnan(a) || a < b ? a : b;
    case Binary::at_least: return std::isnan(a) || a >= b;
    case Binary::at_most: return std::isnan(a) || a <= b;
    case Binary::equal: return a == b || (std::isnan(a) && std::isnan(b));
  }
  return 0;
}

}  // namespace

void unary(Unary op, const View& x, const View& y, double a, double b) {
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(y, [&](const int64_t* i) {
      element<T>(y, i) = T(value(op, double(element<T>(x, i)), a, b));
    });
  });
}

void unary_backward(Unary op, const View& x, const View&, const View& dy, const View& dx, double a,
                    double b) {
  dispatch_floating(dx.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(dx, [&](const int64_t* i) {
      element<T>(dx, i) = T(double(element<T>(dy, i)) * slope(op, double(element<T>(x, i)), a, b));
    });
  });
}

void binary(Binary op, const View& a, const View& b, const View& y) {
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(y, [&](const int64_t* i) {
      element<T>(y, i) = T(combine(op, double(element<T>(a, i)), double(element<T>(b, i))));
    });
  });
}

}  // namespace clade::kernels::reference

#include "autograd/gradient_check.h"

#include <algorithm>
#include <cmath>

namespace clade::detail {
namespace {

double weighted_sum(const Tensor& y, const std::vector<double>& weights) {
  std::vector<double> values = y.to_vector<double>();
  double sum = 0;
  for (size_t i = 0; i < values.size(); i++) sum += values[i] * weights[i];
  return sum;
}

// The address of element i, in row-major order, of a tensor of any strides.
double* element(const Tensor& t, int64_t i) {
  const View& v = t.view();
  double* p = v.as<double>();
  for (int d = v.rank - 1; d >= 0; d--) {
    p += i % v.shape[d] * v.stride[d];
    i /= v.shape[d];
  }
  return p;
}

}  // namespace

GradientCheck check_gradient(const std::vector<Tensor>& inputs,
                             const std::vector<bool>& differentiable, Apply apply, void* context,
                             Random rng) {
  const double h = 1e-5;
  std::vector<Var> vars;
  for (size_t i = 0; i < inputs.size(); i++)
    vars.push_back(differentiable[i] ? Var::parameter(inputs[i]) : Var(inputs[i]));

  Var y = apply(context, vars);
  Tensor weights = randn(y.shape(), rng, DType::f64);
  std::vector<double> r = weights.to_vector<double>();
  if (y.requires_grad()) backward(y, weights);

  GradientCheck result;
  NoGrad no_grad;
  for (size_t i = 0; i < inputs.size(); i++) {
    if (!differentiable[i]) continue;
    int64_t n = inputs[i].numel();
    std::vector<double> numeric(static_cast<size_t>(n)), analytic(static_cast<size_t>(n), 0.0);
    if (vars[i].grad().defined()) analytic = vars[i].grad().to_vector<double>();
    for (int64_t e = 0; e < n; e++) {
      double* x = element(inputs[i], e);
      double at = *x;
      *x = at + h;
      double up = weighted_sum(apply(context, vars).value(), r);
      *x = at - h;
      double down = weighted_sum(apply(context, vars).value(), r);
      *x = at;
      numeric[size_t(e)] = (up - down) / (2 * h);
    }
    double scale = 1;
    for (double v : numeric) scale = std::max(scale, std::abs(v));
    for (int64_t e = 0; e < n; e++) {
      double error = std::abs(analytic[size_t(e)] - numeric[size_t(e)]) / scale;
      if (error > result.error || std::isnan(error)) {
        result.error = std::isnan(error) ? INFINITY : error;
        result.worst = text("input ", i, " at ", e, ": ", analytic[size_t(e)], ", numerically ",
                            numeric[size_t(e)]);
      }
    }
  }
  return result;
}

}  // namespace clade::detail

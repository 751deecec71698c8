#include "models/likelihood.h"

#include <cmath>

#include "autograd/functions.h"
#include "tensor/parallel.h"

namespace clade::models {
namespace {

constexpr double kLeastLogvar = -6, kMostLogvar = 2;
constexpr double kLeastScale = 1e-3, kLeastFreedom = 3;

// Block i of P along axis 1.
Var block(const Var& h, int64_t i, int64_t blocks) {
  const int64_t size = h.size(1) / blocks;
  return blocks == 1 ? h : slice(h, 1, i * size, (i + 1) * size);
}

Var logvar_of(const Var& h) { return clamp(block(h, 1, 2), kLeastLogvar, kMostLogvar); }
Var scale_of(const Var& h) { return softplus(block(h, 1, 3)) + kLeastScale; }
Var freedom_of(const Var& h) { return softplus(block(h, 2, 3)) + kLeastFreedom; }

// Chi-squared with f degrees of freedom, by Marsaglia and Tsang (ACM Trans. Math. Software 26,
// 2000), f >= 3: Gamma(a) with a = f / 2, twice. Draws from stream `rng`.
double chi_squared(double f, const Random& rng) {
  const double d = f / 2 - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (uint64_t i = 0;; i++) {
    const double x = rng.normal_at(2 * i), v = std::pow(1 + c * x, 3);
    if (v > 0 &&
        std::log(rng.uniform_at(2 * i + 1) + 1e-300) < x * x / 2 + d - d * v + d * std::log(v))
      return 2 * d * v;
  }
}

}  // namespace

Likelihood likelihood_of(const std::string& word) {
  if (word == "bernoulli") return Likelihood::bernoulli;
  if (word == "gaussian") return Likelihood::gaussian;
  if (word == "student") return Likelihood::student_t;
  fail("likelihood", "bernoulli, gaussian or student", text("'", word, "'"));
}

int64_t numbers_a_value(Likelihood l) {
  return l == Likelihood::bernoulli ? 1 : l == Likelihood::gaussian ? 2 : 3;
}

Var log_likelihood(Likelihood l, const Var& h, const Tensor& x, const Tensor& mask) {
  switch (l) {
    case Likelihood::bernoulli: return -bce_with_logits(h, x, mask);
    case Likelihood::gaussian:
      return gaussian_log_likelihood(x, block(h, 0, 2), logvar_of(h), mask);
    default: return student_t_log_likelihood(x, block(h, 0, 3), scale_of(h), freedom_of(h), mask);
  }
}

Tensor expectation(Likelihood l, const Tensor& h) {
  const Var mean = block(h, 0, numbers_a_value(l));
  return l == Likelihood::bernoulli ? sigmoid(mean).value() : mean.value();
}

Tensor draw(Likelihood l, const Tensor& h, Random& rng) {
  NoGrad no_grad;
  if (!h.device().is_cpu()) return draw(l, h.to(Device::cpu()), rng).to(h.device());
  const Tensor mean = expectation(l, h).contiguous();
  const Random own(rng.seed(), rng.stream());
  const uint64_t first = rng.take(mean.numel());
  Tensor scale, freedom, out = Tensor::empty(mean.shape());
  if (l == Likelihood::gaussian) scale = exp(0.5 * logvar_of(h)).value().contiguous();
  if (l == Likelihood::student_t) {
    scale = scale_of(h).value().contiguous();
    freedom = freedom_of(h).value().contiguous();
  }
  parallel_for(out.numel(), 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const double m = double(mean.data<float>()[i]);
      const uint64_t at = first + uint64_t(i);
      double value;
      if (l == Likelihood::bernoulli) {
        value = own.uniform_at(at) < m;
      } else {
        value = double(scale.data<float>()[i]) * own.normal_at(at);
        if (l == Likelihood::student_t) {
          const double f = double(freedom.data<float>()[i]);
          value /= std::sqrt(chi_squared(f, own.fork(at)) / f);
        }
        value += m;
      }
      out.data<float>()[i] = float(value);
    }
  });
  return out;
}

}  // namespace clade::models

// loss.h as written there, one element at a time, in f64.
#include "kernels/loss/loss.h"

#include <cmath>

#include "kernels/elementwise/index.h"
#include "tensor/memory.h"

namespace clade::kernels::reference {
namespace {

// The weight of an element, 1 without a mask.
template <class T>
double weight(const View& mask, const int64_t* i) {
  return mask.data ? double(element<T>(mask, i)) : 1;
}

// out[n] = sum of m * term(at) where m is not 0; at(view) reads the element of a view.
template <class Term>
void sum_samples(const View& x, const View& mask, const View& out, Term term) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<double> sum(out.shape[0]);
    for (int64_t n = 0; n < out.shape[0]; n++) sum[n] = 0;
    for_each_index(x, [&](const int64_t* i) {
      double m = weight<T>(mask, i);
      if (m != 0) sum[i[0]] += m * term([&](const View& v) { return double(element<T>(v, i)); });
    });
    for (int64_t n = 0; n < out.shape[0]; n++) out.as<T>()[n] = T(sum[n]);
  });
}

// d = dout[n] * m * slope(at) where m is not 0, else 0.
template <class Slope>
void spread(const View& mask, const View& dout, const View& d, Slope slope) {
  dispatch_floating(d.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(d, [&](const int64_t* i) {
      double m = weight<T>(mask, i);
      auto at = [&](const View& v) { return double(element<T>(v, i)); };
      element<T>(d, i) = m == 0 ? T(0) : T(double(element<T>(dout, i)) * m * slope(at));
    });
  });
}

double sigmoid(double a) { return 1 / (1 + std::exp(-a)); }
double squared(double v) { return v * v; }
// The derivative of ln Gamma, by its recurrence up to 20 and its asymptotic series.
double digamma(double a) {
  double sum = 0;
  for (; a < 20; a++) sum -= 1 / a;
  const double s = 1 / (a * a);
  return sum + std::log(a) - 1 / (2 * a) -
         s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s / 240)));
}

}  // namespace

void squared_error(const View& xhat, const View& x, const View& mask, const View& out) {
  sum_samples(xhat, mask, out, [&](auto at) { return squared(at(xhat) - at(x)); });
}

void squared_error_backward(const View& xhat, const View& x, const View& mask, const View& dout,
                            const View& dxhat) {
  spread(mask, dout, dxhat, [&](auto at) { return 2 * (at(xhat) - at(x)); });
}

void bce_with_logits(const View& logits, const View& x, const View& mask, const View& out) {
  sum_samples(logits, mask, out, [&](auto at) {
    double a = at(logits);
    return std::fmax(a, 0) - a * at(x) + std::log1p(std::exp(-std::fabs(a)));
  });
}

void bce_with_logits_backward(const View& logits, const View& x, const View& mask, const View& dout,
                              const View& dlogits) {
  spread(mask, dout, dlogits, [&](auto at) { return sigmoid(at(logits)) - at(x); });
}

void gaussian_log_likelihood(const View& x, const View& mean, const View& logvar, const View& mask,
                             const View& out) {
  sum_samples(x, mask, out, [&](auto at) {
    return -0.5 *
           (std::log(2 * M_PI) + at(logvar) + squared(at(x) - at(mean)) * std::exp(-at(logvar)));
  });
}

void gaussian_log_likelihood_backward(const View& x, const View& mean, const View& logvar,
                                      const View& mask, const View& dout, const View& dx,
                                      const View& dmean, const View& dlogvar) {
  auto pull = [&](auto at) { return (at(x) - at(mean)) * std::exp(-at(logvar)); };
  spread(mask, dout, dx, [&](auto at) { return -pull(at); });
  spread(mask, dout, dmean, pull);
  spread(mask, dout, dlogvar, [&](auto at) { return -0.5 + 0.5 * pull(at) * (at(x) - at(mean)); });
}

void student_t_log_likelihood(const View& x, const View& mean, const View& scale, const View& df,
                              const View& mask, const View& out) {
  sum_samples(x, mask, out, [&](auto at) {
    const double s = at(scale), f = at(df), q = squared((at(x) - at(mean)) / s) / f;
    return std::lgamma((f + 1) / 2) - std::lgamma(f / 2) - std::log(M_PI * f) / 2 - std::log(s) -
           (f + 1) / 2 * std::log1p(q);
  });
}

void student_t_log_likelihood_backward(const View& x, const View& mean, const View& scale,
                                       const View& df, const View& mask, const View& dout,
                                       const View& dmean, const View& dscale, const View& ddf) {
  auto r = [&](auto at) { return (at(x) - at(mean)) / at(scale); };
  auto q = [&](auto at) { return squared(r(at)) / at(df); };
  spread(mask, dout, dmean,
         [&](auto at) { return (at(df) + 1) * r(at) / (at(scale) * at(df) * (1 + q(at))); });
  spread(mask, dout, dscale,
         [&](auto at) { return ((at(df) + 1) * q(at) / (1 + q(at)) - 1) / at(scale); });
  spread(mask, dout, ddf, [&](auto at) {
    const double f = at(df);
    return (digamma((f + 1) / 2) - digamma(f / 2) - 1 / f - std::log1p(q(at)) +
            (f + 1) / f * q(at) / (1 + q(at))) /
           2;
  });
}

void kl_standard_normal(const View& mean, const View& logvar, const View& out) {
  sum_samples(mean, View{}, out, [&](auto at) {
    return 0.5 * (squared(at(mean)) + std::exp(at(logvar)) - at(logvar) - 1);
  });
}

void kl_standard_normal_backward(const View& mean, const View& logvar, const View& dout,
                                 const View& dmean, const View& dlogvar) {
  spread(View{}, dout, dmean, [&](auto at) { return at(mean); });
  spread(View{}, dout, dlogvar, [&](auto at) { return 0.5 * (std::exp(at(logvar)) - 1); });
}

}  // namespace clade::kernels::reference

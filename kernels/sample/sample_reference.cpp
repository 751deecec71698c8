// sample.h as written there, one element at a time, in f64.
#include "kernels/sample/sample.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/philox.h"

namespace clade::kernels::reference {
namespace {

double normal(const Draw& draw, int64_t i) {
  const uint64_t at = draw.first + uint64_t(i);
  float z[4];
  normal_block(philox(at / 4, draw.stream, draw.seed), z);
  return double(z[at % 4]);
}

}  // namespace

void reparameterize(const View& mean, const View& logvar, const Draw& draw, const View& z) {
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < z.numel(); i++) {
      const int64_t j = i % mean.numel();
      z.as<T>()[i] =
          T(double(mean.as<T>()[j]) + std::exp(double(logvar.as<T>()[j]) / 2) * normal(draw, i));
    }
  });
}

void reparameterize_backward(const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar) {
  dispatch_floating(dz.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t j = 0; j < dmean.numel(); j++) {
      double sum = 0, pull = 0;
      for (int64_t i = j; i < dz.numel(); i += dmean.numel()) {
        sum += double(dz.as<T>()[i]);
        pull += double(dz.as<T>()[i]) * normal(draw, i);
      }
      dmean.as<T>()[j] = T(sum);
      dlogvar.as<T>()[j] = T(pull * std::exp(double(logvar.as<T>()[j]) / 2) / 2);
    }
  });
}

void dropout(const View& x, double p, const Draw& draw, const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < x.numel(); i++) {
      float u = unit_float(philox_word(draw.seed, draw.stream, draw.first + uint64_t(i)));
      y.as<T>()[i] = double(u) < p ? T(0) : T(double(x.as<T>()[i]) / (1 - p));
    }
  });
}

void importance_weights(const View& log_w, const View& bound, const View& weight,
                        const View& effective) {
  dispatch_floating(log_w.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t k = log_w.shape[0], n = log_w.shape[1];
    for (int64_t j = 0; j < n; j++) {
      auto log_weight = [&](int64_t i) { return double(log_w.as<T>()[i * n + j]); };
      double largest = -std::numeric_limits<double>::infinity(), sum = 0, squares = 0;
      for (int64_t i = 0; i < k; i++) largest = std::max(largest, log_weight(i));
      const double shift = std::isinf(largest) ? 0 : largest;
      for (int64_t i = 0; i < k; i++) sum += std::exp(log_weight(i) - shift);
      for (int64_t i = 0; i < k; i++) {
        double w = sum == 0 ? 0 : std::exp(log_weight(i) - shift) / sum;
        weight.as<T>()[i * n + j] = T(w);
        squares += w * w;
      }
      bound.as<T>()[j] = T(shift + std::log(sum) - std::log(double(k)));
      effective.as<T>()[j] = T(squares == 0 ? 0 : 1 / squares);
    }
  });
}

void log_prior_ratio(const View& z, const View& mean, const View& logvar, const View& out) {
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t d = mean.shape[1];
    for (int64_t row = 0; row < out.numel(); row++) {
      double sum = 0;
      for (int64_t i = row * d; i < (row + 1) * d; i++) {
        const int64_t j = i % mean.numel();
        const double at = double(z.as<T>()[i]), v = double(logvar.as<T>()[j]);
        const double off = at - double(mean.as<T>()[j]);
        sum += (v + off * off * std::exp(-v) - at * at) / 2;
      }
      out.as<T>()[row] = T(sum);
    }
  });
}

void log_prior_ratio_backward(const View& z, const View& mean, const View& logvar, const View& dout,
                              const View& dz, const View& dmean, const View& dlogvar) {
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t j = 0; j < mean.numel(); j++) {
      double to_mean = 0, to_logvar = 0;
      for (int64_t i = j; i < z.numel(); i += mean.numel()) {
        const double at = double(z.as<T>()[i]), off = at - double(mean.as<T>()[j]);
        const double pull = off * std::exp(-double(logvar.as<T>()[j]));
        const double d = double(dout.as<T>()[i / mean.shape[1]]);
        dz.as<T>()[i] = T(d * (pull - at));
        to_mean -= d * pull;
        to_logvar += d * (1 - off * pull) / 2;
      }
      dmean.as<T>()[j] = T(to_mean);
      dlogvar.as<T>()[j] = T(to_logvar);
    }
  });
}

}  // namespace clade::kernels::reference

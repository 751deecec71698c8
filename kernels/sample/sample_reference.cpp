#include <algorithm>
#include <cmath>

#include "kernels/sample/sample.h"
#include "tensor/philox.h"

namespace clade::kernels::reference {
namespace {

// Draw i of the stream as a normal: one block of four for one number, the plain way.
double normal(const Draw& draw, int64_t i) {
  uint64_t at = draw.first + uint64_t(i);
  float z[4];
  normal_block(philox(at / 4, draw.stream, draw.seed), z);
  return double(z[at % 4]);
}

}  // namespace

void reparameterize(const View& mean, const View& logvar, const Draw& draw, const View& z) {
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    int64_t n = mean.numel();
    for (int64_t i = 0; i < z.numel(); i++)
      z.as<T>()[i] = T(double(mean.as<T>()[i % n]) +
                       std::exp(double(logvar.as<T>()[i % n]) / 2) * normal(draw, i));
  });
}

void reparameterize_backward(const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar) {
  dispatch_floating(dz.dtype, [&](auto zero) {
    using T = decltype(zero);
    int64_t n = logvar.numel();
    for (int64_t i = 0; i < n; i++) {
      double sum = 0, weighted = 0;
      for (int64_t k = i; k < dz.numel(); k += n) {
        sum += double(dz.as<T>()[k]);
        weighted += double(dz.as<T>()[k]) * normal(draw, k);
      }
      dmean.as<T>()[i] = T(sum);
      dlogvar.as<T>()[i] = T(weighted * std::exp(double(logvar.as<T>()[i]) / 2) / 2);
    }
  });
}

void dropout(const View& x, double p, const Draw& draw, const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < x.numel(); i++) {
      bool keep =
          double(unit_float(philox_word(draw.seed, draw.stream, draw.first + uint64_t(i)))) >= p;
      y.as<T>()[i] = keep ? T(double(x.as<T>()[i]) / (1 - p)) : T(0);
    }
  });
}

void importance_weights(const View& log_w, const View& bound, const View& weight,
                        const View& effective) {
  dispatch_floating(log_w.dtype, [&](auto zero) {
    using T = decltype(zero);
    int64_t samples = log_w.shape[0], n = log_w.shape[1];
    for (int64_t i = 0; i < n; i++) {
      double largest = -INFINITY, sum = 0, squares = 0;
      for (int64_t k = 0; k < samples; k++)
        largest = std::max(largest, double(log_w.as<T>()[k * n + i]));
      for (int64_t k = 0; k < samples; k++)
        sum += std::exp(double(log_w.as<T>()[k * n + i]) - largest);
      for (int64_t k = 0; k < samples; k++) {
        double w = std::exp(double(log_w.as<T>()[k * n + i]) - largest) / sum;
        weight.as<T>()[k * n + i] = T(w);
        squares += w * w;
      }
      bound.as<T>()[i] = T(largest + std::log(sum) - std::log(double(samples)));
      effective.as<T>()[i] = T(1 / squares);
    }
  });
}

}  // namespace clade::kernels::reference

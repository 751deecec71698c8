// norm.h as written there: two passes for the variance, sums in f64, channel by channel.
#include "kernels/norm/norm.h"

#include <cmath>

#include "kernels/elementwise/index.h"

namespace clade::kernels::reference {
namespace {

// Calls body(index) for every element of channel c.
template <class Body>
void for_each_of_channel(const View& x, int64_t c, Body body) {
  for_each_index(x, [&](const int64_t* i) {
    if (i[1] == c) body(i);
  });
}

struct Statistics {
  double mean, inv_std, offset;  // of a channel: v = (x - mean) gamma inv_std + offset
};

double activated(double v, double slope) { return v > 0 ? v : slope * v; }

// The gradient, given the statistics that the forward pass used.
template <class T, class StatisticsOf>
void backward(const View& x, const View& dy, const View& gamma, StatisticsOf statistics,
              bool through_statistics, double slope, const View& dx, const View& dgamma,
              const View& dbeta) {
  for (int64_t c = 0; c < x.shape[1]; c++) {
    const Statistics s = statistics(c);
    const double scale = double(element<T>(gamma, &c)) * s.inv_std;
    auto xhat = [&](const int64_t* i) { return (double(element<T>(x, i)) - s.mean) * s.inv_std; };
    auto dv = [&](const int64_t* i) {
      const double v = (double(element<T>(x, i)) - s.mean) * scale + s.offset;
      return double(element<T>(dy, i)) * (v > 0 ? 1 : slope);
    };
    double m = double(x.numel() / x.shape[1]), sum = 0, dot = 0;
    for_each_of_channel(x, c, [&](const int64_t* i) {
      sum += dv(i);
      dot += dv(i) * xhat(i);
    });
    for_each_of_channel(x, c, [&](const int64_t* i) {
      double through = through_statistics ? sum / m + xhat(i) * dot / m : 0;
      element<T>(dx, i) = T(scale * (dv(i) - through));
    });
    element<T>(dgamma, &c) = T(dot);
    element<T>(dbeta, &c) = T(sum);
  }
}

}  // namespace

void batch_norm_training(const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         double slope, const View& y, const View& mean, const View& inv_std,
                         const View& offset) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t c = 0; c < x.shape[1]; c++) {
      double m = double(x.numel() / x.shape[1]), average = 0, var = 0;
      for_each_of_channel(x, c, [&](const int64_t* i) { average += double(element<T>(x, i)) / m; });
      for_each_of_channel(x, c, [&](const int64_t* i) {
        double d = double(element<T>(x, i)) - average;
        var += d * d / m;
      });
      double inv = 1 / std::sqrt(var + eps), scale = inv * double(element<T>(gamma, &c));
      for_each_of_channel(x, c, [&](const int64_t* i) {
        double v = (double(element<T>(x, i)) - average) * scale + double(element<T>(beta, &c));
        element<T>(y, i) = T(activated(v, slope));
      });
      element<T>(mean, &c) = T(average);
      element<T>(inv_std, &c) = T(inv);
      element<T>(offset, &c) =
          T(double(element<T>(beta, &c)) + (double(T(average)) - average) * scale);
      if (running_mean.data) {
        T &rm = element<T>(running_mean, &c), &rv = element<T>(running_var, &c);
        rm = T((1 - momentum) * double(rm) + momentum * average);
        rv = T((1 - momentum) * double(rv) + momentum * var * (m > 1 ? m / (m - 1) : 1));
      }
    }
  });
}

void batch_norm_training_backward(const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& offset,
                                  double slope, const View& dx, const View& dgamma,
                                  const View& dbeta) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto batch = [&](int64_t c) {
      return Statistics{double(element<T>(mean, &c)), double(element<T>(inv_std, &c)),
                        double(element<T>(offset, &c))};
    };
    backward<T>(x, dy, gamma, batch, true, slope, dx, dgamma, dbeta);
  });
}

void batch_norm_evaluation(const View& x, const View& gamma, const View& beta, double eps,
                           const View& running_mean, const View& running_var, double slope,
                           const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(x, [&](const int64_t* i) {
      const int64_t* c = i + 1;
      double centred = double(element<T>(x, i)) - double(element<T>(running_mean, c));
      double deviation = std::sqrt(double(element<T>(running_var, c)) + eps);
      double v = centred / deviation * double(element<T>(gamma, c)) + double(element<T>(beta, c));
      element<T>(y, i) = T(activated(v, slope));
    });
  });
}

void batch_norm_evaluation_backward(const View& x, const View& dy, const View& gamma,
                                    const View& beta, double eps, const View& running_mean,
                                    const View& running_var, double slope, const View& dx,
                                    const View& dgamma, const View& dbeta) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto running = [&](int64_t c) {
      return Statistics{double(element<T>(running_mean, &c)),
                        1 / std::sqrt(double(element<T>(running_var, &c)) + eps),
                        double(element<T>(beta, &c))};
    };
    backward<T>(x, dy, gamma, running, false, slope, dx, dgamma, dbeta);
  });
}

}  // namespace clade::kernels::reference

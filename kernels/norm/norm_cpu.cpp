// Batch normalisation on the CPU. (N, C) and channels-last images are both M rows of C channels.
//
// A row of few channels is too short for a vector loop, so g rows are read as one strip of
// g C >= 32 lanes; lane i belongs to channel i mod C in every strip, as g C is a multiple of C.
// Sums keep one f64 number per lane and chunk of rows, in memory order; the lanes and then the
// chunks are joined in order. Values are shifted by the channel's first element before they are
// squared, so that a large mean does not cancel the variance: var = E[d^2] - E[d]^2 with d = x -
// x_0.
#include "kernels/norm/norm.h"

#include <algorithm>
#include <cmath>

#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

// How the M x C numbers are cut: this depends on M and C alone.
struct Strips {
  explicit Strips(const View& x) : c(x.shape[1]), numel(x.numel()) {
    m = c ? numel / c : 0;
    lanes = c * ((31 + c) / std::max<int64_t>(c, 1));
    // About 32,768 elements a chunk, but 64 strips at least: its sums must be few beside it.
    chunk =
        std::max<int64_t>(1, lanes * std::max<int64_t>(64, 32768 / std::max<int64_t>(lanes, 1)));
  }

  // Calls body(i, n) for the strips of all elements: n lanes from element i on; n is less than
  // `lanes` only at the very end.
  template <class Body>
  void each(Body body) const {
    parallel_for(numel, chunk, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        for (int64_t i = begin; i < end; i += lanes) body(i, std::min(lanes, end - i));
      });
    });
  }

  int64_t c, numel, m;
  int64_t lanes;  // elements in a strip: whole rows, 32 lanes or more
  int64_t chunk;  // elements in a chunk: whole strips
};

// One value per channel, repeated over the lanes.
template <class T>
class LaneTable {
 public:
  template <class Value>
  LaneTable(const Strips& s, Value value) : values_(s.lanes) {
    for (int64_t i = 0; i < s.lanes; i++) values_[i] = i < s.c ? T(value(i)) : values_[i - s.c];
  }
  const T* data() { return values_.data(); }

 private:
  Scratch<T> values_;
};

struct TwoSums {
  explicit TwoSums(int64_t channels) : first(channels), second(channels) {}
  Scratch<double> first, second;  // one per channel
};

// add(i, n, a, b) adds the terms of elements i .. i + n - 1 to the lanes a and b.
template <class Add>
void sum_channels(const Strips& s, TwoSums& sums, Add add) {
  const int64_t chunks = (s.numel + s.chunk - 1) / s.chunk, lanes = s.lanes;
  Scratch<double> partial(chunks * 2 * lanes);
  std::fill_n(partial.data(), chunks * 2 * lanes, 0.0);
  s.each([&](int64_t i, int64_t n) {
    double* a = partial.data() + i / s.chunk * 2 * lanes;
    add(i, n, a, a + lanes);
  });
  std::fill_n(sums.first.data(), s.c, 0.0);
  std::fill_n(sums.second.data(), s.c, 0.0);
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    const double* a = partial.data() + chunk * 2 * lanes;
    for (int64_t lane = 0, c = 0; lane < lanes; lane++, c = c + 1 == s.c ? 0 : c + 1) {
      sums.first[c] += a[lane];
      sums.second[c] += a[lanes + lane];
    }
  }
}

// first = sum of x - shift, second = sum of (x - shift)^2.
template <class T>
void sum_values(const Strips& s, const T* x, const double* shift, TwoSums& sums) {
  sum_channels(s, sums, [&](int64_t i, int64_t n, double* a, double* b) {
    const T* xi = x + i;
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) {
      const double d = double(xi[l]) - shift[l];
      a[l] += d;
      b[l] += d * d;
    }
  });
}

// first = sum of dy, second = sum of dy (x - mean).
template <class T>
void sum_gradients(const Strips& s, const T* x, const T* dy, const double* mean, TwoSums& sums) {
  sum_channels(s, sums, [&](int64_t i, int64_t n, double* a, double* b) {
    const T *xi = x + i, *dyi = dy + i;
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) {
      const double d = double(dyi[l]);
      a[l] += d;
      b[l] += d * (double(xi[l]) - mean[l]);
    }
  });
}

// y = (x - mean) scale + beta
template <class T>
void normalise(const Strips& s, const T* x, const T* mean, const T* scale, const T* beta, T* y) {
  s.each([&](int64_t i, int64_t n) {
    const T* xi = x + i;
    T* yi = y + i;
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) yi[l] = (xi[l] - mean[l]) * scale[l] + beta[l];
  });
}

// What both backward passes share: with u = x - mean,
//     dbeta = sum dy,  dgamma = inv_std sum dy u,  dx = gamma inv_std dy + slope u + offset,
// where slope = -gamma inv_std^2 dgamma / M and offset = -gamma inv_std dbeta / M carry the
// gradient through the batch's statistics, and are 0 in evaluation.
template <class T, class Mean, class InvStd>
void backward(const View& x, const View& dy, const View& gamma, Mean mean, InvStd inv_std,
              bool through_statistics, const View& dx, const View& dgamma, const View& dbeta) {
  const Strips s(x);
  TwoSums sums(s.c);
  LaneTable<double> centre(s, mean);
  sum_gradients(s, x.as<const T>(), dy.as<const T>(), centre.data(), sums);
  for (int64_t c = 0; c < s.c; c++) {
    dbeta.as<T>()[c] = T(sums.first[c]);
    dgamma.as<T>()[c] = T(sums.second[c] * inv_std(c));
  }
  auto scale_of = [&](int64_t c) { return double(gamma.as<T>()[c]) * inv_std(c); };
  const double share = through_statistics ? -1.0 / double(s.m) : 0;
  LaneTable<T> scales(s, scale_of), means(s, mean);
  LaneTable<T> slopes(
      s, [&](int64_t c) { return share * scale_of(c) * inv_std(c) * inv_std(c) * sums.second[c]; });
  LaneTable<T> offsets(s, [&](int64_t c) { return share * scale_of(c) * sums.first[c]; });
  const T *centred = means.data(), *scale = scales.data(), *slope = slopes.data(),
          *offset = offsets.data();
  s.each([&](int64_t i, int64_t n) {
    const T *xi = x.as<const T>() + i, *dyi = dy.as<const T>() + i;
    T* dxi = dx.as<T>() + i;
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++)
      dxi[l] = scale[l] * dyi[l] + (slope[l] * (xi[l] - centred[l]) + offset[l]);
  });
}

// Reads or writes of an image-sized array, in bytes.
double passes(const View& x, int count) {
  return double(count) * double(x.numel()) * double(size_of(x.dtype));
}

}  // namespace

void batch_norm_training(const Cpu&, const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         const View& y, const View& mean, const View& inv_std) {
  profiler::Span span("batch_norm_training", 7 * double(x.numel()), passes(x, 3));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Strips s(x);
    if (s.numel == 0) return;
    TwoSums sums(s.c);
    LaneTable<double> shift(s, [&](int64_t c) { return double(x.as<T>()[c]); });  // the first row
    sum_values(s, x.as<const T>(), shift.data(), sums);
    Scratch<double> means(s.c), inv_stds(s.c);
    const double m = double(s.m);
    for (int64_t c = 0; c < s.c; c++) {
      const double moved = sums.first[c] / m, rough = sums.second[c] / m - moved * moved;
      const double var = rough < 0 ? 0 : rough;  // rounding may leave -0.0000...1
      means[c] = shift.data()[c] + moved;
      inv_stds[c] = 1 / std::sqrt(var + eps);
      mean.as<T>()[c] = T(means[c]);
      inv_std.as<T>()[c] = T(inv_stds[c]);
      if (running_mean.data) {
        const double unbiased = s.m > 1 ? var * m / (m - 1) : var;
        T &rm = running_mean.as<T>()[c], &rv = running_var.as<T>()[c];
        rm = T((1 - momentum) * double(rm) + momentum * means[c]);
        rv = T((1 - momentum) * double(rv) + momentum * unbiased);
      }
    }
    LaneTable<T> centre(s, [&](int64_t c) { return means[c]; });
    LaneTable<T> scale(s, [&](int64_t c) { return double(gamma.as<T>()[c]) * inv_stds[c]; });
    // x - centre is nearly exact; what rounding took from the mean is given back here.
    LaneTable<T> offset(s, [&](int64_t c) {
      const double lost = double(centre.data()[c]) - means[c];
      return double(beta.as<T>()[c]) + lost * double(gamma.as<T>()[c]) * inv_stds[c];
    });
    normalise(s, x.as<const T>(), centre.data(), scale.data(), offset.data(), y.as<T>());
  });
}

void batch_norm_training_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& dx,
                                  const View& dgamma, const View& dbeta) {
  profiler::Span span("batch_norm_training_backward", 9 * double(x.numel()), passes(x, 5));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto batch_mean = [&](int64_t c) { return double(mean.as<T>()[c]); };
    auto batch_inv_std = [&](int64_t c) { return double(inv_std.as<T>()[c]); };
    backward<T>(x, dy, gamma, batch_mean, batch_inv_std, true, dx, dgamma, dbeta);
  });
}

void batch_norm_evaluation(const Cpu&, const View& x, const View& gamma, const View& beta,
                           double eps, const View& running_mean, const View& running_var,
                           const View& y) {
  profiler::Span span("batch_norm_evaluation", 3 * double(x.numel()), passes(x, 2));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Strips s(x);
    LaneTable<T> centre(s, [&](int64_t c) { return running_mean.as<T>()[c]; });
    LaneTable<T> scale(s, [&](int64_t c) {
      return double(gamma.as<T>()[c]) / std::sqrt(double(running_var.as<T>()[c]) + eps);
    });
    LaneTable<T> offset(s, [&](int64_t c) { return beta.as<T>()[c]; });
    normalise(s, x.as<const T>(), centre.data(), scale.data(), offset.data(), y.as<T>());
  });
}

void batch_norm_evaluation_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                    double eps, const View& running_mean, const View& running_var,
                                    const View& dx, const View& dgamma, const View& dbeta) {
  profiler::Span span("batch_norm_evaluation_backward", 9 * double(x.numel()), passes(x, 5));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto mean = [&](int64_t c) { return double(running_mean.as<T>()[c]); };
    auto inv_std = [&](int64_t c) { return 1 / std::sqrt(double(running_var.as<T>()[c]) + eps); };
    backward<T>(x, dy, gamma, mean, inv_std, false, dx, dgamma, dbeta);
  });
}

}  // namespace clade::kernels

// Batch normalisation on the CPU. (N, C) and channels-last images are both M rows of C channels.
//
// A row of few channels is too short for a vector loop, so g rows are read as one strip of
// g C >= 128 lanes; lane i belongs to channel i mod C in every strip, as g C is a multiple of C.
// A lane sums up to 32 strips in the data's own type, in memory order, and then hands on to an f64
// number per lane and chunk of rows; the lanes and then the chunks are joined in order. Values are
// shifted by the mean of 32 rows before they are squared, so that a large mean does not cancel the
// variance, var = E[d^2] - E[d]^2 with d = x - shift. Where that shift was far from the mean, the
// sums are taken once more about the mean itself.
#include "kernels/norm/norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/math.h"
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
    lanes = c * ((127 + c) / std::max<int64_t>(c, 1));
    // About 32,768 elements a chunk, but 64 strips at least: its sums must be few beside it.
    chunk =
        std::max<int64_t>(1, lanes * std::max<int64_t>(64, 32768 / std::max<int64_t>(lanes, 1)));
  }

  // Calls body(i, n) for the strips of all elements: n lanes from element i on; n is less than
  // `lanes` only at the very end. From the last chunk to the first: what the sums before have read
  // last is still in a cache.
  template <class Body>
  void each(Body body) const {
    const int64_t chunks = (numel + chunk - 1) / chunk;
    parallel_for(chunks, 1, [&](int64_t first, int64_t last) {
      for (int64_t index = chunks - last; index < chunks - first; index++) {
        const int64_t begin = index * chunk, end = std::min(numel, begin + chunk);
        with_vectors([&] {
          for (int64_t i = begin; i < end; i += lanes) body(i, std::min(lanes, end - i));
        });
      }
    });
  }

  int64_t c, numel, m;
  int64_t lanes;  // elements in a strip: whole rows, 128 lanes or more
  int64_t chunk;  // elements in a chunk: whole strips
};

// The processor's own prefetching stops at each page.
template <class T, class... Array>
void fetch_ahead(int64_t i, int64_t n, const T* first, const Array*... more) {
  constexpr int64_t kAhead = 2048, kLine = 64 / sizeof(T);
  for (int64_t l = 0; l < n; l += kLine) {
    __builtin_prefetch((const char*)(first + i + l) + kAhead);
    (__builtin_prefetch((const char*)(more + i + l) + kAhead), ...);
  }
}

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

constexpr int64_t kRun = 32;  // strips that a lane sums in the data's type

// add(i, n, a, b) adds the terms of elements i .. i + n - 1 to the lanes a and b.
template <class T, class Add>
void sum_channels(const Strips& s, TwoSums& sums, Add add) {
  const int64_t chunks = (s.numel + s.chunk - 1) / s.chunk, lanes = s.lanes;
  Scratch<double> partial(chunks * 2 * lanes);
  parallel_for(s.numel, s.chunk, [&](int64_t begin, int64_t end) {
    double* total = partial.data() + begin / s.chunk * 2 * lanes;
    Scratch<T> run(2 * lanes);
    with_vectors([&] {
      T* a = run.data();
      std::fill_n(total, 2 * lanes, 0.0);
      for (int64_t from = begin; from < end; from += kRun * lanes) {
        std::fill_n(a, 2 * lanes, T(0));
        const int64_t to = std::min(end, from + kRun * lanes);
        for (int64_t i = from; i < to; i += lanes) add(i, std::min(lanes, to - i), a, a + lanes);
        for (int64_t l = 0; l < 2 * lanes; l++) total[l] += double(a[l]);
      }
    });
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
void sum_values(const Strips& s, const T* x, const T* shift, TwoSums& sums) {
  sum_channels<T>(s, sums, [&](int64_t i, int64_t n, T* a, T* b) {
    const T* xi = x + i;
    fetch_ahead(i, n, x);
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) {
      const T d = xi[l] - shift[l];
      a[l] += d;
      b[l] += d * d;
    }
  });
}

// The mean and the biased variance of every channel.
struct Moments {
  explicit Moments(int64_t channels) : mean(channels), var(channels) {}
  Scratch<double> mean, var;
};

template <class T>
void moments(const Strips& s, const T* x, Moments& out) {
  const int64_t rows = std::min<int64_t>(s.m, 32), apart = s.m / rows;
  for (int64_t c = 0; c < s.c; c++) {
    double sum = 0;
    for (int64_t row = 0; row < rows; row++) sum += double(x[row * apart * s.c + c]);
    out.mean[c] = sum / double(rows);
  }
  TwoSums sums(s.c);
  for (int attempt = 0; attempt < 2; attempt++) {
    LaneTable<T> shift(s, [&](int64_t c) { return out.mean[c]; });
    sum_values(s, x, shift.data(), sums);
    bool far = false;
    for (int64_t c = 0; c < s.c; c++) {
      const double moved = sums.first[c] / double(s.m);
      const double square = sums.second[c] / double(s.m), var = square - moved * moved;
      far |= var < 0.1 * square;       // then rounding of the squares would tell
      out.var[c] = var < 0 ? 0 : var;  // rounding may leave -0.0000...1
      out.mean[c] = double(shift.data()[c]) + moved;
    }
    if (!far) return;
  }
}

// v = (x - mean) scale + offset, and the activation; the same to the last bit in both directions.
template <class T>
struct Affine {
  const T *mean, *scale, *offset;
  T slope;

  T v(T x, int64_t lane) const { return (x - mean[lane]) * scale[lane] + offset[lane]; }
  T operator()(T x, int64_t lane) const {
    const T value = v(x, lane);
    return math::choose(value > 0, value, slope * value);
  }
  // dy through the activation.
  T gradient(T x, T dy, int64_t lane) const { return math::choose(v(x, lane) > 0, dy, slope * dy); }
};

template <class T>
void normalise(const Strips& s, const T* x, const Affine<T>& affine, T* y) {
  s.each([=](int64_t i, int64_t n) {
    const Affine<T> f = affine;
    const T* xi = x + i;
    T* yi = y + i;
    fetch_ahead(i, n, x, y);
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) yi[l] = f(xi[l], l);
  });
}

// What a backward pass knows of a channel.
struct Channel {
  double mean, inv_std, gamma, offset;
};

// What both backward passes share: with u = x - mean,
//     dbeta = sum dv,  dgamma = inv_std sum dv u,  dx = gamma inv_std dv + slope_u u + constant,
// where slope_u = -gamma inv_std^2 dgamma / M and constant = -gamma inv_std dbeta / M carry the
// gradient through the batch's statistics, and are 0 in evaluation.
template <class T, class ChannelOf>
void backward(const View& x_view, const View& dy_view, ChannelOf channel, bool through_statistics,
              double slope, const View& dx_view, const View& dgamma, const View& dbeta) {
  const Strips s(x_view);
  const T *x = x_view.as<const T>(), *dy = dy_view.as<const T>();
  T* dx = dx_view.as<T>();
  auto scale_of = [&](int64_t c) { return double(T(channel(c).gamma * channel(c).inv_std)); };
  LaneTable<T> means(s, [&](int64_t c) { return channel(c).mean; }), scales(s, scale_of),
      offsets(s, [&](int64_t c) { return channel(c).offset; });
  const Affine<T> affine{means.data(), scales.data(), offsets.data(), T(slope)};

  TwoSums sums(s.c);  // of dv and of dv u
  sum_channels<T>(s, sums, [=](int64_t i, int64_t n, T* a, T* b) {
    const Affine<T> f = affine;
    const T *xi = x + i, *dyi = dy + i;
    fetch_ahead(i, n, x, dy);
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) {
      const T d = f.gradient(xi[l], dyi[l], l);
      a[l] += d;
      b[l] += d * (xi[l] - f.mean[l]);
    }
  });
  for (int64_t c = 0; c < s.c; c++) {
    dbeta.as<T>()[c] = T(sums.first[c]);
    dgamma.as<T>()[c] = T(sums.second[c] * channel(c).inv_std);
  }
  const double share = through_statistics ? -1.0 / double(s.m) : 0;
  LaneTable<T> slopes(s, [&](int64_t c) {
    return share * scale_of(c) * channel(c).inv_std * channel(c).inv_std * sums.second[c];
  });
  LaneTable<T> constants(s, [&](int64_t c) { return share * scale_of(c) * sums.first[c]; });
  const T *slope_u = slopes.data(), *constant = constants.data();
  s.each([=](int64_t i, int64_t n) {
    const Affine<T> f = affine;
    const T *xi = x + i, *dyi = dy + i;
    T* dxi = dx + i;
    fetch_ahead(i, n, x, dy, dx);
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++)
      dxi[l] = f.scale[l] * f.gradient(xi[l], dyi[l], l) +
               (slope_u[l] * (xi[l] - f.mean[l]) + constant[l]);
  });
}

// Reads or writes of an image-sized array, in bytes.
double passes(const View& x, int count) {
  return double(count) * double(x.numel()) * double(size_of(x.dtype));
}

}  // namespace

void batch_norm_training(const Cpu&, const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         double slope, const View& y, const View& mean, const View& inv_std,
                         const View& offset) {
  profiler::Span span("batch_norm_training", 8 * double(x.numel()), passes(x, 3));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Strips s(x);
    if (s.numel == 0) return;
    Moments batch(s.c);
    moments(s, x.as<const T>(), batch);
    const double m = double(s.m);
    for (int64_t c = 0; c < s.c; c++) {
      mean.as<T>()[c] = T(batch.mean[c]);
      inv_std.as<T>()[c] = T(1 / std::sqrt(batch.var[c] + eps));
      // x - mean is nearly exact; what rounding took from the mean is given back here.
      const double lost = double(mean.as<T>()[c]) - batch.mean[c];
      offset.as<T>()[c] =
          T(double(beta.as<T>()[c]) + lost * double(gamma.as<T>()[c]) * double(inv_std.as<T>()[c]));
      if (running_mean.data) {
        const double unbiased = s.m > 1 ? batch.var[c] * m / (m - 1) : batch.var[c];
        T &rm = running_mean.as<T>()[c], &rv = running_var.as<T>()[c];
        rm = T((1 - momentum) * double(rm) + momentum * batch.mean[c]);
        rv = T((1 - momentum) * double(rv) + momentum * unbiased);
      }
    }
    LaneTable<T> means(s, [&](int64_t c) { return mean.as<T>()[c]; });
    LaneTable<T> scales(
        s, [&](int64_t c) { return double(gamma.as<T>()[c]) * double(inv_std.as<T>()[c]); });
    LaneTable<T> offsets(s, [&](int64_t c) { return offset.as<T>()[c]; });
    normalise<T>(s, x.as<const T>(), {means.data(), scales.data(), offsets.data(), T(slope)},
                 y.as<T>());
  });
}

void batch_norm_training_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& offset,
                                  double slope, const View& dx, const View& dgamma,
                                  const View& dbeta) {
  profiler::Span span("batch_norm_training_backward", 14 * double(x.numel()), passes(x, 5));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto channel = [&](int64_t c) {
      return Channel{double(mean.as<T>()[c]), double(inv_std.as<T>()[c]), double(gamma.as<T>()[c]),
                     double(offset.as<T>()[c])};
    };
    backward<T>(x, dy, channel, true, slope, dx, dgamma, dbeta);
  });
}

void batch_norm_evaluation(const Cpu&, const View& x, const View& gamma, const View& beta,
                           double eps, const View& running_mean, const View& running_var,
                           double slope, const View& y) {
  profiler::Span span("batch_norm_evaluation", 4 * double(x.numel()), passes(x, 2));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Strips s(x);
    LaneTable<T> means(s, [&](int64_t c) { return running_mean.as<T>()[c]; });
    LaneTable<T> scales(s, [&](int64_t c) {
      return double(gamma.as<T>()[c]) / std::sqrt(double(running_var.as<T>()[c]) + eps);
    });
    LaneTable<T> offsets(s, [&](int64_t c) { return beta.as<T>()[c]; });
    normalise<T>(s, x.as<const T>(), {means.data(), scales.data(), offsets.data(), T(slope)},
                 y.as<T>());
  });
}

void batch_norm_evaluation_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                    const View& beta, double eps, const View& running_mean,
                                    const View& running_var, double slope, const View& dx,
                                    const View& dgamma, const View& dbeta) {
  profiler::Span span("batch_norm_evaluation_backward", 14 * double(x.numel()), passes(x, 5));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto channel = [&](int64_t c) {
      return Channel{double(running_mean.as<T>()[c]),
                     1 / std::sqrt(double(running_var.as<T>()[c]) + eps), double(gamma.as<T>()[c]),
                     double(beta.as<T>()[c])};
    };
    backward<T>(x, dy, channel, false, slope, dx, dgamma, dbeta);
  });
}

}  // namespace clade::kernels

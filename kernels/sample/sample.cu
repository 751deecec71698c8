// sample on the GPU: the same draws as on the CPU, made where they are used; nothing random is
// stored.
//
// A Philox block gives four draws, so a thread has four consecutive elements. Bits of the noise are
// the CPU's (tensor/philox.h), and so are those of z: the arithmetic around them is not fused.
#include "kernels/sample/sample.h"

#include "kernels/cuda/team.cuh"
#include "kernels/elementwise/math.h"
#include "kernels/elementwise/walk.h"
#include "tensor/philox.h"

namespace clade::kernels {
namespace {

using namespace cuda;

__device__ uint64_t first_of(const Draw& draw) {
  return draw.first_on_device ? *draw.first_on_device : draw.first;
}

// Normals begin .. begin + 3 of the draw; begin need not be a multiple of 4.
__device__ void four_normals(const Draw& draw, int64_t begin, float (&z)[4]) {
  const uint64_t first = first_of(draw) + uint64_t(begin);
  const int skip = int(first % 4);
  float values[8];
  normal_block(philox(first / 4, draw.stream, draw.seed), values);
  if (skip) normal_block(philox(first / 4 + 1, draw.stream, draw.seed), values + 4);
  for (int i = 0; i < 4; i++) z[i] = values[i + skip];
}

template <class T>
__global__ void reparameterize_four(const T* mean, const T* logvar, Draw draw, int64_t size,
                                    int64_t n, T* z) {
  const int64_t first = thread_index() * 4;
  if (first >= n) return;
  float eps[4];
  four_normals(draw, first, eps);
  int64_t j = first % size;
  for (int i = 0; i < 4 && first + i < n; i++) {
    z[first + i] = mean[j] + math::exp(T(0.5) * logvar[j]) * T(eps[i]);
    if (++j == size) j = 0;
  }
}

template <class T>
__global__ void reparameterize_four_backward(const T* logvar, Draw draw, const T* dz, int64_t size,
                                             int64_t samples, T* dmean, T* dlogvar) {
  const int64_t first = thread_index() * 4;
  if (first >= size) return;
  const int count = int(min(int64_t{4}, size - first));
  double sum[4] = {}, pull[4] = {};
  for (int64_t k = 0; k < samples; k++) {
    float eps[4];
    four_normals(draw, k * size + first, eps);
    for (int i = 0; i < count; i++) {
      const double d = double(dz[k * size + first + i]);
      sum[i] += d;
      pull[i] += d * double(eps[i]);
    }
  }
  for (int i = 0; i < count; i++) {
    dmean[first + i] = T(sum[i]);
    dlogvar[first + i] = T(pull[i]) * (T(0.5) * math::exp(T(0.5) * logvar[first + i]));
  }
}

template <class T>
__global__ void drop_four(const T* x, uint32_t threshold, T scale, Draw draw, int64_t n, T* y) {
  const int64_t first = thread_index() * 4;
  if (first >= n) return;
  const PhiloxBlock block = philox((first_of(draw) + uint64_t(first)) / 4, draw.stream, draw.seed);
  for (int i = 0; i < 4 && first + i < n; i++)
    y[first + i] = (block.word[i] >> 8) < threshold ? T(0) : x[first + i] * scale;
}

// A team a column of log_w (K, N).
template <class T, int Lanes>
__global__ void weigh_columns(const T* log_w, int64_t samples, int64_t columns, double log_samples,
                              T* bound, T* weight, T* effective) {
  const Team<Lanes> team;
  if (team.line >= columns) return;
  const T* from = log_w + team.line;
  T* to = weight + team.line;
  double largest = Largest::kStart;
  for (int64_t k = team.lane; k < samples; k += Lanes)
    largest = Largest::join(largest, double(from[k * columns]));
  largest = join_team<Largest, Lanes>(largest);
  const T shift = std::isinf(largest) ? T(0) : T(largest);
  double sum = 0, squares = 0;
  for (int64_t k = team.lane; k < samples; k += Lanes) {
    const T e = math::exp(from[k * columns] - shift);
    to[k * columns] = e;  // read again below by the same lane
    sum += double(e);
    squares += double(e) * double(e);
  }
  sum = join_team<Sum, Lanes>(sum);
  squares = join_team<Sum, Lanes>(squares);
  const bool none = sum == 0;  // a column of -inf alone
  const T scale = none ? T(0) : T(1 / sum);
  for (int64_t k = team.lane; k < samples; k += Lanes) to[k * columns] *= scale;
  if (team.lane == 0) {
    bound[team.line] = T(double(shift) + std::log(sum) - log_samples);
    effective[team.line] = none ? T(0) : T(sum * sum / squares);
  }
}

// A team a row (k, n) of z: 1/2 sum_d [logvar + (z - mean)^2 exp(-logvar) - z^2].
template <class T, int Lanes>
__global__ void sum_ratios(const T* z, const T* mean, const T* logvar, int64_t lines, int64_t rows,
                           int64_t d, T* out) {
  const Team<Lanes> team;
  if (team.line >= lines) return;
  const T* from = z + team.line * d;
  const int64_t j = team.line % rows * d;
  double sum = 0;
  for (int64_t i = team.lane; i < d; i += Lanes) {
    const T off = from[i] - mean[j + i], v = logvar[j + i];
    sum += double(v + (off * off * math::exp(-v) - from[i] * from[i]));
  }
  sum = join_team<Sum, Lanes>(sum);
  if (team.lane == 0) out[team.line] = T(sum / 2);
}

// A thread an element of the table; it walks over k.
template <class T>
__global__ void spread_ratios(const T* z, const T* mean, const T* logvar, const T* dout,
                              int64_t samples, int64_t rows, int64_t d, T* dz, T* dmean,
                              T* dlogvar) {
  const int64_t j = thread_index();
  if (j >= rows * d) return;
  const T shrink = math::exp(-logvar[j]);
  double to_mean = 0, to_logvar = 0;
  for (int64_t k = 0; k < samples; k++) {
    const int64_t i = k * rows * d + j;
    const T weight = dout[k * rows + j / d], off = z[i] - mean[j], pull = off * shrink;
    dz[i] = weight * (pull - z[i]);
    to_mean -= double(weight) * double(pull);
    to_logvar += double(weight) * double(1 - off * pull);
  }
  dmean[j] = T(to_mean);
  dlogvar[j] = T(to_logvar / 2);
}

}  // namespace

void log_prior_ratio(const Cuda& ctx, const View& z, const View& mean, const View& logvar,
                     const View& out) {
  const int64_t lines = out.numel(), rows = mean.shape[0], d = mean.shape[1];
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_team(d >= 8, lines, [&](auto constant) {
      constexpr int kLanes = decltype(constant)::value;
      launch<sum_ratios<T, kLanes>>(ctx.stream, grid_of_teams<kLanes>(lines), z.as<const T>(),
                                    mean.as<const T>(), logvar.as<const T>(), lines, rows, d,
                                    out.as<T>());
    });
  });
}

void log_prior_ratio_backward(const Cuda& ctx, const View& z, const View& mean, const View& logvar,
                              const View& dout, const View& dz, const View& dmean,
                              const View& dlogvar) {
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<spread_ratios<T>>(ctx.stream, grid_of(mean.numel()), z.as<const T>(), mean.as<const T>(),
                             logvar.as<const T>(), dout.as<const T>(), z.shape[0], mean.shape[0],
                             mean.shape[1], dz.as<T>(), dmean.as<T>(), dlogvar.as<T>());
  });
}

void reparameterize(const Cuda& ctx, const View& mean, const View& logvar, const Draw& draw,
                    const View& z) {
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<reparameterize_four<T>>(ctx.stream, grid_of(z.numel(), 4), mean.as<const T>(),
                                   logvar.as<const T>(), draw, mean.numel(), z.numel(), z.as<T>());
  });
}

void reparameterize_backward(const Cuda& ctx, const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar) {
  const int64_t size = logvar.numel();
  if (size == 0) return;
  dispatch_floating(dz.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<reparameterize_four_backward<T>>(ctx.stream, grid_of(size, 4), logvar.as<const T>(),
                                            draw, dz.as<const T>(), size, dz.numel() / size,
                                            dmean.as<T>(), dlogvar.as<T>());
  });
}

void dropout(const Cuda& ctx, const View& x, double p, const Draw& draw, const View& y) {
  // A draw below p drops; draws are multiples of 2^-24, so whole numbers can be compared.
  const uint32_t threshold = uint32_t(std::ceil(p * 0x1p24));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<drop_four<T>>(ctx.stream, grid_of(x.numel(), 4), x.as<const T>(), threshold,
                         T(1 / (1 - p)), draw, x.numel(), y.as<T>());
  });
}

void importance_weights(const Cuda& ctx, const View& log_w, const View& bound, const View& weight,
                        const View& effective) {
  const int64_t samples = log_w.shape[0], columns = log_w.shape[1];
  dispatch_floating(log_w.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_team(false, columns, [&](auto constant) {
      constexpr int kLanes = decltype(constant)::value;
      launch<weigh_columns<T, kLanes>>(
          ctx.stream, grid_of_teams<kLanes>(columns), log_w.as<const T>(), samples, columns,
          std::log(double(samples)), bound.as<T>(), weight.as<T>(), effective.as<T>());
    });
  });
}

}  // namespace clade::kernels

// Batch norm on the GPU: sums per channel in two kernels, then one pass that writes.
//
// x is M rows of C channels, the channel fastest. A block has a strip of whole rows under its
// threads: thread t keeps channel t % C and walks down the rows, so a warp reads neighbours
// whatever C is (above 256 channels a block has 256 of them). Its threads leave f64 sums in shared
// memory, one thread a channel joins them in order; the blocks' sums are joined in order by a
// second kernel, which also works out what the last pass needs. Values are shifted by the channel's
// first element before they are squared, as on the CPU.
#include "kernels/norm/norm.h"

#include "kernels/cuda/grid.cuh"
#include "tensor/device_memory.h"

namespace clade::kernels {
namespace {

using namespace cuda;

// How M x C numbers are cut: by M and C alone.
struct Cut {
  explicit Cut(const View& x) : channels(x.shape[1]), rows(channels ? x.numel() / channels : 0) {
    width = std::min<int64_t>(channels, kThreads);
    high = std::max<int64_t>(1, kThreads / std::max<int64_t>(width, 1));
    across = width ? ceil_div(channels, width) : 0;
    // 16 rows a thread at least, and no more chunks than fill the machine.
    const int64_t wanted = std::max<int64_t>(1, ceil_div(4 * 132, std::max<int64_t>(across, 1)));
    chunk = std::max(16 * high, ceil_div(rows, wanted));
    chunks = std::max<int64_t>(1, ceil_div(rows, chunk));
  }
  int64_t channels, rows;
  int64_t width, high;    // of a block: channels, rows side by side
  int64_t across;         // blocks along the channels
  int64_t chunk, chunks;  // rows of a block, blocks along the rows
};

// Two terms of every element, to be summed per channel.
template <class T>
struct ShiftedSquares {
  const T* x;
  __device__ void add(int64_t i, int64_t c, double& a, double& b) const {
    const double d = double(x[i]) - double(x[c]);
    a += d;
    b += d * d;
  }
};

// Tables of the channels: v = (x - centre) scale + offset, y = v > 0 ? v : slope v.
template <class T>
struct Affines {
  T *centre, *scale, *offset;
  T slope;

  Affines(T* tables, int64_t channels, double slope_of_y)
      : centre(tables),
        scale(tables + channels),
        offset(tables + 2 * channels),
        slope(T(slope_of_y)) {}
  __device__ T v(T x, int64_t c) const { return (x - centre[c]) * scale[c] + offset[c]; }
  __device__ T y(T x, int64_t c) const {
    const T value = v(x, c);
    return value > 0 ? value : slope * value;
  }
  __device__ T dv(T x, T dy, int64_t c) const { return v(x, c) > 0 ? dy : slope * dy; }
};

template <class T>
struct GradientTerms {
  const T *x, *dy;
  Affines<T> affines;
  __device__ void add(int64_t i, int64_t c, double& a, double& b) const {
    const double d = double(affines.dv(x[i], dy[i], c));
    a += d;
    b += d * (double(x[i]) - double(affines.centre[c]));
  }
};

// partial[chunk][0 or 1][channel]
template <class Terms>
__global__ void sum_chunks(Terms terms, Cut cut, double* partial) {
  __shared__ double first[kThreads], second[kThreads];
  const int t = int(threadIdx.x), width = int(cut.width);
  const int64_t c = int64_t(blockIdx.x) * width + t % width;
  double a = 0, b = 0;
  if (t < width * cut.high && c < cut.channels) {
    const int64_t begin = int64_t(blockIdx.y) * cut.chunk;
    const int64_t end = min(begin + cut.chunk, cut.rows);
    for (int64_t row = begin + t / width; row < end; row += cut.high)
      terms.add(row * cut.channels + c, c, a, b);
  }
  first[t] = a;
  second[t] = b;
  __syncthreads();
  if (t >= width || c >= cut.channels) return;
  for (int64_t row = 1; row < cut.high; row++) {
    a += first[row * width + t];
    b += second[row * width + t];
  }
  double* out = partial + int64_t(blockIdx.y) * 2 * cut.channels + c;
  out[0] = a;
  out[cut.channels] = b;
}

// The sums of channel c over all chunks.
__device__ void join_sums(const double* partial, const Cut& cut, int64_t c, double& a, double& b) {
  a = b = 0;
  for (int64_t chunk = 0; chunk < cut.chunks; chunk++) {
    a += partial[chunk * 2 * cut.channels + c];
    b += partial[(chunk * 2 + 1) * cut.channels + c];
  }
}

template <class T>
__global__ void finish_statistics(const double* partial, Cut cut, const T* x, const T* gamma,
                                  const T* beta, double eps, double momentum, T* running_mean,
                                  T* running_var, T* mean, T* inv_std, T* offset,
                                  Affines<T> affines) {
  const int64_t c = thread_index();
  if (c >= cut.channels) return;
  double sum, squares;
  join_sums(partial, cut, c, sum, squares);
  const double m = double(cut.rows), moved = sum / m, rough = squares / m - moved * moved;
  const double var = rough < 0 ? 0 : rough;  // rounding may leave -0.0000...1
  const double average = double(x[c]) + moved, inverse = 1 / std::sqrt(var + eps);
  mean[c] = T(average);
  inv_std[c] = T(inverse);
  if (running_mean) {
    const double unbiased = cut.rows > 1 ? var * m / (m - 1) : var;
    running_mean[c] = T((1 - momentum) * double(running_mean[c]) + momentum * average);
    running_var[c] = T((1 - momentum) * double(running_var[c]) + momentum * unbiased);
  }
  // x - centre is nearly exact; what rounding took from the mean is given back in the offset.
  offset[c] = T(double(beta[c]) + (double(T(average)) - average) * double(gamma[c]) * inverse);
  affines.centre[c] = mean[c];
  affines.scale[c] = T(double(gamma[c]) * double(inv_std[c]));  // as the backward pass has it
  affines.offset[c] = offset[c];
}

// From what the forward pass left (inv_std), or from running statistics (inv_std null, var given).
template <class T>
__global__ void make_affines(int64_t channels, const T* gamma, const T* mean, const T* inv_std,
                             const T* var, double eps, const T* offset, Affines<T> affines) {
  const int64_t c = thread_index();
  if (c >= channels) return;
  const double inverse = inv_std ? double(inv_std[c]) : 1 / std::sqrt(double(var[c]) + eps);
  affines.centre[c] = mean[c];
  affines.scale[c] = T(double(gamma[c]) * inverse);
  affines.offset[c] = offset[c];
}

template <class T>
__global__ void normalise(const T* x, int64_t n, int64_t channels, Affines<T> affines, T* y) {
  const int64_t i = thread_index();
  if (i < n) y[i] = affines.y(x[i], i % channels);
}

// dx = scale dv + (pull (x - mean) + add): pull and add carry the gradient through the statistics.
template <class T>
struct Pulls {
  T *pull, *add;
};

template <class T>
__global__ void finish_gradients(const double* partial, Cut cut, const T* gamma, const T* inv_std,
                                 const T* var, double eps, double share, T* dgamma, T* dbeta,
                                 Pulls<T> pulls) {
  const int64_t c = thread_index();
  if (c >= cut.channels) return;
  double sum, dot;
  join_sums(partial, cut, c, sum, dot);
  const double inverse = inv_std ? double(inv_std[c]) : 1 / std::sqrt(double(var[c]) + eps);
  dbeta[c] = T(sum);
  dgamma[c] = T(dot * inverse);
  const double scale = double(gamma[c]) * inverse;
  pulls.pull[c] = T(share * scale * inverse * inverse * dot);
  pulls.add[c] = T(share * scale * sum);
}

template <class T>
__global__ void spread_gradients(const T* x, const T* dy, int64_t n, int64_t channels,
                                 Affines<T> affines, Pulls<T> pulls, T* dx) {
  const int64_t i = thread_index();
  if (i >= n) return;
  const int64_t c = i % channels;
  dx[i] = affines.scale[c] * affines.dv(x[i], dy[i], c) +
          (pulls.pull[c] * (x[i] - affines.centre[c]) + pulls.add[c]);
}

template <class Terms>
void sum_channels(const Cuda& ctx, const Cut& cut, Terms terms, double* partial) {
  launch<sum_chunks<Terms>>(ctx.stream,
                            {{unsigned(cut.across), unsigned(cut.chunks)}, {unsigned(kThreads)}},
                            terms, cut, partial);
}

// inv_std is null in evaluation, where var is given. offset: beta there.
template <class T>
void backward(const Cuda& ctx, const View& x, const View& dy, const View& gamma, const View& mean,
              const T* inv_std, const T* var, double eps, const View& offset, double slope,
              const View& dx, const View& dgamma, const View& dbeta) {
  const Cut cut(x);
  if (cut.channels == 0) return;
  DeviceScratch<double> partial(cut.chunks * 2 * cut.channels, ctx.stream);
  DeviceScratch<T> tables(5 * cut.channels, ctx.stream);
  const Affines<T> affines(tables.data(), cut.channels, slope);
  const Pulls<T> pulls{tables.data() + 3 * cut.channels, tables.data() + 4 * cut.channels};
  launch<make_affines<T>>(ctx.stream, grid_of(cut.channels), cut.channels, gamma.as<T>(),
                          mean.as<T>(), inv_std, var, eps, offset.as<T>(), affines);
  sum_channels(ctx, cut, GradientTerms<T>{x.as<T>(), dy.as<T>(), affines}, partial.data());
  // In training the gradient also goes through the batch's statistics.
  const double share = inv_std ? -1.0 / double(cut.rows) : 0;
  launch<finish_gradients<T>>(ctx.stream, grid_of(cut.channels), partial.data(), cut, gamma.as<T>(),
                              inv_std, var, eps, share, dgamma.as<T>(), dbeta.as<T>(), pulls);
  launch<spread_gradients<T>>(ctx.stream, grid_of(x.numel()), x.as<T>(), dy.as<T>(), x.numel(),
                              cut.channels, affines, pulls, dx.as<T>());
}

}  // namespace

void batch_norm_training(const Cuda& ctx, const View& x, const View& gamma, const View& beta,
                         double eps, double momentum, const View& running_mean,
                         const View& running_var, double slope, const View& y, const View& mean,
                         const View& inv_std, const View& offset) {
  if (x.numel() == 0) return;
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Cut cut(x);
    DeviceScratch<double> partial(cut.chunks * 2 * cut.channels, ctx.stream);
    DeviceScratch<T> tables(3 * cut.channels, ctx.stream);
    const Affines<T> affines(tables.data(), cut.channels, slope);
    sum_channels(ctx, cut, ShiftedSquares<T>{x.as<T>()}, partial.data());
    launch<finish_statistics<T>>(ctx.stream, grid_of(cut.channels), partial.data(), cut, x.as<T>(),
                                 gamma.as<T>(), beta.as<T>(), eps, momentum, running_mean.as<T>(),
                                 running_var.as<T>(), mean.as<T>(), inv_std.as<T>(), offset.as<T>(),
                                 affines);
    launch<normalise<T>>(ctx.stream, grid_of(x.numel()), x.as<T>(), x.numel(), cut.channels,
                         affines, y.as<T>());
  });
}

void batch_norm_training_backward(const Cuda& ctx, const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& offset,
                                  double slope, const View& dx, const View& dgamma,
                                  const View& dbeta) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    backward<T>(ctx, x, dy, gamma, mean, inv_std.as<T>(), nullptr, 0, offset, slope, dx, dgamma,
                dbeta);
  });
}

void batch_norm_evaluation(const Cuda& ctx, const View& x, const View& gamma, const View& beta,
                           double eps, const View& running_mean, const View& running_var,
                           double slope, const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t channels = x.shape[1];
    DeviceScratch<T> tables(3 * channels, ctx.stream);
    const Affines<T> affines(tables.data(), channels, slope);
    const T* no_inv_std = nullptr;
    launch<make_affines<T>>(ctx.stream, grid_of(channels), channels, gamma.as<T>(),
                            running_mean.as<T>(), no_inv_std, running_var.as<T>(), eps,
                            beta.as<T>(), affines);
    launch<normalise<T>>(ctx.stream, grid_of(x.numel()), x.as<T>(), x.numel(), channels, affines,
                         y.as<T>());
  });
}

void batch_norm_evaluation_backward(const Cuda& ctx, const View& x, const View& dy,
                                    const View& gamma, const View& beta, double eps,
                                    const View& running_mean, const View& running_var, double slope,
                                    const View& dx, const View& dgamma, const View& dbeta) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    backward<T>(ctx, x, dy, gamma, running_mean, nullptr, running_var.as<T>(), eps, beta, slope, dx,
                dgamma, dbeta);
  });
}

}  // namespace clade::kernels

#include "kernels/norm/norm.h"

#include "bench/ladder/ladder.h"
#include "kernels/cuda/grid.cuh"

namespace clade::ladder {
namespace {

using namespace kernels;

constexpr double kEps = 1e-5;

// Arguments: x (N, C), gamma, beta, y, mean, inv_std, offset.
struct Norm {
  int64_t rows, channels;
  const float *x, *gamma, *beta;
  float *y, *mean, *inv_std, *offset;
  explicit Norm(const View* v)
      : rows(v[0].shape[0]),
        channels(v[0].shape[1]),
        x(v[0].as<float>()),
        gamma(v[1].as<float>()),
        beta(v[2].as<float>()),
        y(v[3].as<float>()),
        mean(v[4].as<float>()),
        inv_std(v[5].as<float>()),
        offset(v[6].as<float>()) {}
  __device__ void finish(int64_t c, double sum, double squares) const {
    const double average = sum / double(rows);
    const double var = squares / double(rows) - average * average;
    mean[c] = float(average);
    inv_std[c] = float(1 / std::sqrt((var < 0 ? 0 : var) + kEps));
    offset[c] = beta[c];
  }
  __device__ void normalise(int64_t i, int64_t c) const {
    y[i] = (x[i] - mean[c]) * inv_std[c] * gamma[c] + offset[c];
  }
};

__global__ void one_thread_a_channel(Norm n) {
  const int64_t c = cuda::thread_index();
  if (c >= n.channels) return;
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < n.rows; r++) {
    const double x = double(n.x[r * n.channels + c]);
    sum += x, squares += x * x;
  }
  n.finish(c, sum, squares);
  for (int64_t r = 0; r < n.rows; r++) n.normalise(r * n.channels + c, c);
}

__global__ void one_block_a_channel(Norm n) {
  __shared__ double sums[256], squares[256];
  const int64_t c = blockIdx.x;
  const int t = int(threadIdx.x);
  double sum = 0, square = 0;
  for (int64_t r = t; r < n.rows; r += 256) {
    const double x = double(n.x[r * n.channels + c]);
    sum += x, square += x * x;
  }
  sums[t] = sum, squares[t] = square;
  __syncthreads();
  for (int apart = 128; apart > 0; apart /= 2) {
    if (t < apart) sums[t] += sums[t + apart], squares[t] += squares[t + apart];
    __syncthreads();
  }
  if (t == 0) n.finish(c, sums[0], squares[0]);
  __syncthreads();
  for (int64_t r = t; r < n.rows; r += 256) n.normalise(r * n.channels + c, c);
}

}  // namespace

Ladder batch_norm_ladder() {
  constexpr int64_t kRows = 128 * 32 * 32, kChannels = 32;
  return {"batch_norm",
          "y = (x - mean) / sqrt(var + eps) gamma + beta, per channel",
          [](bool large) -> std::vector<Argument> {
            const int64_t n = large ? kRows : 700, c = large ? kChannels : 13;
            return {{{n, c}}, {{c}}, {{c}}, {{n, c}, true}, {{c}, true}, {{c}, true}, {{c}, true}};
          },
          [](const View* v) {
            reference::batch_norm_training(v[0], v[1], v[2], kEps, 0.1, View{}, View{}, 1, v[3],
                                           v[4], v[5], v[6]);
          },
          1e-5,
          8.0 * kRows* kChannels,
          3.0 * kRows* kChannels * 4,
          {{"a thread a channel", "32 threads do all the work of the machine",
            [](const Cuda& ctx, const View* v) {
              launch<one_thread_a_channel>(ctx.stream, cuda::grid_of(v[0].shape[1]), Norm(v));
            }},
           {"a block a channel", "256 times the threads; but a warp reads 32 rows for 32 numbers",
            [](const Cuda& ctx, const View* v) {
              launch<one_block_a_channel>(ctx.stream, {{unsigned(v[0].shape[1])}, {256}}, Norm(v));
            }},
           {"production: strips of whole rows",
            "warps read neighbours, the rows are cut to fill the machine, sums are shifted",
            [](const Cuda& ctx, const View* v) {
              batch_norm_training(ctx, v[0], v[1], v[2], kEps, 0.1, View{}, View{}, 1, v[3], v[4],
                                  v[5], v[6]);
            }}}};
}

}  // namespace clade::ladder

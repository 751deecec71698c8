#include "kernels/distance/distance.h"

#include "bench/ladder/ladder.h"
#include "kernels/cuda/grid.cuh"
#include "tensor/device_memory.h"

namespace clade::ladder {
namespace {

using namespace kernels;

__global__ void smallest_of_row(const float* all, int64_t n, int64_t m, int64_t* index,
                                float* distance) {
  const int64_t i = cuda::thread_index();
  if (i >= n) return;
  int64_t best = 0;
  for (int64_t j = 1; j < m; j++)
    if (all[i * m + j] < all[i * m + best]) best = j;
  index[i] = best;
  distance[i] = all[i * m + best];
}

__global__ void one_thread_a_row(const float* x, const float* c, int64_t n, int64_t m, int64_t d,
                                 int64_t* index, float* distance) {
  const int64_t i = cuda::thread_index();
  if (i >= n) return;
  float least = INFINITY;
  for (int64_t j = 0; j < m; j++) {
    float sum = 0;
    for (int64_t l = 0; l < d; l++) {
      const float difference = x[i * d + l] - c[j * d + l];
      sum = fma(difference, difference, sum);
    }
    if (sum < least) least = sum, index[i] = j;
  }
  distance[i] = least;
}

}  // namespace

Ladder assignment_ladder() {
  constexpr int64_t kRows = 70000, kCentres = 64, kWidth = 64;
  return {"assignment",
          "index[i] = the j with the least |x_i - c_j|^2 (k-means)",
          [](bool large) -> std::vector<Argument> {
            const int64_t n = large ? kRows : 150, m = large ? kCentres : 70;
            const int64_t d = large ? kWidth : 9;
            return {{{n, d}}, {{m, d}}, {{n, 1}, true, DType::i64}, {{n, 1}, true}};
          },
          [](const View* v) { reference::nearest(v[0], v[1], v[2], v[3]); },
          2e-6,
          3.0 * kRows* kCentres* kWidth,
          double(kRows * kWidth + kCentres * kWidth + 3 * kRows) * 4,
          {{"all distances, then the least", "the matrix of distances goes to memory and back",
            [](const Cuda& ctx, const View* v) {
              const int64_t n = v[0].shape[0], m = v[1].shape[0];
              DeviceScratch<float> all(n * m, ctx.stream);
              View matrix;
              matrix.data = all.data(), matrix.rank = 2;
              matrix.shape[0] = n, matrix.shape[1] = m;
              matrix.stride[0] = m, matrix.stride[1] = 1;
              squared_distances(ctx, v[0], v[1], matrix);
              launch<smallest_of_row>(ctx.stream, cuda::grid_of(n), all.data(), n, m,
                                      v[2].as<int64_t>(), v[3].as<float>());
            }},
           {"a thread a row", "no matrix; but every difference costs two loads",
            [](const Cuda& ctx, const View* v) {
              launch<one_thread_a_row>(ctx.stream, cuda::grid_of(v[0].shape[0]), v[0].as<float>(),
                                       v[1].as<float>(), v[0].shape[0], v[1].shape[0],
                                       v[0].shape[1], v[2].as<int64_t>(), v[3].as<float>());
            }},
           {"production: tiles, read off in registers",
            "a load serves 16 threads, and only the winner is written",
            [](const Cuda& ctx, const View* v) { nearest(ctx, v[0], v[1], v[2], v[3]); }}}};
}

}  // namespace clade::ladder

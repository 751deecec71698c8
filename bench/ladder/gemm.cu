#include "kernels/gemm/gemm.h"

#include "bench/ladder/ladder.h"
#include "kernels/cuda/grid.cuh"
#include "kernels/gemm/gemm_cuda.cuh"

namespace clade::ladder {
namespace {

using namespace kernels;

// a (M, K), b (K, N), c (M, N)
__global__ void one_thread_an_element(const float* a, const float* b, int64_t m, int64_t n,
                                      int64_t k, float* c) {
  const int64_t i = cuda::thread_index();
  if (i >= m * n) return;
  float sum = 0;
  for (int64_t l = 0; l < k; l++) sum = fma(a[i / n * k + l], b[l * n + i % n], sum);
  c[i] = sum;
}

// A block of 16 x 16 threads has 16 x 16 elements of c.
__global__ void shared_tiles(const float* a, const float* b, int64_t m, int64_t n, int64_t k,
                             float* c) {
  __shared__ float a_tile[16][17], b_tile[16][17];
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  const int64_t row = int64_t(blockIdx.y) * 16 + y, column = int64_t(blockIdx.x) * 16 + x;
  float sum = 0;
  for (int64_t l0 = 0; l0 < k; l0 += 16) {
    a_tile[y][x] = row < m && l0 + x < k ? a[row * k + l0 + x] : 0.0f;
    b_tile[y][x] = column < n && l0 + y < k ? b[(l0 + y) * n + column] : 0.0f;
    __syncthreads();
    for (int l = 0; l < 16; l++) sum = fma(a_tile[y][l], b_tile[l][x], sum);
    __syncthreads();
  }
  if (row < m && column < n) c[row * n + column] = sum;
}

}  // namespace

Ladder gemm_ladder() {
  constexpr int64_t M = 4096;
  return {"gemm",
          "C = A B",
          [](bool large) -> std::vector<Argument> {
            if (large) return {{{M, M}}, {{M, M}}, {{M, M}, true}};
            return {{{70, 45}}, {{45, 83}}, {{70, 83}, true}};
          },
          [](const View* v) { reference::gemm(v[0], v[1], v[2]); },
          2e-5,
          2.0 * M* M* M,
          3.0 * M* M * 4,
          {{"a thread an element", "every product costs two loads from global memory",
            [](const Cuda& ctx, const View* v) {
              launch<one_thread_an_element>(ctx.stream, cuda::grid_of(v[2].numel()),
                                            v[0].as<float>(), v[1].as<float>(), v[2].shape[0],
                                            v[2].shape[1], v[0].shape[1], v[2].as<float>());
            }},
           {"tiles in shared memory", "each number is loaded once for 16 threads",
            [](const Cuda& ctx, const View* v) {
              launch<shared_tiles>(ctx.stream,
                                   {{unsigned(cuda::ceil_div(v[2].shape[1], 16)),
                                     unsigned(cuda::ceil_div(v[2].shape[0], 16))},
                                    {16, 16}},
                                   v[0].as<float>(), v[1].as<float>(), v[2].shape[0], v[2].shape[1],
                                   v[0].shape[1], v[2].as<float>());
            }},
           {"tiles in registers", "16 products for 8 loads from shared memory, not for 32",
            [](const Cuda& ctx, const View* v) { gemm_tiled(ctx, v[0], v[1], v[2], 1, 0, {}); }},
           {"production: cuBLAS", "tuned for each machine and shape (on the CPU: the one before)",
            [](const Cuda& ctx, const View* v) { gemm(ctx, v[0], v[1], v[2]); }}}};
}

}  // namespace clade::ladder

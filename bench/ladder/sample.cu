#include "kernels/sample/sample.h"

#include "bench/ladder/ladder.h"
#include "kernels/cuda/grid.cuh"
#include "tensor/device_memory.h"
#include "tensor/philox.h"

namespace clade::ladder {
namespace {

using namespace kernels;

const Draw kDraw{7, 1, 0};

__global__ void noise_to_memory(Draw draw, int64_t n, float* eps) {
  const int64_t i = cuda::thread_index();
  if (i >= n) return;
  float four[4];
  normal_block(philox(uint64_t(i) / 4, draw.stream, draw.seed), four);
  eps[i] = four[i % 4];
}
__global__ void deviations(const float* logvar, int64_t n, float* deviation) {
  const int64_t i = cuda::thread_index();
  if (i < n) deviation[i] = std::exp(0.5f * logvar[i]);
}
__global__ void scale_and_shift(const float* mean, const float* deviation, const float* eps,
                                int64_t n, float* z) {
  const int64_t i = cuda::thread_index();
  if (i < n) z[i] = mean[i] + deviation[i] * eps[i];
}
__global__ void one_thread_an_element(const float* mean, const float* logvar, Draw draw, int64_t n,
                                      float* z) {
  const int64_t i = cuda::thread_index();
  if (i >= n) return;
  float four[4];
  normal_block(philox(uint64_t(i) / 4, draw.stream, draw.seed), four);
  z[i] = mean[i] + std::exp(0.5f * logvar[i]) * four[i % 4];
}

}  // namespace

Ladder reparameterization_ladder() {
  constexpr int64_t kRows = 1 << 20, kLatent = 16;
  return {"reparameterization",
          "z = mean + exp(logvar / 2) eps",
          [](bool large) -> std::vector<Argument> {
            const Shape shape = large ? Shape{kRows, kLatent} : Shape{301, 7};
            return {{shape}, {shape}, {shape, true}};
          },
          [](const View* v) { reference::reparameterize(v[0], v[1], kDraw, v[2]); },
          2e-6,
          60.0 * kRows* kLatent,
          3.0 * kRows* kLatent * 4,
          {{"a kernel a step", "noise and deviations go to memory and come back: 8 numbers moved",
            [](const Cuda& ctx, const View* v) {
              const int64_t n = v[2].numel();
              DeviceScratch<float> eps(n, ctx.stream), deviation(n, ctx.stream);
              launch<noise_to_memory>(ctx.stream, cuda::grid_of(n), kDraw, n, eps.data());
              launch<deviations>(ctx.stream, cuda::grid_of(n), v[1].as<float>(), n,
                                 deviation.data());
              launch<scale_and_shift>(ctx.stream, cuda::grid_of(n), v[0].as<float>(),
                                      deviation.data(), eps.data(), n, v[2].as<float>());
            }},
           {"one kernel", "noise is made where it is used: 3 numbers moved",
            [](const Cuda& ctx, const View* v) {
              const int64_t n = v[2].numel();
              launch<one_thread_an_element>(ctx.stream, cuda::grid_of(n), v[0].as<float>(),
                                            v[1].as<float>(), kDraw, n, v[2].as<float>());
            }},
           {"production: four elements a thread",
            "a block of Philox makes four numbers, and all four are used",
            [](const Cuda& ctx, const View* v) { reparameterize(ctx, v[0], v[1], kDraw, v[2]); }}}};
}

}  // namespace clade::ladder

#include "kernels/conv/conv.h"

#include "bench/ladder/ladder.h"
#include "kernels/conv/conv_shape.h"
#include "kernels/cuda/grid.cuh"

namespace clade::ladder {
namespace {

using namespace kernels;

const ConvParams kPlain{.stride = {1, 1}, .padding = {1, 1}};
const ConvParams kStride2{.stride = {2, 2}, .padding = {1, 1}};

// y[n, i, j, o] by the formula of conv.h; x and y channels-last, w (O, C, R, S).
__global__ void one_thread_an_output(ConvShape s, const float* x, const float* w, float* y) {
  int64_t rest = cuda::thread_index();
  if (rest >= s.N * s.P * s.Q * s.O) return;
  float& out = y[rest];
  const int64_t o = rest % s.O;
  rest /= s.O;
  const int64_t j = rest % s.Q;
  rest /= s.Q;
  const int64_t i = rest % s.P, n = rest / s.P;
  float sum = 0;
  for (int64_t r = 0; r < s.R; r++)
    for (int64_t t = 0; t < s.S; t++) {
      const int64_t h = i * s.stride[0] + r - s.padding[0], v = j * s.stride[1] + t - s.padding[1];
      if (h < 0 || h >= s.H || v < 0 || v >= s.W) continue;
      for (int64_t c = 0; c < s.C; c++)
        sum = fma(x[((n * s.H + h) * s.W + v) * s.C + c], w[((o * s.C + c) * s.R + r) * s.S + t],
                  sum);
    }
  out = sum;
}

// x[n, h, v, c]: the sum over all outputs that this place of x went into.
__global__ void one_thread_an_input(ConvShape s, const float* y, const float* w, float* x) {
  int64_t rest = cuda::thread_index();
  if (rest >= s.N * s.H * s.W * s.C) return;
  float& out = x[rest];
  const int64_t c = rest % s.C;
  rest /= s.C;
  const int64_t v = rest % s.W;
  rest /= s.W;
  const int64_t h = rest % s.H, n = rest / s.H;
  float sum = 0;
  for (int64_t r = 0; r < s.R; r++)
    for (int64_t t = 0; t < s.S; t++) {
      const int64_t i = h + s.padding[0] - r, j = v + s.padding[1] - t;
      if (i < 0 || j < 0 || i % s.stride[0] || j % s.stride[1]) continue;
      if (i / s.stride[0] >= s.P || j / s.stride[1] >= s.Q) continue;
      for (int64_t o = 0; o < s.O; o++)
        sum = fma(y[((n * s.P + i / s.stride[0]) * s.Q + j / s.stride[1]) * s.O + o],
                  w[((o * s.C + c) * s.R + r) * s.S + t], sum);
    }
  out = sum;
}

template <Cuda::Products products>
void forward(const Cuda& ctx, const View* v) {
  conv2d_forward({ctx.stream, products}, v[0], v[1], View{}, v[2], kPlain);
}
template <Cuda::Products products>
void transposed(const Cuda& ctx, const View* v) {
  conv2d_grad_input({ctx.stream, products}, v[0], v[1], View{}, v[2], kStride2);
}

}  // namespace

Ladder conv_ladder() {
  constexpr double kImages = 128, kPixels = 16 * 16, kChannels = 64;
  return {"conv",
          "y[n, o, i, j] = sum over c, r, s of x[n, c, i + r - 1, j + s - 1] w[o, c, r, s]",
          [](bool large) -> std::vector<Argument> {
            if (large) return {{{128, 64, 16, 16}}, {{64, 64, 3, 3}}, {{128, 64, 16, 16}, true}};
            return {{{2, 12, 7, 6}}, {{20, 12, 3, 3}}, {{2, 20, 7, 6}, true}};
          },
          [](const View* v) { reference::conv2d_forward(v[0], v[1], View{}, v[2], kPlain); },
          2e-5,
          2 * kImages* kPixels* kChannels* kChannels * 9,
          (2 * kImages * kPixels * kChannels + 9 * kChannels * kChannels) * 4,
          {{"a thread an output", "every product costs two loads from global memory",
            [](const Cuda& ctx, const View* v) {
              launch<one_thread_an_output>(ctx.stream, cuda::grid_of(v[2].numel()),
                                           ConvShape(v[0], v[1], v[2], kPlain), v[0].as<float>(),
                                           v[1].as<float>(), v[2].as<float>());
            }},
           {"an implicit matrix product",
            "tiles of pixels by channels in registers: a load serves 16 threads",
            forward<Cuda::Products::one_by_one>},
           {"production: tensor cores, split factors",
            "eight times the rate, a third of it for f32's accuracy; copies run while it computes",
            forward<Cuda::Products::exact>}}};
}

Ladder conv_transpose_ladder() {
  constexpr double kImages = 128, kPixels = 8 * 8, kChannels = 64;
  return {"conv_transpose",
          "x[n, c, h, w]: the sum of y[n, o, i, j] w[o, c, r, s] over all with 2 i + r - 1 = h, "
          "2 j + s - 1 = w",
          [](bool large) -> std::vector<Argument> {
            if (large) return {{{128, 64, 8, 8}}, {{64, 64, 3, 3}}, {{128, 64, 16, 16}, true}};
            return {{{2, 12, 4, 3}}, {{12, 20, 3, 3}}, {{2, 20, 7, 6}, true}};
          },
          [](const View* v) { reference::conv2d_grad_input(v[0], v[1], View{}, v[2], kStride2); },
          2e-5,
          2 * kImages* kPixels* kChannels* kChannels * 9,
          (5 * kImages * kPixels * kChannels + 9 * kChannels * kChannels) * 4,
          {{"a thread an element", "three of four taps are tried in vain: their parity is wrong",
            [](const Cuda& ctx, const View* v) {
              launch<one_thread_an_input>(ctx.stream, cuda::grid_of(v[2].numel()),
                                          ConvShape(v[2], v[1], v[0], kStride2), v[0].as<float>(),
                                          v[1].as<float>(), v[2].as<float>());
            }},
           {"four dense convolutions, by parity",
            "no tap in vain, and each is an implicit matrix product",
            transposed<Cuda::Products::one_by_one>},
           {"production: tensor cores, split factors", "as for the convolution",
            transposed<Cuda::Products::exact>}}};
}

}  // namespace clade::ladder

#include "kernels/pool/pool.h"

#include "kernels/conv/conv.h"
#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

struct Case {
  Shape in, out;
  PoolParams p;
  DType t;
};

Case pooling(Trial& trial) {
  Case c{{}, {}, {}, trial.floating()};
  int64_t size[2], pooled[2];
  for (int i = 0; i < 2; i++) {
    c.p.kernel[i] = 1 + trial.below(4);
    c.p.stride[i] = 1 + trial.below(4);
    c.p.padding[i] = trial.below(c.p.kernel[i] / 2 + 1);
    size[i] = c.p.kernel[i] + trial.below(9);
    pooled[i] = conv_output_size(size[i], c.p.kernel[i], c.p.stride[i], c.p.padding[i], 1);
  }
  int64_t n = trial.below(4), channels = trial.size(40);
  c.in = {n, channels, size[0], size[1]};
  c.out = {n, channels, pooled[0], pooled[1]};
  return c;
}

TEST(Pool, PoolingMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Case c = pooling(trial);
    View x = trial.input(c.in, c.t, Memory::channels_last, -2, 2);
    if (trial.chance(0.3)) trial.sprinkle(x, 0.5, 0.5);  // ties
    if (trial.chance(0.2)) trial.sprinkle(x, NAN);
    View y = trial.output(c.out, c.t, Memory::channels_last);
    if (trial.chance(0.5)) {
      View index = trial.output(c.out, DType::i64, Memory::channels_last);
      trial.compare([&](auto on) { max_pool2d(on, x, y, index, c.p); },
                    [&] { reference::max_pool2d(x, y, index, c.p); }, 0);
    } else {
      trial.compare([&](auto on) { avg_pool2d(on, x, y, c.p); },
                    [&] { reference::avg_pool2d(x, y, c.p); }, testing::tolerance(c.t, 1e-6));
    }
  }
}

TEST(Pool, PoolingBackwardMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Case c = pooling(trial);
    View dy = trial.input(c.out, c.t, Memory::channels_last, -2, 2);
    View dx = trial.output(c.in, c.t, Memory::channels_last);
    if (trial.chance(0.5)) {
      View index =
          trial.input(c.out, DType::i64, Memory::channels_last, 0, double(c.in[2] * c.in[3]) - 0.5);
      trial.compare([&](auto on) { max_pool2d_backward(on, dy, index, dx); },
                    [&] { reference::max_pool2d_backward(dy, index, dx); },
                    testing::tolerance(c.t, 1e-6));
    } else {
      trial.compare([&](auto on) { avg_pool2d_backward(on, dy, dx, c.p); },
                    [&] { reference::avg_pool2d_backward(dy, dx, c.p); },
                    testing::tolerance(c.t, 2e-6));
    }
  }
}

TEST(Pool, UpsamplingMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Upsample mode = trial.chance(0.5) ? Upsample::nearest : Upsample::bilinear;
    DType t = trial.floating();
    int64_t n = trial.below(4), channels = trial.size(40), h = 1 + trial.below(6),
            w = 1 + trial.below(6), f = 1 + trial.below(4), g = 1 + trial.below(4);
    Shape small{n, channels, h, w}, large{n, channels, h * f, w * g};
    bool forward = trial.chance(0.5);
    View from = trial.input(forward ? small : large, t, Memory::channels_last, -2, 2);
    View to = trial.output(forward ? large : small, t, Memory::channels_last);
    if (forward)
      trial.compare([&](auto on) { upsample2d(on, mode, from, to); },
                    [&] { reference::upsample2d(mode, from, to); }, testing::tolerance(t, 1e-6));
    else
      trial.compare([&](auto on) { upsample2d_backward(on, mode, from, to); },
                    [&] { reference::upsample2d_backward(mode, from, to); },
                    testing::tolerance(t, 4e-6));
  }
}

// torch.nn.functional.interpolate([[0, 1]], scale_factor=2, mode="bilinear", align_corners=False)
TEST(Pool, BilinearAgreesWithPyTorch) {
  Tensor x = Tensor::from<float>({0, 1}, {1, 1, 1, 2}), y = Tensor::empty({1, 1, 2, 4});
  upsample2d(Cpu{}, Upsample::bilinear, x.view(), y.view());
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 0.25, 0.75, 1, 0, 0.25, 0.75, 1}));
}

}  // namespace
}  // namespace clade::kernels

// Convolution on the device: every face against the reference, over shapes of every kind.
#include "kernels/conv/conv.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

struct Case {
  ConvParams p;
  Shape x, w, y;
  DType t;
};

// Small images; channels of every remainder by 4; now and then several tiles of the product.
Case random_case(Trial& trial) {
  Case c;
  c.t = trial.chance(0.25) ? DType::f64 : DType::f32;
  c.p.groups = trial.chance(0.2) ? 1 + trial.below(3) : 1;
  const bool wide = trial.chance(0.3);
  auto channels = [&] {
    const int64_t n = trial.chance(0.05) ? 0 : 1 + trial.below(wide ? 80 : 9);
    return trial.chance(0.5) ? (n + 3) / 4 * 4 : n;
  };
  const int64_t in = channels(), out = channels();
  const int64_t r = 1 + trial.below(5), s = trial.chance(0.7) ? r : 1 + trial.below(5);
  for (int d = 0; d < 2; d++) {
    c.p.stride[d] = 1 + trial.below(3);
    c.p.padding[d] = trial.below(3);
    c.p.dilation[d] = trial.chance(0.25) ? 2 + trial.below(2) : 1;
  }
  const int64_t n = trial.below(wide ? 3 : 5), h = 1 + trial.below(11), w = 1 + trial.below(11);
  auto size = [&](int64_t of, int64_t kernel, int d) {
    return conv_output_size(of, kernel, c.p.stride[d], c.p.padding[d], c.p.dilation[d]);
  };
  c.x = {n, in * c.p.groups, h, w};
  c.w = {out * c.p.groups, in, r, s};
  c.y = {n, out * c.p.groups, size(h, r, 0), size(w, s, 1)};
  return c;
}

View image(Trial& trial, const Shape& sizes, DType t) {
  return trial.input(sizes, t, Memory::channels_last, -1, 1);
}
View bias_of(Trial& trial, const Shape& sizes, DType t) {
  if (trial.chance(0.5)) return View{};
  return trial.input({sizes[1]}, t, Memory::row_major, -1, 1);
}
double slope_of(Trial& trial) { return trial.chance(0.5) ? 1 : trial.chance(0.5) ? 0 : 0.2; }
double tolerance(const Case& c) { return testing::tolerance(c.t, 1e-5, 1e-12); }

TEST(CudaConv, ForwardMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(300); seed++) {
    Trial trial(seed);
    const Case c = random_case(trial);
    const View x = image(trial, c.x, c.t), bias = bias_of(trial, c.y, c.t);
    const View w = trial.input(c.w, c.t, Memory::row_major, -1, 1);
    const View y = trial.output(c.y, c.t, Memory::channels_last);
    const double slope = slope_of(trial);
    trial.compare([&](auto on) { conv2d_forward(on, x, w, bias, y, c.p, slope); },
                  [&] { reference::conv2d_forward(x, w, bias, y, c.p, slope); }, tolerance(c));
  }
}

TEST(CudaConv, GradInputMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(300); seed++) {
    Trial trial(seed);
    const Case c = random_case(trial);
    const View y = image(trial, c.y, c.t), bias = bias_of(trial, c.x, c.t);
    const View w = trial.input(c.w, c.t, Memory::row_major, -1, 1);
    const View x = trial.output(c.x, c.t, Memory::channels_last);
    const double slope = slope_of(trial);
    trial.compare([&](auto on) { conv2d_grad_input(on, y, w, bias, x, c.p, slope); },
                  [&] { reference::conv2d_grad_input(y, w, bias, x, c.p, slope); }, tolerance(c));
  }
}

TEST(CudaConv, GradWeightMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(300); seed++) {
    Trial trial(seed);
    const Case c = random_case(trial);
    const View x = image(trial, c.x, c.t), y = image(trial, c.y, c.t);
    const View w = trial.output(c.w, c.t);
    trial.compare([&](auto on) { conv2d_grad_weight(on, x, y, w, c.p); },
                  [&] { reference::conv2d_grad_weight(x, y, w, c.p); }, tolerance(c));
  }
}

// Ten bits of each factor: an error of 1 / 1000 of a product, of which some hundred are summed.
TEST(CudaConv, TensorFloatsMatchReferenceRoughly) {
  for (uint64_t seed = 0; seed < testing::trials(40); seed++) {
    Trial trial(seed);
    Case c = random_case(trial);
    const View x = image(trial, c.x, DType::f32);
    const View w = trial.input(c.w, DType::f32, Memory::row_major, -1, 1);
    const View y = trial.output(c.y, DType::f32, Memory::channels_last);
    trial.compare(
        [&](auto on) {
          on.products = Cuda::Products::tf32;
          conv2d_forward(on, x, w, View{}, y, c.p);
        },
        [&] { reference::conv2d_forward(x, w, View{}, y, c.p); }, 0.03);
  }
}

}  // namespace
}  // namespace clade::kernels

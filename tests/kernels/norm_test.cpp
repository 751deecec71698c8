#include "kernels/norm/norm.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

// x of (N, C) or channels-last (N, C, H, W), and the tables of its channels.
struct NormCase {
  explicit NormCase(Trial& trial) : t(trial.floating()) {
    const int64_t c = trial.size(trial.chance(0.1) ? 700 : 70);
    const int64_t rows = std::max<int64_t>(1, trial.elements() / c);
    if (trial.chance(0.5)) {
      sizes = Shape{trial.size(rows), c};
    } else {
      const int64_t h = trial.size(8), w = trial.size(8);
      sizes = Shape{trial.size(1 + rows / (h * w)), c, h, w};
    }
    if (trial.chance(0.03)) sizes = sizes.with(1, 0);
    const double centre = trial.chance(0.2) ? 100 : 0.5;  // a large mean must not cancel
    x = trial.input(sizes, t, Memory::channels_last, centre - 2, centre + 2);
    gamma = channels(trial, 0.5, 2), beta = channels(trial, -1, 1);
    // xhat dgamma in the backward passes is large when the given mean is far from x.
    tolerance = testing::tolerance(t, 1e-5, 1e-11) * (centre > 1 ? 300 : 1);
  }
  View channels(Trial& trial, double low, double high) {
    return trial.input({sizes[1]}, t, Memory::row_major, low, high);
  }
  View like_x(Trial& trial) { return trial.output(sizes, t, Memory::channels_last); }

  DType t;
  Shape sizes;
  View x, gamma, beta;
  double tolerance;
};

// None, ReLU, LeakyReLU, in turn.
double slope_of(uint64_t seed) { return seed % 3 == 0 ? 1 : seed % 3 == 1 ? 0 : 0.01; }

TEST(BatchNorm, TrainingMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(300); seed++) {
    Trial trial(seed);
    NormCase c(trial);
    const bool tracked = trial.chance(0.7);
    const Shape channels{c.sizes[1]};
    View running_mean, running_var;
    if (tracked) {
      running_mean = trial.in_place(channels, c.t, Memory::row_major, -1, 1);
      running_var = trial.in_place(channels, c.t, Memory::row_major, 0.5, 1);
    }
    View y = c.like_x(trial);
    View mean = trial.output(channels, c.t), inv_std = trial.output(channels, c.t),
         offset = trial.output(channels, c.t);
    const double slope = slope_of(seed);
    auto run = [&](auto batch_norm) {
      batch_norm(c.x, c.gamma, c.beta, 1e-5, 0.1, running_mean, running_var, slope, y, mean,
                 inv_std, offset);
    };
    // Few rows may lie close together: a deviation near 0 magnifies what f64 rounds away.
    trial.compare([&](auto on) { run([&](auto... v) { batch_norm_training(on, v...); }); },
                  [&] { run([](auto... v) { reference::batch_norm_training(v...); }); },
                  testing::tolerance(c.t, 1e-5, 1e-7));
  }
}

TEST(BatchNorm, TrainingBackwardMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(300); seed++) {
    Trial trial(seed);
    NormCase c(trial);
    View dy = trial.input(c.sizes, c.t, Memory::channels_last, -1, 1);
    View mean = c.channels(trial, -0.5, 0.5), inv_std = c.channels(trial, 0.3, 2),
         offset = c.channels(trial, -1, 1);
    const double slope = slope_of(seed);
    View dx = c.like_x(trial), dgamma = trial.output({c.sizes[1]}, c.t),
         dbeta = trial.output({c.sizes[1]}, c.t);
    trial.compare(
        [&](auto on) {
          batch_norm_training_backward(on, c.x, dy, c.gamma, mean, inv_std, offset, slope, dx,
                                       dgamma, dbeta);
        },
        [&] {
          reference::batch_norm_training_backward(c.x, dy, c.gamma, mean, inv_std, offset, slope,
                                                  dx, dgamma, dbeta);
        },
        c.tolerance);
  }
}

TEST(BatchNorm, EvaluationMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(200); seed++) {
    Trial trial(seed);
    NormCase c(trial);
    View mean = c.channels(trial, -1, 1), var = c.channels(trial, 0.1, 2), y = c.like_x(trial);
    trial.compare(
        [&](auto on) {
          batch_norm_evaluation(on, c.x, c.gamma, c.beta, 1e-3, mean, var, slope_of(seed), y);
        },
        [&] {
          reference::batch_norm_evaluation(c.x, c.gamma, c.beta, 1e-3, mean, var, slope_of(seed),
                                           y);
        },
        c.tolerance);
  }
}

TEST(BatchNorm, EvaluationBackwardMatchesReference) {
  for (uint64_t seed = 0; seed < testing::trials(200); seed++) {
    Trial trial(seed);
    NormCase c(trial);
    View dy = trial.input(c.sizes, c.t, Memory::channels_last, -1, 1);
    View mean = c.channels(trial, -1, 1), var = c.channels(trial, 0.1, 2);
    View dx = c.like_x(trial), dgamma = trial.output({c.sizes[1]}, c.t),
         dbeta = trial.output({c.sizes[1]}, c.t);
    trial.compare(
        [&](auto on) {
          batch_norm_evaluation_backward(on, c.x, dy, c.gamma, c.beta, 1e-3, mean, var,
                                         slope_of(seed), dx, dgamma, dbeta);
        },
        [&] {
          reference::batch_norm_evaluation_backward(c.x, dy, c.gamma, c.beta, 1e-3, mean, var,
                                                    slope_of(seed), dx, dgamma, dbeta);
        },
        c.tolerance);
  }
}

TEST(BatchNorm, SmallDeviationBesideLargeMean) {  // E[x^2] - E[x]^2 would leave nothing in f32
  Random rng(5);
  Tensor x = Tensor::empty({50000, 2}), y = Tensor::empty_like(x);
  fill_normal(rng, x, 1000, 0.5);
  Tensor one = Tensor::full({2}, 1), zero = Tensor::zeros({2});
  Tensor mean = Tensor::empty({2}), inv_std = Tensor::empty({2}), offset = Tensor::empty({2});
  batch_norm_training(Cpu{}, x.view(), one.view(), zero.view(), 0, 0.1, View{}, View{}, 1, y.view(),
                      mean.view(), inv_std.view(), offset.view());
  for (int64_t c = 0; c < 2; c++) {
    EXPECT_NEAR(mean.at({c}), 1000, 0.02);
    EXPECT_NEAR(inv_std.at({c}), 2, 0.02);
  }
}

// The shift is taken from 32 rows; where these are far from the rest, E[d^2] - E[d]^2 would cancel.
TEST(BatchNorm, RowsThatMisleadTheShift) {
  Random rng(6);
  const int64_t rows = 32 * 1500;
  Tensor x = Tensor::empty({rows, 1}), y = Tensor::empty_like(x);
  fill_normal(rng, x, 1000, 0.5);
  for (int64_t row = 0; row < rows; row += 1500) x.data<float>()[row] = 0;
  Tensor one = Tensor::full({1}, 1), zero = Tensor::zeros({1});
  Tensor mean = Tensor::empty({1}), inv_std = Tensor::empty({1}), offset = Tensor::empty({1});
  Tensor mean2 = Tensor::empty({1}), inv_std2 = Tensor::empty({1});
  batch_norm_training(Cpu{}, x.view(), one.view(), zero.view(), 0, 0.1, View{}, View{}, 1, y.view(),
                      mean.view(), inv_std.view(), offset.view());
  reference::batch_norm_training(x.view(), one.view(), zero.view(), 0, 0.1, View{}, View{}, 1,
                                 y.view(), mean2.view(), inv_std2.view(), offset.view());
  EXPECT_NEAR(mean.item(), mean2.item(), 1e-4);
  EXPECT_NEAR(inv_std.item() / inv_std2.item(), 1, 1e-6);
}

}  // namespace
}  // namespace clade::kernels

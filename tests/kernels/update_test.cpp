#include "kernels/update/update.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

// A flat arena: parameters, gradients, two arrays of state.
struct Arena {
  explicit Arena(Trial& trial) : t(trial.floating()) {
    const Shape n{trial.below(20) ? trial.size(trial.elements()) : 0};
    p = trial.in_place(n, t, Memory::row_major, -1, 1);
    g = trial.input(n, t, Memory::row_major, -1, 1);
    a = trial.in_place(n, t, Memory::row_major, -0.5, 0.5);
    b = trial.in_place(n, t, Memory::row_major, 0.01, 0.5);
    c = trial.in_place(n, t, Memory::row_major, 0.01, 0.5);
  }
  double tolerance() const { return testing::tolerance(t, 2e-6); }
  DType t;
  View p, g, a, b, c;  // a of any sign, b and c positive
};

double decay(Trial& trial) { return trial.chance(0.5) ? 0 : 0.01; }

TEST(Update, SgdMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Arena x(trial);
    SgdStep s{.lr = 0.1, .weight_decay = decay(trial)};
    if (trial.chance(0.7)) s.momentum = 0.9, s.first = trial.chance(0.3);
    if (trial.chance(0.3)) s.dampening = 0.2;
    s.nesterov = s.dampening == 0 && trial.chance(0.5);
    if (s.first) trial.sprinkle(x.a, NAN, 0.5);  // not read by the first step
    const View buffer = s.momentum == 0 && trial.chance(0.5) ? View{} : x.a;
    trial.compare([&](auto on) { sgd_step(on, x.p, x.g, buffer, s); },
                  [&] { reference::sgd_step(x.p, x.g, buffer, s); }, x.tolerance());
  }
}

TEST(Update, AdamMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Arena x(trial);
    AdamStep s{.lr = 0.01, .weight_decay = decay(trial), .decoupled = trial.chance(0.5)};
    s.t = 1 + trial.below(1000);
    trial.compare([&](auto on) { adam_step(on, x.p, x.g, x.a, x.b, s); },
                  [&] { reference::adam_step(x.p, x.g, x.a, x.b, s); }, x.tolerance());
  }
}

TEST(Update, RmspropMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Arena x(trial);
    RmspropStep s{
        .lr = 0.01, .weight_decay = decay(trial), .momentum = trial.chance(0.5) ? 0 : 0.9};
    const View buffer = s.momentum == 0 && trial.chance(0.5) ? View{} : x.a;
    trial.compare([&](auto on) { rmsprop_step(on, x.p, x.g, x.b, buffer, s); },
                  [&] { reference::rmsprop_step(x.p, x.g, x.b, buffer, s); }, x.tolerance());
  }
}

TEST(Update, AdadeltaMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Arena x(trial);
    AdadeltaStep s{.lr = 1, .weight_decay = decay(trial)};
    trial.compare([&](auto on) { adadelta_step(on, x.p, x.g, x.b, x.c, s); },
                  [&] { reference::adadelta_step(x.p, x.g, x.b, x.c, s); }, x.tolerance());
  }
}

// By hand: m = 0.1 g, v = 0.001 g^2, so the corrected step is lr sign(g) whatever the size of g.
TEST(Update, FirstAdamStepIsTheLearningRate) {
  Tensor p = Tensor::zeros({2}), g = Tensor::from<float>({5, -0.001f}, {2});
  Tensor m = Tensor::zeros({2}), v = Tensor::zeros({2});
  adam_step(Cpu{}, p.view(), g.view(), m.view(), v.view(), {.lr = 0.1});
  EXPECT_NEAR(p.at({0}), -0.1, 1e-6);
  EXPECT_NEAR(p.at({1}), 0.1, 2e-6);  // eps = 1e-8 beside 1e-3
}

}  // namespace
}  // namespace clade::kernels

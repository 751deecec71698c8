// Optimizers, clipping and schedules against PyTorch.
#include "autograd/functions.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tests/support/golden.h"

namespace clade::optim {
namespace {

struct Holder {
  Var w;
  void visit(nn::Visitor& v) { v("w", w); }
};

template <class Make>
void check(const SafeTensors& golden, const std::string& name, Make make) {
  Holder holder{Var::parameter(golden.at("start"))};
  ParameterArena arena(holder);
  auto optimizer = make(arena);
  for (int step = 0; step < 3; step++) {
    // through backward, as a training loop does: d (g . w) / dw = g
    arena.zero_grad();
    backward(sum(holder.w * Var(golden.at("gradients").select(0, step))));
    optimizer.step();
    test::expect_close(holder.w.value(), golden.at(text(name, ".", step + 1)), 1e-6,
                       text(name, " step ", step + 1));
  }
}

TEST(PyTorchOptimizers, AgreeOverThreeSteps) {
  const SafeTensors g = test::load_golden("optimizers");
  check(g, "sgd", [](auto& a) { return Sgd(a, {.lr = 0.1}); });
  check(g, "sgd_momentum",
        [](auto& a) { return Sgd(a, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}); });
  check(g, "sgd_dampened",
        [](auto& a) { return Sgd(a, {.lr = 0.1, .momentum = 0.9, .dampening = 0.3}); });
  check(g, "sgd_nesterov",
        [](auto& a) { return Sgd(a, {.lr = 0.1, .momentum = 0.9, .nesterov = true}); });
  check(g, "adam", [](auto& a) { return Adam(a, {.lr = 0.01}); });
  check(g, "adam_decay",
        [](auto& a) { return Adam(a, {.lr = 0.01, .eps = 1e-4, .weight_decay = 0.1}); });
  check(g, "adamw",
        [](auto& a) { return Adam(a, {.lr = 0.01, .weight_decay = 0.1, .decoupled = true}); });
  check(g, "rmsprop", [](auto& a) { return Rmsprop(a, {.lr = 0.01}); });
  check(g, "rmsprop_momentum",
        [](auto& a) { return Rmsprop(a, {.lr = 0.01, .weight_decay = 0.1, .momentum = 0.9}); });
  check(g, "adadelta", [](auto& a) { return Adadelta(a, {}); });
  check(g, "adadelta_decay",
        [](auto& a) { return Adadelta(a, {.lr = 0.5, .rho = 0.8, .weight_decay = 0.1}); });
}

TEST(PyTorchOptimizers, ClippingAgrees) {
  const SafeTensors g = test::load_golden("optimizers");
  Holder holder{Var::parameter(g.at("start"))};
  ParameterArena arena(holder);
  backward(sum(holder.w * Var(g.at("gradients").select(0, 0))));
  EXPECT_NEAR(clip_grad_norm(arena, 1.5), g.at("clip_norm.before").item(), 1e-5);
  test::expect_close(holder.w.grad(), g.at("clip_norm"), 1e-6, "clipped gradients");
  EXPECT_NEAR(grad_norm(arena), 1.5, 1e-5);
}

TEST(PyTorchOptimizers, SchedulesAgree) {
  const SafeTensors g = test::load_golden("optimizers");
  StepSchedule step{0.5, 7, 0.3};
  ExponentialSchedule exponential{0.5, 0.9};
  CosineSchedule cosine{0.5, 39, 0.01};
  for (int64_t t = 0; t < 40; t++) {
    EXPECT_NEAR(step.at(t), g.at("schedule.step").at({t}), 1e-12);
    EXPECT_NEAR(exponential.at(t), g.at("schedule.exponential").at({t}), 1e-12);
    EXPECT_NEAR(cosine.at(t), g.at("schedule.cosine").at({t}), 1e-12);
  }
}

TEST(Optimizers, BadOptionsAreNamed) {
  Holder holder{Var::parameter(Tensor::zeros({3}))};
  ParameterArena arena(holder);
  EXPECT_THROW(Adam(arena, {.lr = -1}), Error);
  EXPECT_THROW(Sgd(arena, {.nesterov = true}), Error);
  arena.gradients().data<float>()[0] = INFINITY;
  EXPECT_THROW(clip_grad_norm(arena, 1), Error);
  struct Nothing {
    void visit(nn::Visitor&) {}
  } nothing;
  EXPECT_THROW(ParameterArena{nothing}, Error);
}

}  // namespace
}  // namespace clade::optim

// Optimizers (parameters and state), clipping and schedules against PyTorch.
#include "autograd/functions.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tests/support/errors.h"
#include "tests/support/golden.h"

namespace clade::optim {
namespace {

using clade::testing::message_of;

struct Holder {
  Var w;
  void visit(nn::Visitor& v) { v("w", w); }
};

// PyTorch's name of a tensor of the state.
std::string pytorch_name(const std::string& kind, const std::string& ours) {
  if (ours == "momentum") return "momentum_buffer";
  if (ours == "m") return "exp_avg";
  if (ours == "u") return "acc_delta";
  return kind == Adam::kKind ? "exp_avg_sq" : "square_avg";
}

template <class Optimizer>
void check_state(const SafeTensors& golden, const std::string& name, Optimizer& optimizer) {
  int64_t compared = 0, expected = 0;
  for (const SafeTensors::Entry& e : optimizer.state()) {
    if (e.name == "steps") continue;
    const Tensor& theirs = golden.at(text(name, ".state.", pytorch_name(Optimizer::kKind, e.name)));
    test::expect_close(e.tensor.slice(0, 0, theirs.numel()), theirs, 1e-6,
                       text(name, " state ", e.name));
    compared++;
  }
  for (const SafeTensors::Entry& e : golden.tensors)
    expected += e.name.starts_with(name + ".state.");
  EXPECT_EQ(compared, expected) << name;
}

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
  check_state(golden, name, optimizer);
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

// Momentum that begins after the first step: PyTorch's buffer is then the gradient, undamped.
TEST(Optimizers, MomentumMayBeginLater) {
  auto stepped = [](auto make, double dampening) {
    Holder holder{Var::parameter(Tensor::full({1}, 1))};
    ParameterArena arena(holder);
    auto optimizer = make(arena);
    for (int step = 0; step < 4; step++) {
      arena.gradients().data<float>()[0] = 1;
      if (step == 1) optimizer.options.momentum = 0.5;
      if constexpr (requires { optimizer.options.dampening; })
        optimizer.options.dampening = dampening;
      optimizer.step();
    }
    EXPECT_EQ(optimizer.state().back().name, "momentum");
    return holder.w.value().item();
  };
  // Steps of 1, then buffers 1, 0.5 + 0.6, 0.55 + 0.6.
  EXPECT_NEAR(stepped([](auto& a) { return Sgd(a, {.lr = 0.1}); }, 0.4),
              1 - 0.1 * (1 + 1 + 1.1 + 1.15), 1e-6);
  // All but eps cancels in g / sqrt(v) with alpha 0: buffers 1, 1.5, 1.75.
  EXPECT_NEAR(stepped([](auto& a) { return Rmsprop(a, {.lr = 0.1, .alpha = 0}); }, 0),
              1 - 0.1 * (1 + 1 + 1.5 + 1.75), 1e-6);
}

TEST(Optimizers, OptionsChangedBetweenStepsAreChecked) {
  Holder holder{Var::parameter(Tensor::full({3}, 2))};
  ParameterArena arena(holder);
  Sgd sgd(arena, {});
  sgd.options.lr = NAN;
  EXPECT_EQ(message_of([&] { sgd.step(); }), "Sgd: expected a finite lr of 0 or more; got nan");
  sgd.options = {.lr = 1, .nesterov = true};
  EXPECT_EQ(message_of([&] { sgd.step(); }),
            "Sgd: expected momentum above 0 and no dampening with nesterov; got momentum 0, "
            "dampening 0");
  Adam adam(arena, {});
  adam.options.beta2 = 1;
  EXPECT_EQ(message_of([&] { adam.step(); }), "Adam: expected beta2 in [0, 1); got 1");
  Rmsprop rmsprop(arena, {});
  rmsprop.options.alpha = 2;
  EXPECT_EQ(message_of([&] { rmsprop.step(); }), "Rmsprop: expected alpha in [0, 1]; got 2");
  Adadelta adadelta(arena, {});
  adadelta.options.weight_decay = -1;
  EXPECT_EQ(message_of([&] { adadelta.step(); }),
            "Adadelta: expected a finite weight_decay of 0 or more; got -1");
  EXPECT_EQ(holder.w.value().to_vector<float>(), (std::vector<float>{2, 2, 2}));
}

TEST(Optimizers, TiedParametersStayOne) {
  struct Tied {
    Var a, b, c;
    void visit(nn::Visitor& v) { v("a", a), v("b", b), v("c", c); }
  } model{Var::parameter(Tensor::full({2}, 3)), Var::parameter(Tensor::full({2}, 1)), {}};
  model.c = model.a;
  ParameterArena arena(model);
  EXPECT_EQ(arena.count(), 4);
  EXPECT_EQ(model.c.node().get(), model.a.node().get());
  backward(sum(model.a * 2.0) + sum(model.c));
  EXPECT_EQ(model.c.grad().to_vector<float>(), (std::vector<float>{3, 3}));
  Sgd(arena, {.lr = 1}).step();
  EXPECT_EQ(model.a.value().to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(model.c.value().to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(model.b.value().to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(Optimizers, BadOptionsAreNamed) {
  Holder holder{Var::parameter(Tensor::zeros({3}))};
  ParameterArena arena(holder);
  for (double lr : {-1.0, double(NAN), double(INFINITY), 1e39}) {
    const std::string refusal = text(": expected a finite lr of 0 or more; got ", lr);
    EXPECT_EQ(message_of([&] { Adam(arena, {.lr = lr}); }), "Adam" + refusal);
    EXPECT_EQ(message_of([&] { Sgd(arena, {.lr = lr}); }), "Sgd" + refusal);
    EXPECT_EQ(message_of([&] { Rmsprop(arena, {.lr = lr}); }), "Rmsprop" + refusal);
    EXPECT_EQ(message_of([&] { Adadelta(arena, {.lr = lr}); }), "Adadelta" + refusal);
  }
  // A parameter whose gradient is 0 would become 0 / 0; 1e-50 is 0 in f32.
  for (double eps : {0.0, 1e-50, double(NAN)}) {
    const std::string refusal = text(": expected a finite eps above 0, in f32; got ", eps);
    EXPECT_EQ(message_of([&] { Adam(arena, {.eps = eps}); }), "Adam" + refusal);
    EXPECT_EQ(message_of([&] { Rmsprop(arena, {.eps = eps}); }), "Rmsprop" + refusal);
    EXPECT_EQ(message_of([&] { Adadelta(arena, {.eps = eps}); }), "Adadelta" + refusal);
  }
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

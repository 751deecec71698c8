#include "optim/optimizer.h"

#include <cmath>

#include "autograd/on_device.h"
#include "kernels/update/steps.h"
#include "tensor/capture.h"

namespace clade::optim {
namespace {

Tensor state_like(const ParameterArena& arena) { return Tensor::zeros_like(arena.values()); }
Tensor counter() { return Tensor::zeros({}, DType::i64); }
int64_t advance(Tensor& steps) { return ++*steps.data<int64_t>(); }

// Of the optimizers Adam alone takes its numbers from device memory.
void refuse_recording(const char* op) {
  if (Capture::current()) fail(op, "a step that is not recorded", "a recorded one", "use Adam");
}

// Checks of one option. f32 must be able to hold it: with eps 1e-50 a gradient of 0 would be 0 / 0.
void from_0(const char* op, const char* name, double v) {
  if (!(v >= 0 && std::isfinite(float(v))))
    fail(op, text("a finite ", name, " of 0 or more"), text(v));
}
void above_0(const char* op, const char* name, double v) {
  if (!(float(v) > 0 && std::isfinite(float(v))))
    fail(op, text("a finite ", name, " above 0, in f32"), text(v));
}
void from_0_below_1(const char* op, const char* name, double v) {
  if (!(v >= 0 && v < 1)) fail(op, text(name, " in [0, 1)"), text(v));
}
void from_0_to_1(const char* op, const char* name, double v) {
  if (!(v >= 0 && v <= 1)) fail(op, text(name, " in [0, 1]"), text(v));
}

void check(const SgdOptions& o) {
  const char* op = Sgd::kKind;
  from_0(op, "lr", o.lr), from_0(op, "momentum", o.momentum);
  from_0(op, "weight_decay", o.weight_decay);
  if (!std::isfinite(float(o.dampening))) fail(op, "a finite dampening", text(o.dampening));
  if (o.nesterov && !(o.momentum > 0 && o.dampening == 0))
    fail(op, "momentum above 0 and no dampening with nesterov",
         text("momentum ", o.momentum, ", dampening ", o.dampening));
}

void check(const AdamOptions& o) {
  const char* op = Adam::kKind;
  from_0(op, "lr", o.lr), from_0(op, "weight_decay", o.weight_decay);
  from_0_below_1(op, "beta1", o.beta1), from_0_below_1(op, "beta2", o.beta2);
  above_0(op, "eps", o.eps);
}

void check(const RmspropOptions& o) {
  const char* op = Rmsprop::kKind;
  from_0(op, "lr", o.lr), from_0(op, "momentum", o.momentum);
  from_0(op, "weight_decay", o.weight_decay);
  from_0_to_1(op, "alpha", o.alpha);
  above_0(op, "eps", o.eps);
}

void check(const AdadeltaOptions& o) {
  const char* op = Adadelta::kKind;
  from_0(op, "lr", o.lr), from_0(op, "weight_decay", o.weight_decay);
  from_0_to_1(op, "rho", o.rho);
  above_0(op, "eps", o.eps);
}

// Checked options, on their way into an initializer list: nothing is allocated for bad ones.
template <class Options>
const Options& checked(const Options& o) {
  check(o);
  return o;
}

}  // namespace

Sgd::Sgd(ParameterArena& arena, const SgdOptions& o)
    : options(checked(o)),
      arena_(&arena),
      buffer_(o.momentum != 0 ? state_like(arena) : Tensor()),
      steps_(counter()) {}

void Sgd::step() {
  refuse_recording(kKind);
  check(options);
  bool first = false;
  if (options.momentum != 0) {
    if (!buffer_.defined()) buffer_ = state_like(*arena_);
    first = advance(steps_) == 1;
  }
  on_device(arena_->values(), [&](auto context) {
    kernels::sgd_step(context, arena_->values().view(), arena_->gradients().view(), buffer_.view(),
                      {options.lr, options.momentum, options.dampening, options.weight_decay,
                       options.nesterov, first});
  });
  arena_->values().written_by("Sgd::step");
}

State Sgd::state() {
  State s{{"steps", steps_}};
  if (buffer_.defined()) s.push_back({"momentum", buffer_});
  return s;
}

Adam::Adam(ParameterArena& arena, const AdamOptions& o)
    : options(checked(o)),
      arena_(&arena),
      m_(state_like(arena)),
      v_(state_like(arena)),
      steps_(counter()) {}

void Adam::step() {
  auto next = [this] {
    check(options);
    return kernels::AdamStep{options.lr,           options.beta1,     options.beta2,  options.eps,
                             options.weight_decay, options.decoupled, advance(steps_)};
  };
  kernels::AdamStep step;
  if (Capture* capture = Capture::current()) {  // nothing advances while a step is recorded
    step.numbers_on_device =
        capture->number<kernels::AdamNumbers>([next] { return kernels::adam_numbers(next()); });
  } else {
    step = next();
  }
  on_device(arena_->values(), [&](auto context) {
    kernels::adam_step(context, arena_->values().view(), arena_->gradients().view(), m_.view(),
                       v_.view(), step);
  });
  arena_->values().written_by("Adam::step");
}

State Adam::state() { return {{"steps", steps_}, {"m", m_}, {"v", v_}}; }

Rmsprop::Rmsprop(ParameterArena& arena, const RmspropOptions& o)
    : options(checked(o)),
      arena_(&arena),
      v_(state_like(arena)),
      buffer_(o.momentum != 0 ? state_like(arena) : Tensor()) {}

void Rmsprop::step() {
  refuse_recording(kKind);
  check(options);
  if (options.momentum != 0 && !buffer_.defined()) buffer_ = state_like(*arena_);
  on_device(arena_->values(), [&](auto context) {
    kernels::rmsprop_step(
        context, arena_->values().view(), arena_->gradients().view(), v_.view(), buffer_.view(),
        {options.lr, options.alpha, options.eps, options.weight_decay, options.momentum});
  });
  arena_->values().written_by("Rmsprop::step");
}

State Rmsprop::state() {
  State s{{"v", v_}};
  if (buffer_.defined()) s.push_back({"momentum", buffer_});
  return s;
}

Adadelta::Adadelta(ParameterArena& arena, const AdadeltaOptions& o)
    : options(checked(o)), arena_(&arena), v_(state_like(arena)), u_(state_like(arena)) {}

void Adadelta::step() {
  refuse_recording(kKind);
  check(options);
  on_device(arena_->values(), [&](auto context) {
    kernels::adadelta_step(context, arena_->values().view(), arena_->gradients().view(), v_.view(),
                           u_.view(), {options.lr, options.rho, options.eps, options.weight_decay});
  });
  arena_->values().written_by("Adadelta::step");
}

State Adadelta::state() { return {{"v", v_}, {"u", u_}}; }

}  // namespace clade::optim

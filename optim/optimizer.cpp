#include "optim/optimizer.h"

#include "kernels/update/update.h"

namespace clade::optim {
namespace {

const kernels::Cpu cpu;

Tensor state_like(const ParameterArena& arena) { return Tensor::zeros_like(arena.values()); }
Tensor counter() { return Tensor::zeros({}, DType::i64); }
int64_t advance(Tensor& steps) { return ++*steps.data<int64_t>(); }

void require(const char* op, bool holds, const char* expected) {
  if (!holds) fail(op, expected, "other options");
}

}  // namespace

Sgd::Sgd(ParameterArena& arena, const SgdOptions& o)
    : options(o),
      arena_(&arena),
      buffer_(o.momentum != 0 ? state_like(arena) : Tensor()),
      steps_(counter()) {
  require("Sgd", o.lr >= 0 && o.momentum >= 0 && o.weight_decay >= 0,
          "lr, momentum and weight_decay of 0 or more");
  require("Sgd", !o.nesterov || (o.momentum > 0 && o.dampening == 0),
          "momentum above 0 and no dampening with nesterov");
}

void Sgd::step() {
  bool first = advance(steps_) == 1;
  kernels::sgd_step(cpu, arena_->values().view(), arena_->gradients().view(),
                    buffer_.defined() ? buffer_.view() : View{},
                    {options.lr, options.momentum, options.dampening, options.weight_decay,
                     options.nesterov, first});
  arena_->values().written_by("Sgd::step");
}

State Sgd::state() {
  State s{{"steps", steps_}};
  if (buffer_.defined()) s.push_back({"momentum", buffer_});
  return s;
}

Adam::Adam(ParameterArena& arena, const AdamOptions& o)
    : options(o), arena_(&arena), m_(state_like(arena)), v_(state_like(arena)), steps_(counter()) {
  require("Adam", o.lr >= 0 && o.eps >= 0 && o.weight_decay >= 0,
          "lr, eps and weight_decay of 0 or more");
  require("Adam", o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1,
          "beta1 and beta2 in [0, 1)");
}

void Adam::step() {
  kernels::adam_step(cpu, arena_->values().view(), arena_->gradients().view(), m_.view(), v_.view(),
                     {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay,
                      options.decoupled, advance(steps_)});
  arena_->values().written_by("Adam::step");
}

State Adam::state() { return {{"steps", steps_}, {"m", m_}, {"v", v_}}; }

Rmsprop::Rmsprop(ParameterArena& arena, const RmspropOptions& o)
    : options(o),
      arena_(&arena),
      v_(state_like(arena)),
      buffer_(o.momentum != 0 ? state_like(arena) : Tensor()) {
  require("Rmsprop",
          o.lr >= 0 && o.eps >= 0 && o.alpha >= 0 && o.weight_decay >= 0 && o.momentum >= 0,
          "options of 0 or more");
}

void Rmsprop::step() {
  kernels::rmsprop_step(
      cpu, arena_->values().view(), arena_->gradients().view(), v_.view(),
      buffer_.defined() ? buffer_.view() : View{},
      {options.lr, options.alpha, options.eps, options.weight_decay, options.momentum});
  arena_->values().written_by("Rmsprop::step");
}

State Rmsprop::state() {
  State s{{"v", v_}};
  if (buffer_.defined()) s.push_back({"momentum", buffer_});
  return s;
}

Adadelta::Adadelta(ParameterArena& arena, const AdadeltaOptions& o)
    : options(o), arena_(&arena), v_(state_like(arena)), u_(state_like(arena)) {
  require("Adadelta", o.lr >= 0 && o.eps >= 0 && o.weight_decay >= 0, "options of 0 or more");
  require("Adadelta", o.rho >= 0 && o.rho <= 1, "rho in [0, 1]");
}

void Adadelta::step() {
  kernels::adadelta_step(cpu, arena_->values().view(), arena_->gradients().view(), v_.view(),
                         u_.view(), {options.lr, options.rho, options.eps, options.weight_decay});
  arena_->values().written_by("Adadelta::step");
}

State Adadelta::state() { return {{"v", v_}, {"u", u_}}; }

}  // namespace clade::optim

// Optimizers: PyTorch's formulas and defaults, one fused kernel a step (kernels/update/update.h).
//
//     ParameterArena arena(model);
//     Adam adam(arena, {.lr = 1e-3});
//     arena.zero_grad();  backward(loss);  adam.step();
//
// Options may be changed between steps: `adam.options.lr = schedule.at(epoch)`. Constructor and
// step() throw Error on options that would make a NaN, before anything is changed.
#pragma once

#include <vector>

#include "optim/arena.h"

namespace clade::optim {

// What a checkpoint keeps of an optimizer, by name, beside its kKind; the tensors share the
// optimizer's memory.
using State = std::vector<SafeTensors::Entry>;

struct SgdOptions {
  double lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;  // needs momentum > 0 and no dampening
};

class Sgd {
 public:
  static constexpr const char* kKind = "Sgd";
  Sgd(ParameterArena& arena, const SgdOptions& options);
  void step();
  State state();

  SgdOptions options;

 private:
  ParameterArena* arena_;
  Tensor buffer_;  // undefined until there is momentum
  Tensor steps_;   // with momentum: the first one fills the buffer
};

struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false;  // AdamW (Loshchilov and Hutter 2019); its usual weight_decay is 1e-2
};

class Adam {
 public:
  static constexpr const char* kKind = "Adam";
  Adam(ParameterArena& arena, const AdamOptions& options);
  void step();
  State state();

  AdamOptions options;

 private:
  ParameterArena* arena_;
  Tensor m_, v_, steps_;
};

struct RmspropOptions {
  double lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
};

class Rmsprop {
 public:
  static constexpr const char* kKind = "Rmsprop";
  Rmsprop(ParameterArena& arena, const RmspropOptions& options);
  void step();
  State state();

  RmspropOptions options;

 private:
  ParameterArena* arena_;
  Tensor v_, buffer_;
};

struct AdadeltaOptions {
  double lr = 1, rho = 0.9, eps = 1e-6, weight_decay = 0;
};

class Adadelta {
 public:
  static constexpr const char* kKind = "Adadelta";
  Adadelta(ParameterArena& arena, const AdadeltaOptions& options);
  void step();
  State state();

  AdadeltaOptions options;

 private:
  ParameterArena* arena_;
  Tensor v_, u_;
};

}  // namespace clade::optim

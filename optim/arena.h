// ParameterArena: all parameters of a module in one flat array, their gradients in another.
//
// An optimizer step is then one fused kernel over contiguous memory, clipping is one reduction, and
// zero_grad() writes nothing: the next gradient of a parameter takes the place of the last. Each
// parameter starts on a 64-byte boundary; the gaps stay 0.
#pragma once

#include "nn/module.h"

namespace clade::optim {

class ParameterArena {
 public:
  // Moves the parameters into the arena: the module's Vars become views of it, with gradients that
  // accumulate in place. Tied parameters (`decoder.weight = encoder.weight`) stay one. Throws Error
  // when there are none or their dtypes differ.
  template <class Module>
  explicit ParameterArena(Module& module) : ParameterArena(nn::parameters(module)) {}
  explicit ParameterArena(const std::vector<nn::NamedParameter>& parameters);

  const Tensor& values() const { return values_; }
  const Tensor& gradients() const;          // of parameters that backward() did not reach: 0
  int64_t count() const { return count_; }  // parameters proper, without gaps, tied ones once

  void zero_grad();

 private:
  std::vector<Var> parameters_;  // tied ones once
  Tensor values_, gradients_;
  int64_t count_ = 0;
};

// The Euclidean norm of all gradients, in f64.
double grad_norm(const ParameterArena& arena);
// Scales the gradients so that their norm is at most max_norm; returns the norm before. Throws
// Error when it is not finite: a diverged loss is reported where it happens.
double clip_grad_norm(ParameterArena& arena, double max_norm);
// Clamps each gradient to [-limit, limit].
void clip_grad_value(ParameterArena& arena, double limit);

}  // namespace clade::optim

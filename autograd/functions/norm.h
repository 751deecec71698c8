// Batch normalisation, and the activation that follows it.
#pragma once

#include "autograd/var.h"

namespace clade {

// The running statistics (C), changed in place by training calls; undefined: not kept.
struct BatchNormState {
  Tensor running_mean, running_var;
};

// x (N, C) or (N, C, H, W); gamma, beta (C). Training: by the batch's statistics, which move the
// running ones by `momentum`; evaluation: by the running ones, which must then be there. With a
// slope of 0 or more, leaky_relu of that in the same pass over memory (1: none; 0: ReLU).
Var batch_norm(const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state,
               bool training, double momentum = 0.1, double eps = 1e-5, double slope = 1);

}  // namespace clade

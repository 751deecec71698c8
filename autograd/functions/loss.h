// Losses: each gives one value a sample, (N), summed over all other axes, masked if a mask is
// given. Batch means, sums and the PyTorch-like module forms stand in nn/losses.h.
//
// A mask has the shape and dtype of the data, 1 where observed and 0 where missing. Missing places
// get a gradient of exactly 0, and what the target holds there is never used.
#pragma once

#include "autograd/var.h"

namespace clade {

// sum m (xhat - x)^2                                             (P0 eq. 5, per sample)
Var squared_error(const Var& xhat, const Tensor& x, const Tensor& mask = {});
// sum m [max(a, 0) - a x + log(1 + exp -|a|)], a the logits, x in [0, 1]
Var bce_with_logits(const Var& logits, const Tensor& x, const Tensor& mask = {});
// sum m log N(x; mean, exp(logvar)); x may need a gradient too
Var gaussian_log_likelihood(const Var& x, const Var& mean, const Var& logvar,
                            const Tensor& mask = {});
// sum m log t(x; mean, scale, df) of Student's t; scale > 0, df > 0
Var student_t_log_likelihood(const Tensor& x, const Var& mean, const Var& scale, const Var& df,
                             const Tensor& mask = {});
// KL(N(mean, exp(logvar)) || N(0, I)) = 1/2 sum [mean^2 + exp(logvar) - logvar - 1]
Var kl_standard_normal(const Var& mean, const Var& logvar);

}  // namespace clade

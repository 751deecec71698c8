// norm: batch normalisation (Ioffe and Szegedy 2015), per channel c over all other axes, and the
// ReLU or LeakyReLU that follows it, in the same pass.
//
//     training    mean_c, var_c over the M = N H W elements of the channel (biased variance)
//                 v = (x - mean) inv_std gamma + beta,  inv_std = 1 / sqrt(var + eps)
//                 y = v > 0 ? v : slope v              slope 1: no activation; 0: ReLU
//     evaluation  the same with running_mean, running_var in place of the batch's
//     gradient    xhat = (x - mean) inv_std,  dv = v > 0 ? dy : slope dy
//                 dbeta = sum dv,  dgamma = sum dv xhat
//                 dx = gamma inv_std (dv - dbeta / M - xhat dgamma / M)          (training)
//                 dx = gamma inv_std dv                                          (evaluation)
//
// Shapes: x, y, dy, dx (N, C) row-major or (N, C, H, W) channels-last; the rest (C). One floating
// dtype. gamma and beta are required (a layer without them passes ones and zeros). M >= 1.
// Statistics: sums of shifted values in a fixed order. Outputs are overwritten.
// Cost: forward reads x twice and writes y; backward reads x and dy twice and writes dx, and works
// out v once more instead of reading it.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// mean, inv_std and offset (C) are written for the backward pass: with them v = (x - mean) gamma
// inv_std + offset, where offset is beta and what rounding took from the mean. When
// running_mean.data is not null the running statistics move: running = (1 - momentum) running +
// momentum batch, with the UNBIASED variance var M / (M - 1), as PyTorch does (M = 1 counts as
// biased).
void batch_norm_training(const Cpu&, const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         double slope, const View& y, const View& mean, const View& inv_std,
                         const View& offset);
void batch_norm_training_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& offset,
                                  double slope, const View& dx, const View& dgamma,
                                  const View& dbeta);
void batch_norm_evaluation(const Cpu&, const View& x, const View& gamma, const View& beta,
                           double eps, const View& running_mean, const View& running_var,
                           double slope, const View& y);
void batch_norm_evaluation_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                    const View& beta, double eps, const View& running_mean,
                                    const View& running_var, double slope, const View& dx,
                                    const View& dgamma, const View& dbeta);

// The same on a GPU.
void batch_norm_training(const Cuda&, const View& x, const View& gamma, const View& beta,
                         double eps, double momentum, const View& running_mean,
                         const View& running_var, double slope, const View& y, const View& mean,
                         const View& inv_std, const View& offset);
void batch_norm_training_backward(const Cuda&, const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& offset,
                                  double slope, const View& dx, const View& dgamma,
                                  const View& dbeta);
void batch_norm_evaluation(const Cuda&, const View& x, const View& gamma, const View& beta,
                           double eps, const View& running_mean, const View& running_var,
                           double slope, const View& y);
void batch_norm_evaluation_backward(const Cuda&, const View& x, const View& dy, const View& gamma,
                                    const View& beta, double eps, const View& running_mean,
                                    const View& running_var, double slope, const View& dx,
                                    const View& dgamma, const View& dbeta);

namespace reference {
void batch_norm_training(const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         double slope, const View& y, const View& mean, const View& inv_std,
                         const View& offset);
void batch_norm_training_backward(const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& offset,
                                  double slope, const View& dx, const View& dgamma,
                                  const View& dbeta);
void batch_norm_evaluation(const View& x, const View& gamma, const View& beta, double eps,
                           const View& running_mean, const View& running_var, double slope,
                           const View& y);
void batch_norm_evaluation_backward(const View& x, const View& dy, const View& gamma,
                                    const View& beta, double eps, const View& running_mean,
                                    const View& running_var, double slope, const View& dx,
                                    const View& dgamma, const View& dbeta);
}  // namespace reference

}  // namespace clade::kernels

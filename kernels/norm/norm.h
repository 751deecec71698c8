// norm: batch normalisation (Ioffe and Szegedy 2015), per channel c over all other axes.
//
//     training    mean_c, var_c over the M = N H W elements of the channel (biased variance)
//                 y = (x - mean) inv_std gamma + beta,  inv_std = 1 / sqrt(var + eps)
//     evaluation  the same with running_mean, running_var in place of the batch's
//     gradient    xhat = (x - mean) inv_std
//                 dbeta = sum dy,  dgamma = sum dy xhat
//                 dx = gamma inv_std (dy - dbeta / M - xhat dgamma / M)          (training)
//                 dx = gamma inv_std dy                                          (evaluation)
//
// Shapes: x, y, dy, dx (N, C) row-major or (N, C, H, W) channels-last; the rest (C). One floating
// dtype. gamma and beta are required (a layer without them passes ones and zeros). M >= 1.
// Statistics: f64 sums of shifted values in a fixed order. Outputs are overwritten.
// Cost: forward reads x twice and writes y; backward reads x and dy twice and writes dx.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// mean and inv_std (C) are written for the backward pass. When running_mean.data is not null the
// running statistics move: running = (1 - momentum) running + momentum batch, with the UNBIASED
// variance var M / (M - 1), as PyTorch does (M = 1 counts as biased).
void batch_norm_training(const Cpu&, const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         const View& y, const View& mean, const View& inv_std);
void batch_norm_training_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& dx,
                                  const View& dgamma, const View& dbeta);
void batch_norm_evaluation(const Cpu&, const View& x, const View& gamma, const View& beta,
                           double eps, const View& running_mean, const View& running_var,
                           const View& y);
void batch_norm_evaluation_backward(const Cpu&, const View& x, const View& dy, const View& gamma,
                                    double eps, const View& running_mean, const View& running_var,
                                    const View& dx, const View& dgamma, const View& dbeta);

namespace reference {
void batch_norm_training(const View& x, const View& gamma, const View& beta, double eps,
                         double momentum, const View& running_mean, const View& running_var,
                         const View& y, const View& mean, const View& inv_std);
void batch_norm_training_backward(const View& x, const View& dy, const View& gamma,
                                  const View& mean, const View& inv_std, const View& dx,
                                  const View& dgamma, const View& dbeta);
void batch_norm_evaluation(const View& x, const View& gamma, const View& beta, double eps,
                           const View& running_mean, const View& running_var, const View& y);
void batch_norm_evaluation_backward(const View& x, const View& dy, const View& gamma, double eps,
                                    const View& running_mean, const View& running_var,
                                    const View& dx, const View& dgamma, const View& dbeta);
}  // namespace reference

}  // namespace clade::kernels

// Soft assignment of codes to centres, and the target that sharpens it.
//
//     q_ij = (1 + |z_i - m_j|^2)^-1 / sum_j' (1 + |z_i - m_j'|^2)^-1           (DEC eq. 1, alpha 1)
//     p_ij = (q_ij^2 / f_j) / sum_j' (q_ij'^2 / f_j'),     f_j = sum_i q_ij    (DEC eq. 3)
//     L    = KL(P || Q) = 1/N sum_i sum_j p_ij log(p_ij / q_ij)                (DEC eq. 2, a mean)
//
// Source: Xie, Girshick, Farhadi, "Unsupervised deep embedding for clustering analysis", ICML 2016.
// f sums over all rows: of a batch alone it would be another, noisier method.
#pragma once

#include "autograd/var.h"

namespace clade::models {

// log q (N, k) of codes z (N, d) and centres (k, d); differentiable in both. Distances are sums of
// squared differences, so nothing cancels.
Var log_soft_assignment(const Var& z, const Var& centres);

// p (n, k) of q (n, k), in its dtype; sums in f64, row by row in order. A cluster that nothing
// belongs to (f_j = 0) gets p = 0.
Tensor target_distribution(const Tensor& q);

// The mean over rows of KL(p || q).
Var clustering_loss(const Var& log_q, const Tensor& p);

// The cluster of the largest value of each row, (n) i32, ties to the lowest.
Tensor hardened(const Tensor& q);

}  // namespace clade::models

// The scatter matrix of weighted rows about a mean: what PCA and full-covariance mixtures are
// fitted from.
//
//   S = sum_i w_i (x_i - m)(x_i - m)'        (d, d), symmetric
//
// The mean is subtracted before the product: the shorter formula sum w x x' - W m m' cancels, and
// gives negative variances for data far from the origin.
#pragma once

#include "tensor/tensor.h"

namespace clade::cluster {

// Of many f32 rows without weights (n d^2 >= kManyProducts) the products are f32, of 1,024 rows at
// a time, whose sums are joined in f64: 1e-6 of the largest entry.
constexpr double kManyProducts = 2e9;

// x (n, d) as finite_matrix returns it; mean: d values; weight: w_i = weight[i * stride] >= 0, or
// null for 1. Writes scatter (d, d), row-major: in f64 but for those, over fixed blocks of
// rows joined in order.
void scatter_matrix(const Tensor& x, const double* mean, const double* weight, int64_t stride,
                    double* scatter);

}  // namespace clade::cluster

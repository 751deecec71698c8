// The M-step of a Gaussian mixture: sums over tiles of rows, of which each component takes those
// that it has a part in.
//
// Means first, as one product R' [X 1]; then, about these means, sqrt-free covariances: z' (r z) of
// tiles of centred rows, lower triangle alone (clustering/linalg/row_products.h). Two passes, since
// sum r x x' - N m m' cancels.
#pragma once

#include "clustering/mixture/gmm.h"

namespace clade::cluster {

// The weights, means and covariances (of the kind gmm->covariance) that are likeliest for the rows
// of x (n, d) with responsibilities r (n, k) f64; reg_covar is added to every variance.
// products: what the products for the covariances are computed in; sums of 64 of them are added up
// in f64, and the means are f64. Same bits at any number of threads.
void maximize(const Tensor& x, const Tensor& r, double reg_covar, Gmm* gmm,
              DType products = DType::f64);

}  // namespace clade::cluster

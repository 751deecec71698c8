// The M-step of a Gaussian mixture.
#pragma once

#include "clustering/mixture/gmm.h"

namespace clade::cluster {

// The weights, means and covariances (of the kind gmm->covariance) that are likeliest for the rows
// of x (n, d) with responsibilities r (n, k) f64; reg_covar is added to every variance.
void maximize(const Tensor& x, const Tensor& r, double reg_covar, Gmm* gmm);

}  // namespace clade::cluster

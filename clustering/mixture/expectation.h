// The E-step of a Gaussian mixture.
#pragma once

#include "clustering/mixture/gaussians.h"

namespace clade::cluster {

// For each row of x (n, d): its responsibilities into (n, k) f64 and ln p(x_i) into (n) f64, where
// these are defined. Returns the mean of ln p(x_i), summed in order.
double expect(const Whitening& whitening, const Tensor& weights, const Tensor& means,
              const Tensor& x, const Tensor& responsibilities, const Tensor& log_likelihood);

}  // namespace clade::cluster

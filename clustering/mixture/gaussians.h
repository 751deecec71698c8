// k Gaussian densities over d columns, made ready to be evaluated (expectation.h).
//
//   ln N(x; m, S) = ln |W| - (d ln 2 pi + ||W (x - m)||^2) / 2,      W' W = S^-1
//
// W = L^-1, where S = L L' (Cholesky), whitens the component: W (x - m) is standard normal. The
// mean is subtracted before the product, never after: W x - W m loses digits for data far from 0.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

// The shape of the covariances, and of the tensors that hold them and W (all f64).
enum class Covariance : uint8_t {
  full,       // (k, d, d): each component has its own matrix
  diagonal,   // (k, d): each has its own variances
  spherical,  // (k): each has one variance
  tied,       // (d, d): one matrix for all
};

struct Whitening {
  Covariance kind = Covariance::full;
  Tensor w;                     // L^-1, lower, or 1 / standard deviation; shaped as the covariances
  std::vector<double> log_det;  // (k): ln |W|
};

// Factors the covariances of k components over d columns. One that is not positive definite gets
// 1e-10 of its mean variance added to its diagonal, then ten times that, up to 1e-2; what was added
// stays in `covariances`. Throws Error when that does not help either.
Whitening whiten(Covariance kind, Tensor& covariances, int64_t k, int64_t d);

}  // namespace clade::cluster

// The largest eigenvalues of a symmetric positive semi-definite matrix, and their vectors.
//
// All d of them cost 9 d^3; a few cost a few dozen products with the matrix. Method: as in
// manifold/graph_spectrum.h, a block of vectors is multiplied by a Chebyshev polynomial of A that
// stays small on [0, lowest Ritz value] and grows beyond, then made orthonormal and rotated to the
// eigenvectors of A within its span.
//
// Source: Zhou, Saad, Tiago, Chelikowsky, "Self-consistent-field calculations using
// Chebyshev-filtered subspace iteration" (2006).
#pragma once

#include "clustering/linalg/eigen.h"

namespace clade::cluster {

// a (d, d) f64 as for symmetric_eigen, positive semi-definite; 1 <= count <= d. The `count` largest
// values, descending, and vectors (count, d), with residuals |A v - value v| below 1e-9 of the
// largest value. Where that is no gain (d small or count near d) or does not converge, cut from
// symmetric_eigen. Cost: some 50 * 2 d^2 (1.25 count + 16) FLOPs. Same bits at any number of
// threads.
SymmetricEigen top_eigen(const Tensor& a, int64_t count);

// Rows of v (p, d) f64 made orthonormal in place. False, with v spoilt, where they depend on each
// other.
bool orthonormalise_rows(Tensor& v);

}  // namespace clade::cluster

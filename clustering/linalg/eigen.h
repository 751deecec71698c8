// Eigenvalues and eigenvectors of a real symmetric matrix: A = V' diag(lambda) V.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

struct SymmetricEigen {
  std::vector<double> values;  // descending
  Tensor vectors;              // (d, d) f64: row i is the unit eigenvector of values[i]
};

// a: (d, d) f64 row-major, symmetric and finite; it is not changed. The signs of the vectors are
// arbitrary but fixed. About 8 d^3 FLOPs (d = 784: a second or two); memory 2 d^2. Same bits at any
// number of threads. Throws Error if the iteration fails, which no symmetric matrix is known to do.
SymmetricEigen symmetric_eigen(const Tensor& a);

}  // namespace clade::cluster

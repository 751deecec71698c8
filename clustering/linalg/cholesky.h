// Cholesky factors of symmetric positive definite matrices: A = L L', L lower triangular.
//
// Row-major f64, d (d + 1) / 2 numbers are read from the lower triangle. O(d^3 / 3).
// (Golub & Van Loan, Matrix Computations, 4th ed., section 4.2.5.)
#pragma once

#include <cstdint>

namespace clade::cluster {

// Replaces the lower triangle of a (d, d) by L and clears the upper one. False, with `a` half
// overwritten, when a pivot is not positive: the matrix is not positive definite in f64.
bool cholesky(double* a, int64_t d);

// Replaces the lower triangular l (d, d) by its inverse, lower triangular too. No zero diagonal.
void invert_lower(double* l, int64_t d);

}  // namespace clade::cluster

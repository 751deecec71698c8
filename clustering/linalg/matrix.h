// What every algorithm of this floor asks of its data, and the first moments of it.
//
// Data is a matrix x (n, d): n rows (points), d columns (features), f32 or f64. Missing values are
// not skipped in silence: an algorithm that cannot take NaN refuses it by name and place.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

// x as a row-major matrix on the CPU (the same tensor where it is one already).
// Throws Error naming `op` unless x is (n, d), n >= 1, d >= 1, f32 or f64, on the CPU and finite.
Tensor finite_matrix(const char* op, const Tensor& x, const char* name = "x");

// The same, where NaN is a missing value: only infinities are refused.
Tensor matrix_with_holes(const char* op, const Tensor& x, const char* name = "x");

// finite_matrix() without the look at each value, for those who read all of them anyway and call it
// for its message once all_finite() says no.
Tensor dense_matrix(const char* op, const Tensor& x, const char* name = "x");
// f32 or f64; on the calling thread.
template <class T>
bool all_finite(const T* x, int64_t count);

// Throws Error naming `op` where all rows of a first layout (n, r) f32, n >= 2, are one place:
// forces cannot part them.
void require_apart(const char* op, const Tensor& layout);

// Weights of n rows as (n) f64; undefined ones stay so. Throws Error naming `op` unless they are
// (n) of f32 or f64, finite, >= 0 and not all 0.
Tensor check_weights(const char* op, const Tensor& weights, int64_t n);

// The largest |x_ij|. x as finite_matrix returns it.
double largest_magnitude(const Tensor& x);

// Mean of each column, weighted by w (n, f64) where it is defined. x as finite_matrix returns it.
// Sums run in f64 over fixed blocks of rows that are joined in order: the same bits at any number
// of threads. A value that is not finite leaves a mean that is not.
std::vector<double> column_means(const Tensor& x, const Tensor& w = {});

// (1 / n) sum_i (x_ij - mean_j)^2 of each column: the population variance, from centred values.
std::vector<double> column_variances(const Tensor& x, const std::vector<double>& mean);

}  // namespace clade::cluster

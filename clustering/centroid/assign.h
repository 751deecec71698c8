// Nearest centres: the step that k-means, its initialization and its descendants share.
//
//   label_i = argmin_j ||x_i - c_j||^2 = argmin_j (||c_j||^2 / 2 - x_i.c_j)
//
// A tile of rows is multiplied with all centres and its argmin taken while it is in the cache; the
// (n, k) matrix of distances is never stored.
#pragma once

#include "tensor/tensor.h"

namespace clade::cluster {

// Rows of x with their mean taken off, in x's dtype. Distances do not change, but products of
// centred rows lose fewer digits.
Tensor centre_rows(const Tensor& x, const std::vector<double>& mean);

// Half the squared norm of each row of x (k, d), f64.
std::vector<double> half_squared_norms(const Tensor& x);

// labels[i - begin] for the rows begin <= i < end of x (n, d); centres (k, d) of x's dtype, both
// row-major. Ties go to the lowest centre. On the calling thread.
void nearest_centres(const Tensor& x, int64_t begin, int64_t end, const Tensor& centres,
                     const std::vector<double>& half_norms, int32_t* labels);

// The same for all rows, on all threads.
void nearest_centres(const Tensor& x, const Tensor& centres, int32_t* labels);

}  // namespace clade::cluster

// Nearest centres: the step that k-means, its initialization and its descendants share.
//
//   label_i = argmin_j ||x_i - c_j||^2 = argmin_j key_ij,   key_ij = h_j - x_i.c_j,   h_j =
//   ||c_j||^2 / 2
//
// A tile of rows is multiplied with all centres while it is in the cache; the (n, k) matrix of keys
// is never stored. A key is a difference of large numbers, so it only proposes: with unit roundoff
// u it is off by at most e (g_i + 2 h_j), g_i = ||x_i||^2 / 2, e = (d + 8) u (the bound of
// neighbors/knn.cpp). Where more than one centre can be the nearest within that, direct sums of
// squares in f64 decide among them.
#pragma once

#include "tensor/tensor.h"

namespace clade::cluster {

// The e above, for rows of d elements of `dtype`.
double product_error(int64_t d, DType dtype);

// Rows of x with their mean taken off, in x's dtype. Distances do not change, but products of
// centred rows lose fewer digits.
Tensor centre_rows(const Tensor& x, const std::vector<double>& mean);

// Half the squared norm of each row of x (k, d), f64.
std::vector<double> half_squared_norms(const Tensor& x);

// Rows and centres, (n, d) and (k, d) row-major of one dtype, each with its half squared norms.
struct Nearest {
  const Tensor& x;
  const std::vector<double>& row_norms;  // (n)
  const Tensor& centres;
  const std::vector<double>& centre_norms;  // (k)

  // labels[i - begin] for the rows begin <= i < end. Ties go to the lowest centre. On the calling
  // thread.
  void assign(int64_t begin, int64_t end, int32_t* labels) const;
};

// The same for all rows, on all threads.
void nearest_centres(const Tensor& x, const Tensor& centres, int32_t* labels);

}  // namespace clade::cluster

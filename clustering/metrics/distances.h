// Rows in f64, centred, and blocks of their distances: what silhouette and trustworthiness read.
//
// Both look at all n^2 distances. In f64 the product form ||x||^2 - 2 x.y + ||y||^2 of centred rows
// keeps some 12 digits of a distance, which a mean over thousands needs no better.
#pragma once

#include "tensor/memory.h"
#include "tensor/tensor.h"

namespace clade::cluster {

class CentredRows {
 public:
  // x as finite_matrix returns it. Rows are stored in the given order (row r holds x[order[r]]),
  // or as they are when `order` is empty.
  explicit CentredRows(const Tensor& x, const std::vector<int64_t>& order = {});

  // out[(i - i0) (j1 - j0) + (j - j0)] = max(0, ||row i - row j||^2), for i0 <= i < i1, j0 <= j <
  // j1.
  void squared_distances(int64_t i0, int64_t i1, int64_t j0, int64_t j1, double* out) const;

 private:
  int64_t d_;
  Tensor rows_;           // (n, d) f64
  Tensor squared_norms_;  // (n) f64
};

}  // namespace clade::cluster

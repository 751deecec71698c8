// The sums of k-means: points added up by cluster, kept up to date as they move.
//
//   points_c = sum_{i in c} w_i x_i,     weight_c = sum_{i in c} w_i          (f64)
//
// From one iteration to the next few points change their cluster, so only these are read again:
// each is taken off one sum and added to another. Moves are sorted by cluster, cut into pieces of
// fixed length, summed piece by piece on all threads and joined in order: the same bits at any
// number of threads. With holes, NaN adds nothing, and each column has a weight of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

struct Move {
  int64_t row;
  int32_t from, to;  // clusters; from = -1: it was in none
};

struct ClusterSums {
  ClusterSums(int64_t k, int64_t d, bool with_holes = false)
      : points(size_t(k * d), 0.0),
        observed(with_holes ? size_t(k * d) : 0, 0.0),
        weight(size_t(k), 0.0),
        members(size_t(k), 0) {}

  // x (n, d); w (n) f64, or null for 1.
  void apply(const Tensor& x, const double* w, const std::vector<Move>& moves);

  std::vector<double> points;    // (k, d)
  std::vector<double> observed;  // (k, d) with holes: weight of the values that are not NaN
  std::vector<double> weight;    // (k): exactly 0 where there are no members
  std::vector<int64_t> members;  // (k): points of positive weight
};

}  // namespace clade::cluster

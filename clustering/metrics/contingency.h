// The contingency table of two labellings: how many points carry each pair of labels.
//
// Everything that compares a clustering with the truth is read off it. It is kept sparse: a
// clusterer may find thousands of clusters, and most pairs of labels never occur.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

struct Contingency {
  struct Cell {
    int32_t row, column;  // positions in row_labels, column_labels
    int64_t count;        // >= 1
  };
  int64_t n = 0;                               // points
  std::vector<int32_t> row_labels;             // distinct labels, ascending: the truth
  std::vector<int32_t> column_labels;          // the same of the clustering
  std::vector<int64_t> row_sums, column_sums;  // points of each label, >= 1
  std::vector<Cell> cells;                     // by row, then column
};

// truth, predicted: (n) i32, n >= 1. Any values; here noise (-1) is a label like any other.
// Throws Error naming `op` for other shapes, dtypes and devices.
Contingency contingency(const char* op, const Tensor& truth, const Tensor& predicted);

}  // namespace clade::cluster

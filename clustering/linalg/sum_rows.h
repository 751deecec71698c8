// Sums of vectors over the rows of a matrix, in f64, with the same bits at any number of threads.
#pragma once

#include <algorithm>
#include <vector>

#include "clustering/linalg/grain.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {

// add(i, sum) adds row i's part to sum[0 .. entries). Rows are summed in order within at most 64
// blocks, whose size depends on n alone, and the blocks' sums are joined in order.
template <class Add>
std::vector<double> sum_rows(int64_t n, int64_t entries, Add&& add) {
  const std::vector<double> zeros(std::size_t(entries), 0.0);
  auto block = [&](int64_t begin, int64_t end) {
    std::vector<double> sum = zeros;
    double* to = sum.data();
    with_vectors([&] {
      for (int64_t i = begin; i < end; i++) add(i, to);
    });
    return sum;
  };
  auto join = [](std::vector<double> a, const std::vector<double>& b) {
    for (std::size_t e = 0; e < a.size(); e++) a[e] += b[e];
    return a;
  };
  return parallel_reduce(n, rows_per_chunk(entries, (n + 63) / 64), zeros, block, join);
}

}  // namespace clade::cluster

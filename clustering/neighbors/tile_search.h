// The k nearest rows by tiles of keys: every pair is looked at, most of them as a product of
// images.
#pragma once

#include <cstdint>

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// For query i the `k` nearest points, nearest first, ties by index, into places columns - k ..
// columns - 1 of row i of index and distance (n, columns). skip_self: the queries are the points,
// and row i is not its own neighbour. Both as finite_matrix returns them, of one dtype.
void tile_search(const Tensor& queries, const Tensor& points, bool skip_self, int64_t k,
                 int64_t columns, int32_t* index, float* distance, const Progress& progress);

}  // namespace clade::cluster

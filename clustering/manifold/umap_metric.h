// Cosine distance by Euclidean search: for rows of length 1, 1 - cos(u, v) = |u - v|^2 / 2.
#pragma once

#include "clustering/manifold/umap.h"

namespace clade::cluster {

// x, or its rows made of length 1. Throws Error on a row of zeros under cosine.
Tensor for_metric(UmapMetric metric, const Tensor& x);
// Euclidean distances (n, k) f32 between such rows, into the metric's.
void to_metric(UmapMetric metric, Tensor& distance);

}  // namespace clade::cluster

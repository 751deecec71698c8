// Cosine and correlation distance by Euclidean search: for rows of length 1,
// 1 - cos(u, v) = |u - v|^2 / 2.
#pragma once

#include "clustering/manifold/umap.h"
#include "clustering/neighbors/knn.h"

namespace clade::cluster {

// x, or its rows as unit_rows() makes them.
inline Tensor for_metric(UmapMetric metric, const Tensor& x) {
  if (metric == UmapMetric::euclidean) return x;
  return unit_rows("umap", x, metric == UmapMetric::correlation);
}
// Euclidean distances (n, k) f32 between such rows, into the metric's.
inline void to_metric(UmapMetric metric, Tensor& distance) {
  if (metric != UmapMetric::euclidean) to_cosine(distance);
}

}  // namespace clade::cluster

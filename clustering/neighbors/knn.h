// knn: the exact k nearest neighbours, by Euclidean distance.
//
// The graph under UMAP, t-SNE, HDBSCAN and trustworthiness. All n m pairs are looked at, by matrix
// products: up to some 200,000 rows on a CPU this beats approximate graphs, and nothing is missed.
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct Neighbors {
  Tensor index;     // (n, k) i32: rows of the points, nearest first
  Tensor distance;  // (n, k) f32: Euclidean; never negative, never NaN
};

// The k nearest rows of x to each row of x. With include_self each point is its own first neighbour
// at distance 0, even where it has duplicates, and counts among the k (as umap-learn counts); else
// it is left out. Ordered by distance (f64, before it is rounded to f32), ties by index.
// x (n, d) f32 or f64, any strides. 1 <= k <= n, or n - 1 without the self neighbour. Throws Error
// on NaN, infinities, a k out of range. Same bits at any number of threads.
// Cost: 2 n^2 d FLOPs; memory n (d + 1) elements beside the result.
Neighbors exact_knn(const Tensor& x, int64_t k, bool include_self, const Progress& progress = {});

// The k nearest rows of `points` (m, d) to each row of `queries` (n, d); one dtype, 1 <= k <= m.
Neighbors exact_knn(const Tensor& queries, const Tensor& points, int64_t k,
                    const Progress& progress = {});

}  // namespace clade::cluster

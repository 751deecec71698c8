// knn: the exact k nearest neighbours: Euclidean, cosine, or over the columns that both rows have.
//
// The graph under UMAP, t-SNE, HDBSCAN and trustworthiness. With few columns a k-d tree is searched
// (kd_tree.h); with many, all n m pairs are looked at by matrix products of shortened rows
// (tile_search.h): up to some 200,000 rows on a CPU this beats approximate graphs, and nothing is
// missed. Both give the same bits.
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct Neighbors {
  Tensor index;     // (n, k) i32: rows of the points, nearest first; -1: there is none
  Tensor distance;  // (n, k) f32: never negative, never NaN; infinite where there is none
};

enum class KnnMethod : uint8_t {
  automatic,  // the tree up to kTreeColumns columns
  tree,
  tiles,
};

inline constexpr int64_t kTreeColumns = 10;

// The k nearest rows of x to each row of x. With include_self each point is its own first neighbour
// at distance 0, even where it has duplicates, and counts among the k (as umap-learn counts); else
// it is left out. Ordered by distance (f64, before it is rounded to f32), ties by index.
// x (n, d) f32 or f64, any strides. 1 <= k <= n, or n - 1 without the self neighbour. Throws Error
// on NaN, infinities, a k out of range. Same bits at any number of threads.
// Cost: at most 2 n^2 d FLOPs; memory at most n (d + 1) elements beside the result.
Neighbors exact_knn(const Tensor& x, int64_t k, bool include_self, const Progress& progress = {},
                    KnnMethod method = KnnMethod::automatic);

// The k nearest rows of `points` (m, d) to each row of `queries` (n, d); one dtype, 1 <= k <= m.
Neighbors exact_knn(const Tensor& queries, const Tensor& points, int64_t k,
                    const Progress& progress = {}, KnnMethod method = KnnMethod::automatic);

// By cosine distance, 1 - x.y / (|x| |y|), 0 to 2: the Euclidean search over rows brought to length
// 1 in their dtype (f32 rows: distances are good to some 1e-7). Throws Error on a row of zeros,
// which has no direction, and as exact_knn.
Neighbors cosine_knn(const Tensor& x, int64_t k, bool include_self, const Progress& progress = {});

// What it does before and after the search: rows brought to length 1, and Euclidean distances of
// such rows made cosine ones. about_mean: each row's own mean is taken off first, which makes them
// correlation distances, 1 - r.
Tensor unit_rows(const char* op, const Tensor& x, bool about_mean = false);
void to_cosine(Tensor& distance);

// By partial distance: NaN is a missing value, and
//   |x - y|^2 = d / c sum over the c columns that both rows have of (x_j - y_j)^2,
// as scikit-learn's nan_euclidean_distances. Rows with fewer than min_common >= 1 common columns
// are no neighbours; where fewer than k are left the rest is index -1 at infinite distance. It is
// no metric (the triangle inequality fails), so no tree can serve it: 6 n^2 d FLOPs in f64.
// Infinities are refused; a column or a row may be all NaN.
Neighbors partial_knn(const Tensor& x, int64_t k, bool include_self, int64_t min_common = 1,
                      const Progress& progress = {});

}  // namespace clade::cluster

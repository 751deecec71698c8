#include "clustering/density/spanning_tree.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "clustering/density/reachability.h"
#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/kd_tree.h"
#include "clustering/neighbors/knn.h"
#include "clustering/neighbors/tree_search.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kGraphNeighbors = 10;  // at least so many edges a row to begin with
constexpr double kLargest = 1e150;       // whose square is still finite

Tensor checked(const Tensor& x) {
  Tensor rows = finite_matrix("hdbscan", x);
  if (rows.dtype() == DType::f64) {
    const double* v = rows.data<double>();
    for (int64_t i = 0; i < rows.numel(); i++)
      if (std::abs(v[i]) > kLargest)
        fail("hdbscan", text("values within +-", kLargest), text(v[i]), "scale the columns");
  }
  if (rows.size(0) < 2) fail("hdbscan", "2 rows or more", text("x ", x.shape()));
  if (rows.size(0) >= int64_t{1} << 30)
    fail("hdbscan", "fewer than 2^30 rows", text("x ", x.shape()));
  return rows;
}

void core_by_tree(const Tensor& x, int64_t k, double* core, const Progress& progress) {
  const KdTree tree(x);
  const int64_t n = tree.points(), slab = 1 << 14;
  for (int64_t start = 0; start < n; start += slab) {
    progress("hdbscan core distances", start, n);
    parallel_for(std::min(slab, n - start), 128, [&](int64_t begin, int64_t end) {
      std::vector<Ranked<double>> nearest;
      for (int64_t i = start + begin; i < start + end; i++) {
        nearest_in_tree(tree, tree.row(i), k, int32_t(i), nearest);
        core[tree.id(i)] = std::sqrt(nearest.back().value);
      }
    });
  }
}

// Neighbours by matrix products, the k-th one's distance once more in f64. A few more than k where
// k is small: they are the first edges of the spanning tree.
Tensor core_by_products(const Tensor& x, int64_t k, double* core, const Progress& progress) {
  const int64_t n = x.size(0), d = x.size(1), more = std::min(std::max(k, kGraphNeighbors), n - 1);
  Tensor index = exact_knn(x, more, false, progress, KnnMethod::tiles).index;
  const int32_t* neighbor = index.data<int32_t>();
  dispatch_floating(x.dtype(), [&](auto type) {
    const auto* rows = x.data<decltype(type)>();
    parallel_for(n, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        core[i] = std::sqrt(kernels::direct_squared_distance(
            rows + i * d, rows + neighbor[i * more + k - 1] * d, d));
    });
  });
  return index;
}

}  // namespace

CoreNeighbors core_neighbors(const Tensor& x, int64_t min_samples, const Progress& progress) {
  if (min_samples < 1) fail("hdbscan", "min_samples >= 1", text(min_samples));
  Tensor rows = checked(x);
  const int64_t n = rows.size(0), k = std::min(min_samples, n - 1);
  CoreNeighbors out{Tensor::empty({n}, DType::f64), {}};
  if (rows.size(1) <= kBoruvkaColumns)
    core_by_tree(rows, k, out.core.data<double>(), progress);
  else
    out.neighbors = core_by_products(rows, k, out.core.data<double>(), progress);
  return out;
}

Tensor core_distances(const Tensor& x, int64_t min_samples, const Progress& progress) {
  return core_neighbors(x, min_samples, progress).core;
}

SpanningTree minimum_spanning_tree(const Tensor& x, const Tensor& core, double alpha,
                                   SpanningTreeMethod method, const Progress& progress,
                                   const Tensor& neighbors) {
  if (!(alpha > 0) || !std::isfinite(alpha)) fail("hdbscan", "a finite alpha > 0", text(alpha));
  Tensor rows = checked(x);
  const int64_t n = rows.size(0);
  if (core.shape() != Shape{n} || core.dtype() != DType::f64)
    fail("hdbscan", text("core distances f64 [", n, "]"), text(core));

  Tensor core_row = core.contiguous();
  const double* c = core_row.data<double>();
  if (method == SpanningTreeMethod::automatic)
    method =
        rows.size(1) <= kBoruvkaColumns ? SpanningTreeMethod::boruvka : SpanningTreeMethod::tiles;
  std::vector<ReachabilityEdge> edges;
  switch (method) {
    case SpanningTreeMethod::prim: edges = prim(rows, c, alpha, progress); break;
    case SpanningTreeMethod::tiles: {
      const int64_t k = std::min(kGraphNeighbors, n - 1);
      const Tensor near =
          neighbors.defined() ? neighbors : exact_knn(rows, k, false, progress).index;
      edges = certified(rows, c, alpha, near, progress);
      break;
    }
    default: edges = boruvka(rows, c, alpha, progress);
  }
  std::sort(edges.begin(), edges.end());

  SpanningTree tree{Tensor::empty({n - 1}, DType::i32), Tensor::empty({n - 1}, DType::i32),
                    Tensor::empty({n - 1}, DType::f64)};
  int32_t *from = tree.from.data<int32_t>(), *to = tree.to.data<int32_t>();
  double* weight = tree.weight.data<double>();
  for (size_t i = 0; i < edges.size(); i++) {
    from[i] = edges[i].a;
    to[i] = edges[i].b;
    weight[i] = edges[i].w;
  }
  return tree;
}

}  // namespace clade::cluster

#include "clustering/density/spanning_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "clustering/density/reachability.h"
#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/kd_tree.h"
#include "clustering/neighbors/knn.h"
#include "clustering/neighbors/partial_distance.h"
#include "clustering/neighbors/tree_search.h"
#include "kernels/distance/distance.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kGraphNeighbors = 10;  // at least so many edges a row to begin with
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kMostListed = 32;  // neighbours that are kept for the spanning tree
constexpr double kLargest = 1e150;   // whose square is still finite

Tensor checked(const Tensor& x, bool holes = false) {
  Tensor rows = holes ? matrix_with_holes("hdbscan", x) : finite_matrix("hdbscan", x);
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

// lists: where it is not null, the neighbours are left there.
void core_by_tree(const KdTree& tree, int64_t k, double* core, NearLists* lists,
                  const Progress& progress) {
  const int64_t n = tree.points(), slab = 1 << 12;
  const bool last = k == n - 1;  // the list holds all others
  if (lists && k <= kMostListed)
    *lists = {k, Tensor::empty({n, k}, DType::i32), Tensor::empty({n}, DType::f64)};
  const bool keep = lists && lists->k > 0;
  int32_t* list = keep ? lists->place.data<int32_t>() : nullptr;
  double* beyond = keep ? lists->beyond.data<double>() : nullptr;
  for (int64_t start = 0; start < n; start += slab) {
    progress("hdbscan core distances", start, n);
    parallel_for(std::min(slab, n - start), 128, [&](int64_t begin, int64_t end) {
      std::vector<Ranked<double>> nearest;
      for (int64_t i = start + begin; i < start + end; i++) {
        nearest_in_tree(tree, tree.row(i), keep && !last ? k + 1 : k, int32_t(i), nearest);
        core[tree.id(i)] = std::sqrt(nearest[size_t(k - 1)].value);
        if (!keep) continue;
        for (int64_t r = 0; r < k; r++) list[i * k + r] = nearest[size_t(r)].index;
        beyond[i] = last ? kInfinity : std::sqrt(nearest[size_t(k)].value);
      }
    });
  }
  if (!keep) return;
  Scratch<int32_t> place(n);  // of each row
  parallel_for(n, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) place[tree.id(i)] = int32_t(i);
  });
  parallel_for(n * k, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) list[r] = place[list[r]];
  });
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

// The tree's edges in order.
SpanningTree finished(std::vector<ReachabilityEdge> edges) {
  std::sort(edges.begin(), edges.end());

  const int64_t n = int64_t(edges.size()) + 1;
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

// x as checked() gives it; near: what the search for core distances left, if anything.
std::vector<ReachabilityEdge> tree_by(SpanningTreeMethod method, const Tensor& x,
                                      const double* core, double alpha, const Tensor& near,
                                      const Progress& progress) {
  if (method == SpanningTreeMethod::prim) return prim(x, core, alpha, progress);
  if (method == SpanningTreeMethod::boruvka) return boruvka(KdTree(x), core, alpha, {}, progress);
  const int64_t k = std::min(kGraphNeighbors, x.size(0) - 1);
  return certified(x, core, alpha, near.defined() ? near : exact_knn(x, k, false, progress).index,
                   progress);
}

SpanningTreeMethod method_for(const Tensor& x, SpanningTreeMethod asked, double alpha) {
  if (!(alpha > 0) || !std::isfinite(alpha)) fail("hdbscan", "a finite alpha > 0", text(alpha));
  if (asked != SpanningTreeMethod::automatic) return asked;
  return x.size(1) <= kBoruvkaColumns ? SpanningTreeMethod::boruvka : SpanningTreeMethod::tiles;
}

}  // namespace

ReachabilityTree reachability_tree(const Tensor& x, int64_t min_samples, double alpha,
                                   SpanningTreeMethod method, const Progress& progress) {
  if (min_samples < 1) fail("hdbscan", "min_samples >= 1", text(min_samples));
  const Tensor rows = checked(x);
  const int64_t n = rows.size(0), k = std::min(min_samples, n - 1);
  method = method_for(rows, method, alpha);
  Tensor core = Tensor::empty({n}, DType::f64);
  double* c = core.data<double>();
  if (rows.size(1) > kBoruvkaColumns) {
    const Tensor near = core_by_products(rows, k, c, progress);
    return {core, finished(tree_by(method, rows, c, alpha, near, progress))};
  }
  const KdTree tree(rows);
  if (method != SpanningTreeMethod::boruvka) {
    core_by_tree(tree, k, c, nullptr, progress);
    return {core, finished(tree_by(method, rows, c, alpha, {}, progress))};
  }
  NearLists near;
  core_by_tree(tree, k, c, &near, progress);
  return {core, finished(boruvka(tree, c, alpha, near, progress))};
}

ReachabilityTree partial_reachability_tree(const Tensor& x, int64_t min_samples, double alpha,
                                           int64_t min_common, const Progress& progress) {
  if (min_samples < 1) fail("hdbscan", "min_samples >= 1", text(min_samples));
  const Tensor rows = checked(x, true);
  const int64_t n = rows.size(0), d = rows.size(1), k = std::min(min_samples, n - 1);
  method_for(rows, SpanningTreeMethod::prim, alpha);
  const Tensor near = partial_knn(rows, k, false, min_common, progress).index;
  Tensor core = Tensor::full({n}, kInfinity, DType::f64);
  dispatch_floating(rows.dtype(), [&](auto type) {
    const auto* row = rows.data<decltype(type)>();
    parallel_for(n, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int32_t j = near.data<int32_t>()[i * k + k - 1];
        if (j < 0) continue;
        core.data<double>()[i] =
            std::sqrt(partial_squared_distance(row + i * d, row + j * d, d, min_common));
      }
    });
  });
  std::vector<ReachabilityEdge> edges =
      partial_prim(rows, core.data<double>(), alpha, min_common, progress);
  // Rows that share too little are as far as twice the longest edge that there is.
  double longest = 0;
  for (const ReachabilityEdge& e : edges)
    if (e.w < kInfinity) longest = std::max(longest, e.w);
  for (ReachabilityEdge& e : edges)
    if (e.w == kInfinity) e.w = longest > 0 ? 2 * longest : 1;
  return {core, finished(std::move(edges))};
}

Tensor core_distances(const Tensor& x, int64_t min_samples, const Progress& progress) {
  if (min_samples < 1) fail("hdbscan", "min_samples >= 1", text(min_samples));
  const Tensor rows = checked(x);
  const int64_t n = rows.size(0), k = std::min(min_samples, n - 1);
  Tensor core = Tensor::empty({n}, DType::f64);
  if (rows.size(1) <= kBoruvkaColumns)
    core_by_tree(KdTree(rows), k, core.data<double>(), nullptr, progress);
  else
    core_by_products(rows, k, core.data<double>(), progress);
  return core;
}

SpanningTree minimum_spanning_tree(const Tensor& x, const Tensor& core, double alpha,
                                   SpanningTreeMethod method, const Progress& progress) {
  const Tensor rows = checked(x);
  method = method_for(rows, method, alpha);
  if (core.shape() != Shape{rows.size(0)} || core.dtype() != DType::f64)
    fail("hdbscan", text("core distances f64 [", rows.size(0), "]"), text(core));
  const Tensor c = core.contiguous();
  return finished(tree_by(method, rows, c.data<double>(), alpha, {}, progress));
}

}  // namespace clade::cluster

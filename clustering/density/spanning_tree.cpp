#include "clustering/density/spanning_tree.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "clustering/density/kd_tree.h"
#include "clustering/density/reachability.h"
#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/knn.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kLargest = 1e150;  // whose square is still finite

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

// The k nearest of each point in a heap whose top is the k-th: what remains on top is core^2.
void core_by_tree(const Tensor& x, int64_t k, double* core, const Progress& progress) {
  const KdTree tree(x);
  const int64_t n = tree.points(), slab = 1 << 14;
  for (int64_t start = 0; start < n; start += slab) {
    progress("hdbscan core distances", start, n);
    parallel_for(std::min(slab, n - start), 128, [&](int64_t begin, int64_t end) {
      std::vector<double> heap(static_cast<size_t>(k));
      for (int64_t i = start + begin; i < start + end; i++) {
        std::fill(heap.begin(), heap.end(), INFINITY);
        const double* q = tree.row(i);
        tree.search(
            q, [&](int32_t, double distance2) { return distance2 < heap.front(); },
            [&](int32_t first, int32_t last) {
              for (int32_t j = first; j < last; j++) {
                double distance2 = tree.squared_distance(q, tree.row(j));
                if (j == i || distance2 >= heap.front()) continue;
                std::pop_heap(heap.begin(), heap.end());
                heap.back() = distance2;
                std::push_heap(heap.begin(), heap.end());
              }
            });
        core[tree.id(i)] = std::sqrt(heap.front());
      }
    });
  }
}

// Neighbours by matrix products, their distances once more in f64.
void core_by_products(const Tensor& x, int64_t k, double* core, const Progress& progress) {
  const int64_t n = x.size(0), d = x.size(1);
  Tensor index = exact_knn(x, k, false, progress).index.to(DType::i64).contiguous();
  const int64_t* neighbor = index.data<int64_t>();
  dispatch_floating(x.dtype(), [&](auto type) {
    const auto* rows = x.data<decltype(type)>();
    parallel_for(n, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double farthest = 0;
        for (int64_t j = 0; j < k; j++)
          farthest = std::max(farthest, kernels::direct_squared_distance(
                                            rows + i * d, rows + neighbor[i * k + j] * d, d));
        core[i] = std::sqrt(farthest);
      }
    });
  });
}

}  // namespace

Tensor core_distances(const Tensor& x, int64_t min_samples, const Progress& progress) {
  if (min_samples < 1) fail("hdbscan", "min_samples >= 1", text(min_samples));
  Tensor rows = checked(x);
  const int64_t n = rows.size(0), k = std::min(min_samples, n - 1);
  Tensor core = Tensor::empty({n}, DType::f64);
  if (rows.size(1) <= kBoruvkaColumns)
    core_by_tree(rows, k, core.data<double>(), progress);
  else
    core_by_products(rows, k, core.data<double>(), progress);
  return core;
}

SpanningTree minimum_spanning_tree(const Tensor& x, const Tensor& core, double alpha,
                                   SpanningTreeMethod method, const Progress& progress) {
  if (!(alpha > 0) || !std::isfinite(alpha)) fail("hdbscan", "a finite alpha > 0", text(alpha));
  Tensor rows = checked(x);
  const int64_t n = rows.size(0);
  if (core.shape() != Shape{n} || core.dtype() != DType::f64)
    fail("hdbscan", text("core distances f64 [", n, "]"), text(core));

  Tensor core_row = core.contiguous();
  const double* c = core_row.data<double>();
  if (method == SpanningTreeMethod::automatic)
    method =
        rows.size(1) <= kBoruvkaColumns ? SpanningTreeMethod::boruvka : SpanningTreeMethod::prim;
  std::vector<ReachabilityEdge> edges = method == SpanningTreeMethod::boruvka
                                            ? boruvka(rows, c, alpha, progress)
                                            : prim(rows, c, alpha, progress);
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

#include "clustering/neighbors/tree_search.h"

#include <cmath>

#include "tensor/parallel.h"

namespace clade::cluster {

void tree_search(const Tensor& queries, const Tensor& points, bool skip_self, int64_t k,
                 int64_t columns, int32_t* index, float* distance, const Progress& progress) {
  if (k == 0) return;
  const KdTree tree(points);
  const int64_t n = queries.size(0), d = queries.size(1), wave = 1 << 14;
  const Tensor asked = skip_self ? Tensor() : queries.to(DType::f64);
  for (int64_t start = 0; start < n; start += wave) {
    progress("exact nearest neighbours", start, n);
    parallel_for(std::min(wave, n - start), 128, [&](int64_t begin, int64_t end) {
      std::vector<Ranked<double>> nearest;
      for (int64_t i = start + begin; i < start + end; i++) {
        // Queries that are the points come in tree order: neighbours share what the cache holds.
        const int64_t row = skip_self ? tree.id(i) : i;
        const double* q = skip_self ? tree.row(i) : asked.data<double>() + i * d;
        nearest_in_tree(tree, q, k, skip_self ? int32_t(i) : -1, nearest);
        const int64_t at = row * columns + columns - k;
        for (int64_t r = 0; r < k; r++) {
          index[at + r] = nearest[size_t(r)].index;
          distance[at + r] = float(std::sqrt(nearest[size_t(r)].value));
        }
      }
    });
  }
  progress("exact nearest neighbours", n, n);
}

}  // namespace clade::cluster

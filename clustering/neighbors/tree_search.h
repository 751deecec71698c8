// The k nearest rows by a k-d tree.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "clustering/neighbors/kd_tree.h"
#include "clustering/neighbors/ranked.h"
#include "tensor/progress.h"

namespace clade::cluster {

// The k nearest points of q in the order (squared distance, row), in `nearest`; `skip` is a place
// that does not count, or -1.
inline void nearest_in_tree(const KdTree& tree, const double* q, int64_t k, int32_t skip,
                            std::vector<Ranked<double>>& nearest) {
  nearest.assign(size_t(k),
                 {std::numeric_limits<double>::infinity(), std::numeric_limits<int32_t>::max()});
  double distances[KdTree::kLeafSize];
  tree.search(
      q,
      [&](int32_t node, double squared) {
        return Ranked<double>{squared, tree.nodes()[size_t(node)].first} < nearest.back();
      },
      [&](int32_t begin, int32_t end) {
        tree.leaf_distances(q, begin, end, distances);
        for (int32_t i = begin; i < end; i++) {
          if (distances[i - begin] > nearest.back().value || i == skip) continue;
          const Ranked<double> r{distances[i - begin], tree.id(i)};
          if (!(r < nearest.back())) continue;
          size_t at = nearest.size() - 1;
          for (; at > 0 && r < nearest[at - 1]; at--) nearest[at] = nearest[at - 1];
          nearest[at] = r;
        }
      });
}

// As tile_search (tile_search.h), for few columns.
void tree_search(const Tensor& queries, const Tensor& points, bool skip_self, int64_t k,
                 int64_t columns, int32_t* index, float* distance, const Progress& progress);

}  // namespace clade::cluster

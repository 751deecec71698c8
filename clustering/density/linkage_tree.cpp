#include "clustering/density/linkage_tree.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "clustering/density/union_find.h"
#include "tensor/error.h"

namespace clade::cluster {

LinkageTree single_linkage(const SpanningTree& tree) {
  const int64_t n = tree.points();
  LinkageTree linkage{Tensor::empty({n - 1}, DType::i32), Tensor::empty({n - 1}, DType::i32),
                      tree.weight.clone(), Tensor::empty({n - 1}, DType::i32)};
  const int32_t *from = tree.from.data<int32_t>(), *to = tree.to.data<int32_t>();
  int32_t *left = linkage.left.data<int32_t>(), *right = linkage.right.data<int32_t>();
  int32_t* size = linkage.size.data<int32_t>();

  // Each set is known by its lowest row; `node` and `count` are kept there.
  UnionFind sets(n);
  std::vector<int32_t> node(static_cast<size_t>(n)), count(static_cast<size_t>(n), 1);
  std::iota(node.begin(), node.end(), 0);
  for (int64_t i = 0; i < n - 1; i++) {
    auto [a, b] = std::minmax({sets.find(from[i]), sets.find(to[i])});
    left[i] = node[size_t(a)];
    right[i] = node[size_t(b)];
    size[i] = count[size_t(a)] += count[size_t(b)];
    node[size_t(a)] = int32_t(n + i);
    sets.unite(a, b);
  }
  return linkage;
}

Tensor labels_at_distance(const LinkageTree& tree, double distance, int64_t min_cluster_size) {
  if (!(distance >= 0)) fail("labels_at_distance", "a distance >= 0", text(distance));
  const int64_t n = tree.points();
  const int32_t *left = tree.left.data<int32_t>(), *right = tree.right.data<int32_t>();
  const double* height = tree.distance.data<double>();

  // From the root down: a node within reach passes its own number on to all below it.
  std::vector<int32_t> top(size_t(2 * n - 1)), count(size_t(2 * n - 1), 0);
  std::iota(top.begin(), top.end(), 0);
  for (int64_t i = n - 2; i >= 0; i--) {
    if (height[i] > distance) continue;
    top[size_t(left[i])] = top[size_t(right[i])] = top[size_t(n + i)];
  }
  for (int64_t p = 0; p < n; p++) count[size_t(top[size_t(p)])]++;

  Tensor labels = Tensor::empty({n}, DType::i32);
  int32_t* label = labels.data<int32_t>();
  std::vector<int32_t> number(size_t(2 * n - 1), -1);
  int32_t next = 0;
  for (int64_t p = 0; p < n; p++) {
    size_t cluster = size_t(top[size_t(p)]);
    if (count[cluster] >= min_cluster_size && number[cluster] < 0) number[cluster] = next++;
    label[p] = number[cluster];
  }
  return labels;
}

}  // namespace clade::cluster

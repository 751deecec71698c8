#include "clustering/density/condensed_tree.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "tensor/error.h"

namespace clade::cluster {

CondensedTree condense(const LinkageTree& linkage, int64_t min_cluster_size) {
  if (min_cluster_size < 2) fail("hdbscan", "min_cluster_size >= 2", text(min_cluster_size));
  const int64_t n = linkage.points();
  const int32_t *left = linkage.left.data<int32_t>(), *right = linkage.right.data<int32_t>();
  const int32_t* size = linkage.size.data<int32_t>();
  const double* distance = linkage.distance.data<double>();
  auto size_of = [&](int32_t node) { return node < n ? 1 : size[node - n]; };

  // For each linkage node the cluster it is part of, and the density at which it fell out of it;
  // 0 while it has not. Both pass from parents to children, whose numbers are lower.
  const size_t nodes = size_t(2 * n - 1);
  std::vector<int32_t> cluster(nodes, int32_t(n));
  std::vector<double> fell(nodes, 0);
  std::vector<int32_t> born_of, born_size;  // the clusters after the root, in order of birth
  std::vector<double> born_at;

  for (int64_t i = n - 2; i >= 0; i--) {
    const size_t node = size_t(n + i), part[2] = {size_t(left[i]), size_t(right[i])};
    const int32_t count[2] = {size_of(left[i]), size_of(right[i])};
    const double lambda =
        distance[i] > 0 ? 1 / distance[i] : std::numeric_limits<double>::infinity();
    const bool falling = fell[node] > 0;
    const bool split =
        !falling && distance[i] > 0 && std::min(count[0], count[1]) >= min_cluster_size;
    for (int side = 0; side < 2; side++) {
      cluster[part[side]] = cluster[node];
      if (falling) {
        fell[part[side]] = fell[node];
      } else if (split) {
        born_of.push_back(cluster[node]);
        born_at.push_back(lambda);
        born_size.push_back(count[side]);
        cluster[part[side]] = int32_t(n + int64_t(born_of.size()));
      } else if (count[side] < min_cluster_size || distance[i] <= 0) {
        fell[part[side]] = lambda;
      }
    }
  }

  const int64_t rows = n + int64_t(born_of.size());
  CondensedTree tree{Tensor::empty({rows}, DType::i32), Tensor::empty({rows}, DType::i32),
                     Tensor::empty({rows}, DType::f64), Tensor::empty({rows}, DType::i32), n};
  int32_t *parent = tree.parent.data<int32_t>(), *child = tree.child.data<int32_t>();
  int32_t* count = tree.size.data<int32_t>();
  double* lambda = tree.lambda.data<double>();
  for (int64_t p = 0; p < n; p++) {
    parent[p] = cluster[size_t(p)];
    child[p] = int32_t(p);
    lambda[p] = fell[size_t(p)];
    count[p] = 1;
  }
  for (size_t c = 0; c < born_of.size(); c++) {
    const int64_t r = n + int64_t(c);
    parent[r] = born_of[c];
    child[r] = int32_t(r + 1);
    lambda[r] = born_at[c];
    count[r] = born_size[c];
  }
  return tree;
}

}  // namespace clade::cluster

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

CondensedTree simplify(const CondensedTree& tree, double persistence) {
  if (!(persistence >= 0)) fail("hdbscan", "persistence >= 0", text(persistence));
  if (persistence == 0) return tree;
  const int64_t n = tree.points, clusters = tree.clusters();
  const int32_t *parent = tree.parent.data<int32_t>(), *size = tree.size.data<int32_t>();
  const double* lambda = tree.lambda.data<double>();
  auto row_of = [&](int64_t c) { return n + c - 1; };  // c: 0 is the root
  const size_t count = static_cast<size_t>(clusters);
  std::vector<double> densest(count, 0);
  std::vector<bool> leaf(count, true);
  for (int64_t r = 0; r < tree.rows(); r++) {
    double& most = densest[size_t(parent[r] - n)];
    most = std::max(most, lambda[r]);
    if (r >= n) leaf[size_t(parent[r] - n)] = false;
  }

  // into: the cluster that goes on instead; falls: at what density its own points fall out, 0: as
  // they do. Splits stand in pairs of rows, children after their parents.
  std::vector<int64_t> into(count);
  for (size_t c = 0; c < count; c++) into[c] = int64_t(c);
  std::vector<double> falls(count, 0);
  for (int64_t c = clusters - 1; c >= 2; c -= 2) {
    const size_t a = size_t(c - 1), b = size_t(c), up = size_t(parent[row_of(c)] - n);
    const double split = lambda[row_of(c)];
    densest[up] = std::max({densest[up], densest[a], densest[b]});
    if (std::min(densest[a], densest[b]) - split >= persistence) continue;
    const size_t strong = densest[a] <= densest[b] ? b : a, weak = strong == a ? b : a;
    if (leaf[strong])
      leaf[up] = true;
    else
      falls[weak] = split;
    into[a] = into[b] = int64_t(up);
  }
  std::vector<int32_t> number(count);
  int32_t kept = 0;
  for (size_t c = 0; c < count; c++) {
    if (into[c] == int64_t(c)) {
      number[c] = kept++;
      continue;
    }
    number[c] = number[size_t(into[c])];
  }

  const int64_t rows = n + kept - 1;
  CondensedTree out{Tensor::empty({rows}, DType::i32), Tensor::empty({rows}, DType::i32),
                    Tensor::empty({rows}, DType::f64), Tensor::empty({rows}, DType::i32), n};
  for (int64_t r = 0, to = 0; r < tree.rows(); r++) {
    const size_t from = size_t(parent[r] - n), c = size_t(r < n ? 0 : r - n + 1);
    if (r >= n && into[c] != int64_t(c)) continue;
    out.parent.data<int32_t>()[to] = int32_t(n) + number[from];
    out.child.data<int32_t>()[to] = r < n ? int32_t(r) : int32_t(n) + number[c];
    out.lambda.data<double>()[to] = falls[from] > 0 ? falls[from] : lambda[r];
    out.size.data<int32_t>()[to] = size[r];
    to++;
  }
  return out;
}

}  // namespace clade::cluster

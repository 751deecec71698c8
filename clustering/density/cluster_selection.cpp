#include "clustering/density/cluster_selection.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace clade::cluster {
namespace {

// The part of the condensed tree that holds clusters; cluster c is node points + c, the root is 0.
struct ClusterTree {
  explicit ClusterTree(const CondensedTree& tree)
      : count(size_t(tree.clusters())), parent(count, 0), birth(count, 0), leaf(count, true) {
    size.assign(count, 0);
    const int64_t n = tree.points;
    const int32_t *up = tree.parent.data<int32_t>(), *members = tree.size.data<int32_t>();
    const double* lambda = tree.lambda.data<double>();
    birth[0] = 1 / *std::min_element(lambda, lambda + tree.rows());  // where the first leave it
    for (size_t c = 1; c < count; c++) {
      const int64_t row = n + int64_t(c) - 1;
      parent[c] = size_t(up[row] - n);
      birth[c] = 1 / lambda[row];
      size[c] = members[row];
      leaf[parent[c]] = false;
      if (parent[c] == 0) size[0] += members[row];  // as hdbscan counts the root: without its shed
    }
  }

  size_t count;
  std::vector<size_t> parent;
  std::vector<double> birth;  // the distance of the split that bore it
  std::vector<bool> leaf;
  std::vector<int64_t> size;
};

// chosen[c] for the best antichain, from the leaves up.
std::vector<bool> excess_of_mass(const ClusterTree& tree, std::vector<double> stability,
                                 const SelectionOptions& options) {
  std::vector<double> below(tree.count, 0);  // what the best choice among the descendants is worth
  std::vector<bool> keep(tree.count, false);
  for (size_t c = tree.count; c-- > 0;) {
    const bool too_large = options.max_cluster_size > 0 && tree.size[c] > options.max_cluster_size;
    const bool root_barred = c == 0 && !options.allow_single_cluster;
    const bool too_wide = tree.birth[c] > options.epsilon_max;
    keep[c] = !(below[c] > stability[c] || too_large || too_wide || root_barred);
    if (!keep[c]) stability[c] = below[c];
    if (c > 0) below[tree.parent[c]] += stability[c];
  }
  // Only the topmost that keep themselves count.
  std::vector<bool> chosen = keep, covered(tree.count, false);
  for (size_t c = 1; c < tree.count; c++) {
    covered[c] = keep[tree.parent[c]] || covered[tree.parent[c]];
    if (covered[c]) chosen[c] = false;
  }
  return chosen;
}

// Exchanges clusters born below epsilon for the nearest ancestor born above it; the climb ends
// below the root unless a single cluster is allowed.
std::vector<bool> climb(const ClusterTree& tree, const std::vector<bool>& chosen,
                        const SelectionOptions& options) {
  std::vector<bool> result(tree.count, false);
  for (size_t c = 0; c < tree.count; c++) {
    if (!chosen[c]) continue;
    size_t top = c;
    while (top != 0 && tree.birth[top] < options.epsilon) {
      if (tree.parent[top] == 0 && !options.allow_single_cluster) break;
      top = tree.parent[top];
    }
    result[top] = true;
  }
  return result;
}

}  // namespace

std::vector<double> stabilities(const CondensedTree& tree) {
  const int64_t n = tree.points;
  const int32_t *parent = tree.parent.data<int32_t>(), *size = tree.size.data<int32_t>();
  const double* lambda = tree.lambda.data<double>();
  std::vector<double> stability(size_t(tree.clusters()), 0);
  for (int64_t r = 0; r < tree.rows(); r++) {
    const double birth = parent[r] == n ? 0 : lambda[parent[r] - 1];
    stability[size_t(parent[r] - n)] += (lambda[r] - birth) * size[r];
  }
  return stability;
}

std::vector<int32_t> select_clusters(const CondensedTree& condensed,
                                     const SelectionOptions& options) {
  if (!(options.epsilon >= 0)) fail("hdbscan", "epsilon >= 0", text(options.epsilon));
  if (!(options.epsilon_max >= options.epsilon))
    fail("hdbscan", text("epsilon_max >= epsilon = ", options.epsilon), text(options.epsilon_max));
  if (options.max_cluster_size < 0)
    fail("hdbscan", "max_cluster_size >= 0", text(options.max_cluster_size));
  const ClusterTree tree(condensed);
  std::vector<bool> chosen;
  if (options.method == ClusterSelection::eom) {
    chosen = excess_of_mass(tree, stabilities(condensed), options);
  } else {
    chosen = tree.leaf;
    chosen[0] = false;  // a root without children is no leaf: nothing was ever split
  }
  if (options.epsilon > 0) chosen = climb(tree, chosen, options);

  std::vector<int32_t> nodes;
  for (size_t c = 0; c < tree.count; c++)
    if (chosen[c]) nodes.push_back(int32_t(condensed.points + int64_t(c)));
  return nodes;
}

}  // namespace clade::cluster

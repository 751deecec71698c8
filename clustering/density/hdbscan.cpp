#include "clustering/density/hdbscan.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "clustering/density/cluster_labels.h"

namespace clade::cluster {
namespace {

void check(const HdbscanOptions& o) {
  if (o.min_cluster_size < 2) fail("hdbscan", "min_cluster_size >= 2", text(o.min_cluster_size));
  if (o.min_samples < 0)
    fail("hdbscan", "min_samples >= 1, or 0 for min_cluster_size", text(o.min_samples));
  if (o.min_common < 0) fail("hdbscan", "min_common >= 0", text(o.min_common));
}

// GLOSH (Campello et al. 2015, section 5): 1 - lambda / the largest lambda at or below its cluster.
Tensor outlier_scores(const CondensedTree& tree, double cap) {
  const int64_t n = tree.points;
  const int32_t* parent = tree.parent.data<int32_t>();
  const double* lambda = tree.lambda.data<double>();
  std::vector<double> end(size_t(tree.clusters()), 0);
  for (int64_t r = 0; r < tree.rows(); r++) {
    double& e = end[size_t(parent[r] - n)];
    e = std::max(e, std::min(lambda[r], cap));
  }
  for (size_t c = end.size() - 1; c > 0; c--) {
    double& above = end[size_t(parent[n + int64_t(c) - 1] - n)];
    above = std::max(above, end[c]);
  }
  Tensor scores = Tensor::zeros({n}, DType::f64);
  double* score = scores.data<double>();
  for (int64_t p = 0; p < n; p++) {
    double last = end[size_t(parent[p] - n)];
    if (last > 0) score[p] = (last - std::min(lambda[p], cap)) / last;
  }
  return scores;
}

}  // namespace

Hierarchy hdbscan_hierarchy(const Tensor& x, const HdbscanOptions& options,
                            const Progress& progress) {
  check(options);
  const int64_t min_samples = options.min_samples ? options.min_samples : options.min_cluster_size;
  auto [core, tree] =
      options.min_common > 0
          ? partial_reachability_tree(x, min_samples, options.alpha, options.min_common, progress)
          : reachability_tree(x, min_samples, options.alpha, options.spanning_tree, progress);
  progress("hdbscan tree", 0, 1);
  LinkageTree linkage = single_linkage(tree);
  progress("hdbscan tree", 1, 1);
  return {core, tree, linkage};
}

HdbscanResult hdbscan_cut(const Hierarchy& hierarchy, const HdbscanOptions& options) {
  check(options);
  HdbscanResult result;
  result.hierarchy = hierarchy;
  const CondensedTree tree =
      simplify(condense(hierarchy.linkage, options.min_cluster_size), options.persistence);
  const std::vector<int32_t> selected = select_clusters(tree, options.selection);
  const int64_t n = tree.points, k = int64_t(selected.size());
  const double* lambda = tree.lambda.data<double>();
  const double cap = largest_finite_lambda(tree);

  const ClusterLabels place(tree, selected, options.selection);
  std::vector<int32_t> labels(static_cast<size_t>(n));
  std::vector<int64_t> size(static_cast<size_t>(k), 0);
  result.probabilities = Tensor::zeros({n}, DType::f64);
  for (int64_t p = 0; p < n; p++) {
    const int32_t l = labels[size_t(p)] = place.at(p, lambda[p]);
    result.probabilities.data<double>()[p] = place.probability(l, lambda[p]);
    if (l >= 0) size[size_t(l)]++;
  }

  // Persistence: stability over that of a cluster whose points all stay to the densest lambda.
  const std::vector<double> all = stabilities(tree);
  std::vector<double> stability, persistence;
  const double densest = *std::max_element(lambda, lambda + tree.rows());
  for (int64_t c = 0; c < k; c++) {
    stability.push_back(all[size_t(selected[size_t(c)] - n)]);
    bool defined = std::isfinite(densest) && size[size_t(c)] > 0;
    persistence.push_back(defined ? stability.back() / (double(size[size_t(c)]) * densest) : 1);
  }

  result.cluster_count = k;
  result.labels = Tensor::from(labels, {n});
  result.outlier_scores = outlier_scores(tree, cap);
  result.persistence = Tensor::from(persistence, {k});
  result.stability = Tensor::from(stability, {k});
  result.selected = Tensor::from(selected, {k});
  result.condensed = tree;
  return result;
}

HdbscanResult hdbscan(const Tensor& x, const HdbscanOptions& options, const Progress& progress) {
  return hdbscan_cut(hdbscan_hierarchy(x, options, progress), options);
}

}  // namespace clade::cluster

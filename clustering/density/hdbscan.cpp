#include "clustering/density/hdbscan.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace clade::cluster {
namespace {

void check(const HdbscanOptions& o) {
  if (o.min_cluster_size < 2) fail("hdbscan", "min_cluster_size >= 2", text(o.min_cluster_size));
  if (o.min_samples < 0)
    fail("hdbscan", "min_samples >= 1, or 0 for min_cluster_size", text(o.min_samples));
}

// Points beside others at distance 0 stay for ever; scores count them as staying as long as the
// longest that does end.
double largest_finite(const CondensedTree& tree) {
  const double* lambda = tree.lambda.data<double>();
  double largest = 0;
  for (int64_t r = 0; r < tree.rows(); r++)
    if (std::isfinite(lambda[r])) largest = std::max(largest, lambda[r]);
  return largest;
}

// For each condensed cluster the selected one that it is or lies in, as a label; -1 outside.
std::vector<int32_t> label_of_cluster(const CondensedTree& tree,
                                      const std::vector<int32_t>& selected) {
  const int64_t n = tree.points;
  const int32_t* parent = tree.parent.data<int32_t>();
  std::vector<int32_t> label(size_t(tree.clusters()), -1);
  for (size_t k = 0; k < selected.size(); k++) label[size_t(selected[k] - n)] = int32_t(k);
  for (size_t c = 1; c < label.size(); c++)
    if (label[c] < 0) label[c] = label[size_t(parent[n + int64_t(c) - 1] - n)];
  return label;
}

// Where the root itself is the cluster everything would be in it; so it holds only what is dense
// enough: what stays to the root's own end or, with epsilon, what leaves below epsilon.
double root_threshold(const CondensedTree& tree, const SelectionOptions& options) {
  if (options.epsilon > 0) return 1 / options.epsilon;
  const int32_t* parent = tree.parent.data<int32_t>();
  const double* lambda = tree.lambda.data<double>();
  double last = 0;
  for (int64_t r = 0; r < tree.rows(); r++)
    if (parent[r] == tree.points) last = std::max(last, lambda[r]);
  return last;
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
  const auto [core, neighbors] = core_neighbors(x, min_samples, progress);
  SpanningTree tree =
      minimum_spanning_tree(x, core, options.alpha, options.spanning_tree, progress, neighbors);
  progress("hdbscan tree", 0, 1);
  LinkageTree linkage = single_linkage(tree);
  progress("hdbscan tree", 1, 1);
  return {core, tree, linkage};
}

HdbscanResult hdbscan_cut(const Hierarchy& hierarchy, const HdbscanOptions& options) {
  check(options);
  HdbscanResult result;
  result.hierarchy = hierarchy;
  const CondensedTree tree = condense(hierarchy.linkage, options.min_cluster_size);
  const std::vector<int32_t> selected = select_clusters(tree, options.selection);
  const int64_t n = tree.points, k = int64_t(selected.size());
  const int32_t* parent = tree.parent.data<int32_t>();
  const double* lambda = tree.lambda.data<double>();
  const double cap = largest_finite(tree);

  // Labels.
  const std::vector<int32_t> label = label_of_cluster(tree, selected);
  const bool root_selected = k > 0 && selected[0] == n;
  const double threshold = root_selected ? root_threshold(tree, options.selection) : 0;
  std::vector<int32_t> labels(static_cast<size_t>(n));
  std::vector<int64_t> size(static_cast<size_t>(k), 0);
  for (int64_t p = 0; p < n; p++) {
    int32_t l = lambda[p] >= threshold ? label[size_t(parent[p] - n)] : -1;
    labels[size_t(p)] = l;
    if (l >= 0) size[size_t(l)]++;
  }

  // Probabilities: a point's lambda over the largest at which anything left its cluster.
  std::vector<double> last(static_cast<size_t>(k), 0);
  for (int64_t r = 0; r < tree.rows(); r++) {
    int32_t l = label[size_t(parent[r] - n)];
    if (l >= 0 && parent[r] == selected[size_t(l)])
      last[size_t(l)] = std::max(last[size_t(l)], std::min(lambda[r], cap));
  }
  result.probabilities = Tensor::zeros({n}, DType::f64);
  double* probability = result.probabilities.data<double>();
  for (int64_t p = 0; p < n; p++) {
    if (labels[size_t(p)] < 0) continue;
    double end = last[size_t(labels[size_t(p)])];
    probability[p] = lambda[p] < end ? lambda[p] / end : 1;
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

#include "clustering/density/cluster_labels.h"

#include <algorithm>
#include <cmath>

namespace clade::cluster {
namespace {

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

}  // namespace

double largest_finite_lambda(const CondensedTree& tree) {
  const double* lambda = tree.lambda.data<double>();
  double largest = 0;
  for (int64_t r = 0; r < tree.rows(); r++)
    if (std::isfinite(lambda[r])) largest = std::max(largest, lambda[r]);
  return largest;
}

ClusterLabels::ClusterLabels(const CondensedTree& tree, const std::vector<int32_t>& selected,
                             const SelectionOptions& options)
    : parent_(tree.parent.data<int32_t>()),
      lambda_(tree.lambda.data<double>()),
      points_(tree.points),
      label_(size_t(tree.clusters()), -1),
      last_(selected.size(), 0) {
  for (size_t k = 0; k < selected.size(); k++) label_[size_t(selected[k] - points_)] = int32_t(k);
  for (size_t c = 1; c < label_.size(); c++)
    if (label_[c] < 0) label_[c] = label_[size_t(parent_[points_ + int64_t(c) - 1] - points_)];
  if (!selected.empty() && selected[0] == points_) threshold_ = root_threshold(tree, options);
  const double cap = largest_finite_lambda(tree);
  for (int64_t r = 0; r < tree.rows(); r++) {
    const int32_t l = label_[size_t(parent_[r] - points_)];
    if (l >= 0 && parent_[r] == selected[size_t(l)])
      last_[size_t(l)] = std::max(last_[size_t(l)], std::min(lambda_[r], cap));
  }
}

int32_t ClusterLabels::at(int64_t row, double lambda) const {
  if (lambda < threshold_) return -1;
  int64_t cluster = parent_[row];
  while (cluster != points_ && lambda_[cluster - 1] > lambda) cluster = parent_[cluster - 1];
  return label_[size_t(cluster - points_)];
}

double ClusterLabels::probability(int32_t label, double lambda) const {
  if (label < 0) return 0;
  const double end = last_[size_t(label)];
  return lambda < end ? lambda / end : 1;
}

}  // namespace clade::cluster

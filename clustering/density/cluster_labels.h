// Which selected cluster a place in the condensed tree belongs to, and how surely: the rule by
// which the fitted rows are labelled, and new ones.
#pragma once

#include <cstdint>
#include <vector>

#include "clustering/density/cluster_selection.h"
#include "clustering/density/condensed_tree.h"

namespace clade::cluster {

class ClusterLabels {
 public:
  // selected: nodes of the tree, as select_clusters gives them.
  ClusterLabels(const CondensedTree& tree, const std::vector<int32_t>& selected,
                const SelectionOptions& options);

  // The label of what leaves the smallest cluster around fitted row p at density lambda; -1: noise.
  int32_t at(int64_t row, double lambda) const;
  // lambda over the largest at which anything left the cluster, at most 1; 0 for noise.
  double probability(int32_t label, double lambda) const;

 private:
  const int32_t* parent_;
  const double* lambda_;
  int64_t points_;
  double threshold_ = 0;        // of a root that is itself a cluster
  std::vector<int32_t> label_;  // by condensed cluster: the selected one that it is or lies in
  std::vector<double> last_;    // by label: the largest finite lambda in it
};

// Rows at distance 0 from others stay for ever; scores count them as staying as long as the longest
// that does end. 0 if none ends.
double largest_finite_lambda(const CondensedTree& tree);

}  // namespace clade::cluster

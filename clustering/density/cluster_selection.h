// Choosing flat clusters from the condensed tree, no two of them one inside the other.
//
// eom    The stability of cluster C is its excess of mass, the sum over all that leaves it of
//        (lambda - lambda_birth) * size. From the leaves up, a cluster is chosen instead of its
//        descendants when it is at least as stable as the best choice below it (Campello et al.
//        2015).
// leaf   All clusters without children: many, small, alike in density.
//
// Then epsilon (Malzer and Baum 2020): a chosen cluster born at a distance below epsilon is
// exchanged for its nearest ancestor born above, so no split finer than epsilon is made.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "clustering/density/condensed_tree.h"

namespace clade::cluster {

enum class ClusterSelection : uint8_t { eom, leaf };

struct SelectionOptions {
  ClusterSelection method = ClusterSelection::eom;
  double epsilon = 0;                 // a distance; 0: every split counts
  double epsilon_max = INFINITY;      // eom prefers descendants to a cluster born at more than it
  int64_t max_cluster_size = 0;       // eom prefers descendants to a cluster above it; 0: no limit
  bool allow_single_cluster = false;  // may the root be a cluster? Else there are none or >= 2
};

// Excess of mass of every cluster, by node - tree.points. Infinite where points coincide.
std::vector<double> stabilities(const CondensedTree& tree);

// The chosen clusters' nodes, rising.
std::vector<int32_t> select_clusters(const CondensedTree& tree,
                                     const SelectionOptions& options = {});

}  // namespace clade::cluster

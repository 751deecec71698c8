// HDBSCAN: clusters are the regions that stay dense longest while the density threshold rises.
//
//   1. core distances    how far a point's min_samples-th neighbour is         spanning_tree.h
//   2. spanning tree     of mutual reachability max(core_a, core_b, d / alpha)  spanning_tree.h
//   3. single linkage    the spanning tree's edges merged from short to long    linkage_tree.h
//   4. condensed tree    splits off fewer than min_cluster_size are shedding    condensed_tree.h
//   5. selection         the clusters with most excess of mass, or the leaves   cluster_selection.h
//   6. memberships       of points in clusters, and of noise                    soft_membership.h
//
// Steps 1 to 3 cost nearly all the time and do not depend on the options of 4 and 5, so they are
// kept in a Hierarchy that can be cut again and again.
//
// Sources: Campello, Moulavi, Sander, "Density-based clustering based on hierarchical density
// estimates" (PAKDD 2013); Campello et al., "Hierarchical density estimates for data clustering,
// visualization, and outlier detection" (TKDD 2015: GLOSH); McInnes, Healy, "Accelerated
// hierarchical density based clustering" (ICDMW 2017); Malzer, Baum, "A hybrid approach to
// hierarchical density-based cluster selection" (MFI 2020: epsilon). Parameters mean what they mean
// in the hdbscan package, and give its labels.
#pragma once

#include <cstdint>

#include "clustering/density/cluster_selection.h"
#include "clustering/density/condensed_tree.h"
#include "clustering/density/linkage_tree.h"
#include "clustering/density/spanning_tree.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct HdbscanOptions {
  int64_t min_cluster_size = 5;  // the fewest points that are a cluster, >= 2
  int64_t min_samples = 0;       // a core distance reaches this many others; 0: min_cluster_size
  double alpha = 1.0;            // distances are divided by it before they meet the core distances
  int64_t min_common =
      0;  // > 0: NaN is a missing value, and rows that share at least so many columns
          // are compared over these (partial_reachability_tree); 0: NaN is an Error
  SpanningTreeMethod spanning_tree = SpanningTreeMethod::automatic;
  double persistence = 0;  // splits less dense than this in either part are undone (simplify)
  SelectionOptions selection = {};  // eom or leaf, epsilon, max_cluster_size, allow_single_cluster
};

// What does not depend on min_cluster_size and selection. Tensors are shared, so copies are cheap.
struct Hierarchy {
  Tensor core_distances;  // (n) f64
  SpanningTree spanning_tree;
  LinkageTree linkage;
};

struct HdbscanResult {
  int64_t cluster_count = 0;
  Tensor labels;          // (n) i32: 0 .. cluster_count - 1 in order of birth, -1 for noise
  Tensor probabilities;   // (n) f64: lambda of the point over the largest in its cluster; noise 0
  Tensor outlier_scores;  // (n) f64: GLOSH, 0 deep inside .. 1 far out
  Tensor persistence;     // (cluster_count) f64: how much of its possible lifetime a cluster stood
  Tensor stability;       // (cluster_count) f64: excess of mass
  Tensor selected;        // (cluster_count) i32: the clusters' nodes in the condensed tree
  CondensedTree condensed;
  Hierarchy hierarchy;
};

// x (n, d), f32 or f64, finite or with NaN for what is missing (min_common), n >= 2. min_samples >=
// n counts as n - 1. Throws Error on bad input or options. Reports "hdbscan core distances",
// "hdbscan spanning tree", "hdbscan tree".
HdbscanResult hdbscan(const Tensor& x, const HdbscanOptions& options = {},
                      const Progress& progress = {});

// Steps 1 to 3 alone, and 4 to 6 from them: hdbscan(x, o) is hdbscan_cut(hdbscan_hierarchy(x, o),
// o).
Hierarchy hdbscan_hierarchy(const Tensor& x, const HdbscanOptions& options = {},
                            const Progress& progress = {});
HdbscanResult hdbscan_cut(const Hierarchy& hierarchy, const HdbscanOptions& options = {});

}  // namespace clade::cluster

// The condensed tree: the single linkage tree seen from above, as clusters that shed points.
//
// Walk down from the root as the density lambda = 1 / distance rises. Where a node splits into two
// parts of at least min_cluster_size points, two clusters are born and their parent ends. A smaller
// part is no cluster: its points fall out of their cluster at this lambda, and the rest goes on
// under the same name. Parts at distance 0 cannot be told apart, so they never split: their points
// stay to the end, lambda infinite.
//
// Nodes: points 0 .. n - 1, then clusters n (the root) .. n + clusters - 1, children after their
// parents. Every node but the root has one row, in the order of the nodes:
//
//     row r      0 .. n - 1: point r        n, n + 1, ...: cluster r + 1
//     parent     the cluster it left, or, for a cluster, whose split bore it
//     child      the node itself
//     lambda     1 / distance at which that happened
//     size       points in it
//
// The same four columns as in the hdbscan package (where rows stand in another order).
#pragma once

#include <cstdint>

#include "clustering/density/linkage_tree.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct CondensedTree {
  Tensor parent;  // (rows) i32
  Tensor child;   // (rows) i32
  Tensor lambda;  // (rows) f64, > 0, maybe infinite
  Tensor size;    // (rows) i32
  int64_t points = 0;

  int64_t rows() const { return parent.numel(); }
  int64_t clusters() const { return rows() - points + 1; }  // the root is one
};

// min_cluster_size >= 2.
CondensedTree condense(const LinkageTree& linkage, int64_t min_cluster_size);

// Without the splits that hardly matter: from the leaves up, a split at density lambda is undone
// unless both parts hold somewhere lambda + persistence. Of two parts the one that grows denser
// goes on as its parent; the other's points fall out at the split, but those of parts that it took
// in before, and all where neither part splits again, each at its own density, as in the hdbscan
// package. persistence >= 0, a density; 0 gives the tree back.
CondensedTree simplify(const CondensedTree& tree, double persistence);

}  // namespace clade::cluster

// The single linkage tree: the spanning tree's edges merged from the shortest to the longest.
//
// Merge i (0 .. n - 2) makes node n + i out of two nodes; points are the nodes 0 .. n - 1 and node
// 2 n - 2 is the root. So a child's number is always lower than its parent's. The layout is that of
// scipy.cluster.hierarchy, so the columns (left, right, distance, size) draw as a dendrogram there.
#pragma once

#include <cstdint>

#include "clustering/density/spanning_tree.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct LinkageTree {
  Tensor left;      // (n - 1) i32; of the two merged nodes the one that holds the lowest row
  Tensor right;     // (n - 1) i32
  Tensor distance;  // (n - 1) f64, never falling
  Tensor size;      // (n - 1) i32, points below

  int64_t points() const { return distance.numel() + 1; }
};

LinkageTree single_linkage(const SpanningTree& tree);

// The clusters left when all edges longer than `distance` are cut: DBSCAN* with that radius. (n)
// i32, numbered in the order of their first rows; those of fewer than min_cluster_size points are
// -1.
Tensor labels_at_distance(const LinkageTree& tree, double distance, int64_t min_cluster_size = 1);

}  // namespace clade::cluster

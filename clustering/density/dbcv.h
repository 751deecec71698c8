// DBCV: how good a density based clustering is, without known classes; -1 .. 1, higher is better.
//
// For cluster C of points with density core distances a_i (below), in the graph of mutual
// reachability max(a_i, a_j, |i - j|):
//   DSC(C)      the longest edge between inner nodes of C's spanning tree: how sparse C is
//   DSPC(C, D)  the shortest edge between inner nodes of C and of D: how far apart they are
//   V(C)        (min_D DSPC(C, D) - DSC(C)) / max(min_D DSPC(C, D), DSC(C))
//   DBCV        sum_C |C| / n V(C);  noise counts in n, so it lowers the index
//   a_i         (sum_j |i - j|^-d / (|C| - 1))^(-1/d), over the other points of C, d columns
//
// Source: Moulavi, Jaskowiak, Campello, Zimek, Sander, "Density-based clustering validation"
// (SDM 2014), with the reading of inner nodes of the hdbscan package: degree above 1.
#pragma once

#include "clustering/density/spanning_tree.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct Dbcv {
  double index = 0;
  Tensor clusters;  // (k) f64: V of each cluster, in the order of their labels
};

// x (n, d) finite; labels (n) i32: clusters >= 0 in any numbering, -1 noise; at least 2 clusters.
// a_i is computed with logarithms: no number of columns overflows it. Coinciding points are left
// out of its sum. Throws Error on other input. Cost: sum over clusters of |C|^2 d, and the pairs of
// inner nodes; memory n d.
Dbcv dbcv(const Tensor& x, const Tensor& labels, const Progress& progress = {});

// The quick relative index from a fit's spanning tree alone (relative_validity_ of the hdbscan
// package): DSC and DSPC are the longest edge inside and the shortest edge between clusters of that
// tree. For comparing fits of one data set with one min_samples. labels as HdbscanResult's; no
// cluster gives 0.
double relative_validity(const SpanningTree& tree, const Tensor& labels);

}  // namespace clade::cluster

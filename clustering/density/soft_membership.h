// Soft membership: how much each point belongs to each cluster, noise included.
//
// Two views are multiplied, as the hdbscan package does ("soft clustering" in its manual):
//
//   distance   1 / (distance to the cluster's nearest exemplar), normalised over the clusters;
//              exemplars are the points that stay longest in the cluster's leaves
//   outlier    exp(exp(-lambda_max / h_c)), normalised; h_c is the density at which the point
//              merges with cluster c, lambda_max the highest in the condensed cluster it fell from
//
// and the row is scaled by the chance that the point belongs to any cluster at all,
// max_c h_c / lambda_max of that c. Where points coincide and lambda is infinite, the largest
// finite one stands in its place.
#pragma once

#include <vector>

#include "clustering/density/hdbscan.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// (n, cluster_count) f64; row sums are at most 1. x as given to hdbscan(). For millions of rows and
// thousands of clusters this matrix is large: soft_labels() does not make it.
Tensor membership_vectors(const Tensor& x, const HdbscanResult& result,
                          const Progress& progress = {});

// The `count` largest memberships of each row, largest first, ties to the lower cluster: what fits
// into memory where the whole matrix does not. 1 <= count <= cluster_count.
struct TopMemberships {
  Tensor cluster;     // (n, count) i32; -1 where there is no cluster at all
  Tensor membership;  // (n, count) f64
};
TopMemberships top_memberships(const Tensor& x, const HdbscanResult& result, int64_t count,
                               const Progress& progress = {});

// For each cluster the rows that stand for it: those that stay longest in its leaves, rising.
std::vector<std::vector<int64_t>> exemplars(const Tensor& x, const HdbscanResult& result);

// (n) i32: result.labels with each noise point given to the cluster of its largest membership. No
// -1 is left unless there is no cluster.
Tensor soft_labels(const Tensor& x, const HdbscanResult& result, const Progress& progress = {});

}  // namespace clade::cluster

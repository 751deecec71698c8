// k-means of rows with holes: only what was observed counts.
//
//   objective = sum_i w_i sum_{j observed in i} (x_ij - c_{a(i) j})^2
//
// (Chi, Chi, Baraniuk, "k-POD: a method for k-means clustering of missing data", The American
// Statistician 70, 2016.) Their algorithm fills the holes with the values of the assigned centre
// and runs k-means on that, again and again: a majorization whose steps shrink with the share of
// holes. The objective falls further by minimizing it directly, in turn over the labels (nearest
// centre in the observed columns) and the centres (means of what was observed): the same fixed
// points, fewer iterations. It never rises. With no holes this is kmeans.h.
#pragma once

#include <vector>

#include "clustering/centroid/kmeans.h"

namespace clade::cluster {

struct KPodOptions {
  int64_t k = 8;
  KMeansOptions::Init init = KMeansOptions::Init::plus_plus;  // on holes filled by column means
  Tensor centres = {};                                        // (k, d), for Init::given
  int n_init = 1;      // the start of the least objective is kept
  int max_iter = 300;  // or until no label changes
  uint64_t seed = 0;
};

struct KPod {
  Tensor centres;  // (k, d), dtype of x; a column of which a cluster has seen nothing is the mean
  Tensor labels;   // (n) i32; -1 for a row of nothing but holes
  double inertia = 0;              // the objective
  std::vector<double> objectives;  // after each iteration
  int iterations = 0;
  bool converged = false;
};

// x (n, d) f32 or f64, NaN where a value is missing; every column must have one value at least and
// k rows must have any. weights (n) as for kmeans(). Cost: 4 n k d FLOPs an iteration. Same bits at
// any number of threads.
KPod kpod(const Tensor& x, const KPodOptions& options, const Tensor& weights = {},
          const Progress& progress = {});

Tensor predict(const KPod& model, const Tensor& x);  // (n) i32, -1 for rows of holes alone
// x with its holes filled by the centre of each row's cluster, of rows of holes alone by the mean
// of the centres.
Tensor fill_holes(const KPod& model, const Tensor& x);

}  // namespace clade::cluster

// Lloyd's iteration from given centres: the loop of k-means, and what lets most points sit it out.
//
//   assign each point to its nearest centre, move each centre to the mean of its points, repeat
//   (Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28, 1982)
//
// Beside its label a point carries two bounds: u from above on the distance to its own centre, l
// from below on the distance to all others. When the centres have moved, u grows by the shift of
// its own, l falls by the largest shift of another; while u < l the label cannot change and the
// point is not looked at (Hamerly, "Making k-means even faster", SDM 2010). The others are gathered
// into tiles and searched by products (assign.h), which gives both bounds anew. Centres settle
// after a few iterations: of Fashion-MNIST's points with k = 10, a tenth is looked at in the
// twelfth iteration and a fiftieth in the fortieth. Labels are the same as without bounds.
#pragma once

#include <vector>

#include "clustering/centroid/kmeans.h"

namespace clade::cluster {

// Data that all starts share: x (n, d), best centred, its half squared norms, and the weights (n)
// f64 or undefined.
struct LloydData {
  const Tensor& x;
  const std::vector<double>& norms;
  const Tensor& weights;
};

// From each of the first centres (k, d), one answer each, none touched by the others; all go
// through the rows together. Until no label changes, the squared shifts of the centres add up to no
// more than `tol`, or max_iter. Clusters without weight take over the points farthest from their
// centres, as in scikit-learn; centres is not changed.
std::vector<KMeans> lloyd(const LloydData& data, const std::vector<Tensor>& centres, int max_iter,
                          double tol, const Progress& progress);

}  // namespace clade::cluster

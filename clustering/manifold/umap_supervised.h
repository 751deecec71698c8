// Labels in UMAP: edges between classes are weakened before the layout.
//
//   w'_ij = w_ij                       same class
//           w_ij exp(-1)               either has no label
//           w_ij exp(-far)             different classes, far = 2.5 / (1 - target_weight)
//
// Then each vertex takes its heaviest edge as 1 again and the two directions are joined by the
// fuzzy union a + b - a b: a vertex whose neighbours all are of other classes must not fall out.
// target_weight in [0, 1]: 0 listens to the data more, 1 to the labels alone (far is infinite).
//
// Source: the constants and steps of umap-learn's categorical intersection.
#pragma once

#include "clustering/manifold/umap_graph.h"

namespace clade::cluster {

// labels (n) of an integer dtype, negative: none. Throws Error on other sizes and weights.
FuzzyGraph intersect_with_labels(const FuzzyGraph& graph, const Tensor& labels,
                                 double target_weight);

}  // namespace clade::cluster

// Silhouette: how much closer a point lies to its own cluster than to the next one.
//
//   s_i = (b_i - a_i) / max(a_i, b_i)       (Rousseeuw, J. Comput. Appl. Math. 20, 1987)
//
// a_i: mean distance to the other points of i's cluster; b_i: the least, over the other clusters,
// of the mean distance to their points. 1 is well inside, 0 between two clusters, -1 in the wrong
// one. A point that is alone in its cluster has s_i = 0.
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// x (n, d) f32 or f64; labels (n) i32 with 2 <= distinct labels <= n - 1; noise (-1) counts as a
// cluster, so leave it out beforehand. Returns s (n) f64. Throws Error on anything else.
// Distances are computed in f64; those of more than 4096 rows of f32 in f32, except near ones: s is
// then good to 1e-7 as a rule, 5e-6 at worst. Cost: n^2 d FLOPs; memory n (d + clusters), or n d
// where there are too many clusters, at 2 n^2 d FLOPs. Same bits at any number of threads.
Tensor silhouette_samples(const Tensor& x, const Tensor& labels, const Progress& progress = {});

// Their mean.
double silhouette(const Tensor& x, const Tensor& labels, const Progress& progress = {});

}  // namespace clade::cluster

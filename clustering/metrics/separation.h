// Davies-Bouldin and Calinski-Harabasz: how far clusters lie apart for how wide they are, from the
// data alone. Both look at the data twice and at no pair of rows.
//
//   DB = 1 / k sum_c max_{e != c} (s_c + s_e) / ||m_c - m_e||     (Davies & Bouldin, 1979)
//   CH = [sum_c n_c ||m_c - m||^2 / (k - 1)] / [sum_i ||x_i - m_c(i)||^2 / (n - k)]
//                                                                 (Calinski & Harabasz, 1974)
//
// m_c, n_c: mean and size of cluster c; s_c: mean distance of its points to m_c; m: mean of all.
#pragma once

#include "tensor/tensor.h"

namespace clade::cluster {

// x (n, d) f32 or f64; labels (n) i32 with 2 <= distinct labels <= n - 1; noise (-1) counts as a
// cluster, so leave it out beforehand. Smaller is better; 0 where all points of each cluster are
// one point. Clusters with the same mean are passed over. Throws Error on anything else. All sums
// in f64; same bits at any number of threads.
double davies_bouldin(const Tensor& x, const Tensor& labels);

// Larger is better; 1 where no cluster has any spread.
double calinski_harabasz(const Tensor& x, const Tensor& labels);

}  // namespace clade::cluster

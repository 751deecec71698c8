// What an embedding keeps of the neighbourhoods of the data, beside trustworthiness.h.
//
//   recall = 1 / (n k) sum_i |N_k(i) in the data  and  N_k(i) in the embedding|
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// The share of the k nearest neighbours that are kept; x (n, d) and
// embedding (n, e), f32 or f64; 1 <= k <= n - 1, ties by index. In [0, 1].
double knn_recall(const Tensor& x, const Tensor& embedding, int64_t k = 15,
                  const Progress& progress = {});

}  // namespace clade::cluster

// Trustworthiness: are the neighbours in an embedding neighbours in the data?
//
//   T(k) = 1 - 2 / (n k (2 n - 3 k - 1)) sum_i sum_{j in N_k(i)} max(0, r(i, j) - k)
//
// N_k(i): the k nearest neighbours of i in the embedding; r(i, j): the rank of j among the
// neighbours of i in the data, 1 for the nearest. (Venna & Kaski, "Neighborhood preservation in
// nonlinear projection methods", ICANN 2001, eq. 1.)
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// x (n, d) and embedding (n, e), f32 or f64; 1 <= k < n / 2. In [0, 1]; ranks are exact, ties by
// index. Throws Error on other sizes and on NaN. Same bits at any number of threads.
// Cost: 2 n^2 d FLOPs and some n^2 k comparisons; memory n d.
double trustworthiness(const Tensor& x, const Tensor& embedding, int64_t k = 5,
                       const Progress& progress = {});

// The other way round: are the neighbours in the data neighbours in the embedding? The same with x
// and embedding exchanged (ibid., eq. 2).
double continuity(const Tensor& x, const Tensor& embedding, int64_t k = 5,
                  const Progress& progress = {});

}  // namespace clade::cluster

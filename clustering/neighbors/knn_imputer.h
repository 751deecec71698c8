// kNN imputation: a missing value becomes the mean of its column over the k nearest rows that have
// it (Troyanskaya et al., Bioinformatics 17, 2001), nearness by partial distance as in partial_knn.
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// x (n, d) f32 or f64, NaN where missing -> the same without NaN; what was there stays. Ties go to
// the lower row. Where no row with the value shares a column, or fewer than k do, the mean is over
// the column, or over those; a column without values becomes 0. Throws Error on infinities and k
// below 1. As scikit-learn's KNNImputer with uniform weights. Same bits at any number of threads.
// Cost: 3 d n FLOPs for each row with a hole.
Tensor knn_impute(const Tensor& x, int64_t k, const Progress& progress = {});

}  // namespace clade::cluster

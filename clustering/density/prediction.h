// Where new rows fall in a hierarchy that was found without them.
//
// A new row q hangs on the fitted row p of lowest mutual reachability max(core_q, core_p, |q - p|),
// at the density lambda that is one over it: its cluster is the smallest around p that is still
// whole at lambda (the approximate_predict of the hdbscan package). Nothing is refitted, so many
// new rows cannot make a new cluster.
#pragma once

#include "clustering/density/hdbscan.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct Prediction {
  Tensor labels;         // (m) i32: clusters of the fit, -1 for noise
  Tensor probabilities;  // (m) f64, as HdbscanResult's
};

// queries (m, d) against x (n, d), the rows of the fit, in x's dtype; options as in the fit. A
// query that equals a fitted row has that row's answer (the lowest such row's); so predicting the
// fitted rows gives the fit. Selections are those of the fit, epsilon and a selected root included.
// Throws Error on other shapes and on values that are not finite.
Prediction approximate_predict(const Tensor& x, const HdbscanResult& fit,
                               const HdbscanOptions& options, const Tensor& queries,
                               const Progress& progress = {});

}  // namespace clade::cluster

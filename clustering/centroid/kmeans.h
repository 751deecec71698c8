// k-means: k centres that minimize the sum of squared distances from each point to its nearest.
//
//   inertia = sum_i w_i min_j ||x_i - c_j||^2
//
// Lloyd's iteration (Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28, 1982):
// assign each point to its nearest centre, move each centre to the mean of its points, repeat. It
// finds a local minimum, so the start matters, and n_init starts are tried. Options and
// limit cases are scikit-learn's: from the same centres the same result follows.
#pragma once

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct KMeansOptions {
  enum class Init : uint8_t {
    plus_plus,  // greedy k-means++ (centroid/seeding.h)
    parallel,   // k-means||, faster for large k
    random,     // distinct rows
    given,      // `centres`
  };
  int64_t k = 8;
  Init init = Init::plus_plus;
  Tensor centres = {};  // (k, d), for Init::given
  int n_init = 1;       // starts; the one of least inertia is kept. Init::given starts once
  int max_iter = 300;   // per start, >= 1
  double tol = 1e-4;  // stop when the centres move, squared and summed, by no more than this times
                      // the mean variance of the columns; 0: only when no label changes
  uint64_t seed = 0;
};

struct KMeans {
  Tensor centres = {};  // (k, d), dtype of x
  Tensor labels;        // (n) i32: nearest centre of each row, ties to the lowest
  double inertia = 0;
  int iterations = 0;  // of the start that was kept
  bool converged = false;
};

// x (n, d) f32 or f64, 1 <= k <= n; weights (n) f32 or f64, >= 0 and not all 0 (undefined: all 1).
// A cluster that loses its points is moved to the points farthest from their centres; with fewer
// distinct points than k some clusters stay empty. Throws Error on NaN and on options out of range.
// Cost: 2 n k d FLOPs an iteration. Same bits at any number of threads.
KMeans kmeans(const Tensor& x, const KMeansOptions& options, const Tensor& weights = {},
              const Progress& progress = {});

// Of x (n, d), whose dtype is that of the centres:
Tensor predict(const KMeans& model, const Tensor& x);    // (n) i32: the nearest centre of each row
Tensor transform(const KMeans& model, const Tensor& x);  // (n, k): distances to all centres
// Minus the inertia of x, as scikit-learn has it.
double score(const KMeans& model, const Tensor& x, const Tensor& weights = {});

}  // namespace clade::cluster

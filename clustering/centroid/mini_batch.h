// k-means by small batches: for data so large that one pass over it is long, or that comes in
// parts.
//
//   weight_c += sum_{i in batch, c} w_i,    c += sum_{i in batch, c} w_i (x_i - c) / weight_c
//
// (Sculley, "Web-scale k-means clustering", WWW 2010: each centre is the mean of all points that
// were ever nearest to it.) Some percent above the inertia of kmeans.h, after a fraction of a pass.
// Clusters that get few points are given new centres, and the loop ends when the smoothed inertia
// of the batches no longer falls, as in scikit-learn.
#pragma once

#include "clustering/centroid/kmeans.h"
#include "tensor/random.h"

namespace clade::cluster {

struct MiniBatchOptions {
  int64_t k = 8;
  int64_t batch = 1024;         // rows, drawn with replacement
  int max_iter = 100;           // passes: n / batch batches each
  int max_no_improvement = 10;  // batches without a lower smoothed inertia; 0: do not stop for it
  double tol = 0;  // stop when the smoothed squared shift of the centres falls to this times
                   // the mean variance; 0: do not stop for it
  double reassignment_ratio = 0.01;  // centres with less weight than this times the largest's move
  KMeansOptions::Init init = KMeansOptions::Init::plus_plus;  // from a sample of 3 batches or 3 k
  Tensor centres = {};                                        // (k, d), for Init::given
  uint64_t seed = 0;
};

// As kmeans(): x (n, d) f32 or f64, weights (n). Labels and inertia are those of all rows;
// iterations counts batches. Same bits at any number of threads.
KMeans mini_batch_kmeans(const Tensor& x, const MiniBatchOptions& options,
                         const Tensor& weights = {}, const Progress& progress = {});

// The same for rows that come in parts and are not kept.
class OnlineKMeans {
 public:
  explicit OnlineKMeans(const Tensor& centres);  // (k, d) f32 or f64

  // Moves the centres by the rows x (m, d) of the centres' dtype; returns their inertia before it.
  double add(const Tensor& x, const Tensor& weights = {});
  // Centres of little weight (see reassignment_ratio) go to rows of x.
  void reassign(const Tensor& x, double ratio, Random& rng);

  const Tensor& centres() const { return centres_; }
  const std::vector<double>& weight() const { return weight_; }  // (k)

 private:
  Tensor centres_;
  std::vector<double> weight_;
};

}  // namespace clade::cluster

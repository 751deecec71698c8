#include "clustering/density/prediction.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "clustering/density/cluster_labels.h"
#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/knn.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

// A fitted row, and at which density something hangs on it.
struct Place {
  int32_t row = -1;
  double lambda = 0;
  bool same = false;  // it is that row
};

// Of the neighbours, nearest first, that of the lowest mutual reachability. The core distance of a
// new row reaches one neighbour further than that of a fitted one, as the package has it: so it is
// that of a row that has joined the fitted ones.
template <class T>
Place hang(const T* query, const T* rows, int64_t d, const int32_t* near, int64_t k,
           int64_t min_samples, const double* core, double alpha) {
  std::vector<double> distance;
  for (int64_t r = 0; r < k; r++)
    distance.push_back(std::sqrt(kernels::direct_squared_distance(query, rows + near[r] * d, d)));
  if (distance[0] == 0) return {near[0], 0, true};
  const double own = distance[size_t(std::min(min_samples, k - 1))];
  Place best;
  double least = INFINITY;
  for (int64_t r = 0; r < k; r++) {
    const double w = std::max({own, core[near[r]], distance[size_t(r)] / alpha});
    if (w < least) least = w, best.row = near[r];
  }
  best.lambda = 1 / least;
  return best;
}

}  // namespace

Prediction approximate_predict(const Tensor& x, const HdbscanResult& fit,
                               const HdbscanOptions& options, const Tensor& queries,
                               const Progress& progress) {
  const Tensor rows = finite_matrix("approximate_predict", x);
  const Tensor asked = finite_matrix("approximate_predict", queries, "queries");
  const CondensedTree& tree = fit.condensed;
  const int64_t n = rows.size(0), d = rows.size(1), m = asked.size(0);
  if (n != tree.points)
    fail("approximate_predict", text("the ", tree.points, " rows of the fit"), text(x));
  const int64_t min_samples = options.min_samples ? options.min_samples : options.min_cluster_size;
  const int64_t k = std::min(std::max(2 * min_samples, min_samples + 1), n);
  const Tensor index = exact_knn(asked, rows, k, progress).index;

  const ClusterLabels labels(tree, fit.selected.to_vector<int32_t>(), options.selection);
  Prediction out{Tensor::empty({m}, DType::i32), Tensor::zeros({m}, DType::f64)};
  dispatch_floating(rows.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(m, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const Place place =
            hang(asked.data<T>() + i * d, rows.data<T>(), d, index.data<int32_t>() + i * k, k,
                 min_samples, fit.hierarchy.core_distances.data<double>(), options.alpha);
        out.labels.data<int32_t>()[i] =
            place.same ? fit.labels.data<int32_t>()[place.row] : labels.at(place.row, place.lambda);
        out.probabilities.data<double>()[i] =
            place.same ? fit.probabilities.data<double>()[place.row]
                       : labels.probability(out.labels.data<int32_t>()[i], place.lambda);
      }
    });
  });
  return out;
}

}  // namespace clade::cluster

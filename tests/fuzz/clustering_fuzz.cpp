// Clustering over random shapes and options: the bytes choose the algorithm, its options, the shape
// of the data and the data. Whatever they are, the answer is finite and fits together, or it is
// refused with clade::Error.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "clustering/density/hdbscan.h"
#include "clustering/density/soft_membership.h"
#include "clustering/manifold/pca.h"
#include "clustering/manifold/tsne.h"
#include "clustering/manifold/umap.h"
#include "clustering/metrics/silhouette.h"
#include "clustering/metrics/trustworthiness.h"
#include "clustering/neighbors/nn_descent.h"
#include "tests/fuzz/fuzz.h"

using namespace clade;
using namespace clade::cluster;

namespace {

// Takes bytes from the front; zeros when they are used up.
struct Bytes {
  std::string_view left;

  int64_t below(int64_t n) {
    if (left.empty()) return 0;
    const int64_t value = uint8_t(left[0]);
    left.remove_prefix(1);
    return value % n;
  }

  // Whole numbers (ties, duplicates, constant columns), fine ones, huge, tiny, NaN and infinite.
  double number(int64_t kind) {
    const double small = double(below(256) - 128);
    switch (kind) {
      case 0: return double(int64_t(small) % 3);
      case 1: return small + double(below(256)) / 256;
      case 2: return std::ldexp(small, int(below(120)) - 60);
      case 3: return below(40) == 0 ? NAN : small;
      case 4: return below(60) == 0 ? INFINITY : small;
      default: return std::ldexp(small, int(below(250)) - 125);
    }
  }
};

Tensor rows_from(Bytes& bytes, int64_t most_rows) {
  const int64_t n = bytes.below(most_rows),
                d = bytes.below(6) == 0 ? bytes.below(80) : bytes.below(7);
  const int64_t kind = bytes.below(6), type = bytes.below(2);
  Tensor x = Tensor::zeros({n, d}, DType::f64);
  for (int64_t i = 0; i < n * d; i++) x.data<double>()[i] = bytes.number(kind);
  return type ? x : x.to(DType::f32);
}

void require_finite(const Tensor& t) {
  for (double v : t.to_vector<double>()) fuzz::require(std::isfinite(v));
}

void try_knn(Bytes& bytes) {
  const Tensor x = rows_from(bytes, 200);
  const int64_t k = bytes.below(20), how = bytes.below(6);
  const bool self = bytes.below(2) == 1;
  const Neighbors found = how == 0   ? partial_knn(x, k, self, 1 + bytes.below(4))
                          : how == 1 ? cosine_knn(x, k, self)
                          : how == 5 ? nn_descent(x, k, self).neighbors
                                     : exact_knn(x, k, self, {}, KnnMethod(how - 2));
  const int32_t* index = found.index.data<int32_t>();
  const float* distance = found.distance.data<float>();
  for (int64_t i = 0; i < x.size(0) * k; i++) {
    fuzz::require(index[i] >= (how == 0 ? -1 : 0) && index[i] < x.size(0));
    fuzz::require(distance[i] >= 0 && std::isinf(distance[i]) == (index[i] < 0));
    fuzz::require(i % k == 0 || distance[i - 1] <= distance[i]);
  }
}

void try_density(Bytes& bytes) {
  const Tensor x = rows_from(bytes, 150);
  HdbscanOptions o;
  o.min_cluster_size = bytes.below(12);
  o.min_samples = bytes.below(30);
  o.spanning_tree = SpanningTreeMethod(bytes.below(4));
  o.min_common = std::max<int64_t>(0, bytes.below(8) - 4);
  o.persistence = bytes.below(3) == 0 ? double(bytes.below(50)) / 10 : 0;
  o.alpha = bytes.below(4) == 0 ? double(bytes.below(30)) / 10 : 1;
  o.selection.method = ClusterSelection(bytes.below(2));
  o.selection.epsilon = bytes.below(3) == 0 ? double(bytes.below(100)) / 10 : 0;
  o.selection.max_cluster_size = bytes.below(3) == 0 ? bytes.below(60) : 0;
  o.selection.allow_single_cluster = bytes.below(2) == 1;
  const HdbscanResult r = hdbscan(x, o);
  for (int32_t l : r.labels.to_vector<int32_t>()) fuzz::require(l >= -1 && l < r.cluster_count);
  for (const Tensor& t : {r.probabilities, r.outlier_scores})
    for (double v : t.to_vector<double>()) fuzz::require(v >= 0 && v <= 1);
  require_finite(r.hierarchy.spanning_tree.weight);
  if (o.min_common == 0) require_finite(membership_vectors(x, r));
}

void try_places(Bytes& bytes) {
  const int64_t which = bytes.below(3);
  const Tensor x = rows_from(bytes, 60);
  if (which == 0) {
    PcaOptions o;
    o.components = bytes.below(8);
    o.whiten = bytes.below(2) == 1;
    o.solver = PcaSolver(bytes.below(3));
    const Pca fit = fit_pca(x, o);
    require_finite(transform(fit, x));
    require_finite(inverse_transform(fit, transform(fit, x)));
  } else if (which == 1) {
    TsneOptions o;
    o.perplexity = double(bytes.below(30)) / 2;
    o.method = TsneMethod(bytes.below(4));
    o.early_steps = bytes.below(10), o.steps = bytes.below(10);
    require_finite(tsne(x, o).embedding);
  } else {
    UmapOptions o;
    o.n_neighbors = bytes.below(12);
    o.n_components = bytes.below(4);
    o.n_epochs = 3 + bytes.below(20);
    o.min_dist = double(bytes.below(12)) / 10;
    require_finite(umap(x, o).embedding);
  }
}

void try_metrics(Bytes& bytes) {
  const Tensor x = rows_from(bytes, 150);
  if (bytes.below(2) == 0) {
    std::vector<int32_t> labels;
    const int64_t k = 1 + bytes.below(20);
    for (int64_t i = 0; i < x.size(0); i++) labels.push_back(int32_t(bytes.below(k)));
    const Tensor s = silhouette_samples(x, Tensor::from(labels, {int64_t(labels.size())}));
    for (double v : s.to_vector<double>()) fuzz::require(v >= -1 && v <= 1);
  } else {
    const Tensor y = rows_from(bytes, 150);
    const int64_t k = bytes.below(20);
    for (double v : {trustworthiness(x, y, k), continuity(x, y, k)})
      fuzz::require(v >= -1e-9 && v <= 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  return fuzz::read(input, size, [](std::string_view all) {
    Bytes bytes{all};
    switch (bytes.below(4)) {
      case 0: return try_knn(bytes);
      case 1: return try_density(bytes);
      case 2: return try_places(bytes);
      default: return try_metrics(bytes);
    }
  });
}

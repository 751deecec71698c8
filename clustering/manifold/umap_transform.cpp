// New rows in a finished picture, and rows for places in it.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "clustering/linalg/matrix.h"
#include "clustering/linalg/waves.h"
#include "clustering/manifold/umap.h"
#include "clustering/manifold/umap_metric.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr int64_t kGrain = 64;
constexpr double kShare = 1.0 / 3;   // of the epochs of the fit
constexpr double kSlower = 1.0 / 4;  // of its learning rate
constexpr float kClip = 4;
constexpr float kSoftening = 0.001f;

// A number that stands for the values of a row: two mixing steps of SplitMix64 a value.
template <class T>
uint64_t content(const T* row, int64_t d) {
  uint64_t h = uint64_t(d);
  for (int64_t j = 0; j < d; j++) {
    h ^= std::bit_cast<uint64_t>(double(row[j]) + 0.0);  // + 0.0: -0 and 0 are one value
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
  }
  return h;
}

// Random training rows for one new row, four to a Philox block.
class Strangers {
 public:
  Strangers(const Random& rng, int64_t n) : rng_(rng), n_(uint64_t(n)) {}
  int64_t next() {
    if (used_ == 4) block_ = philox(counter_++, rng_.stream(), rng_.seed()), used_ = 0;
    return int64_t(uint64_t(block_.word[used_++]) * n_ >> 32);
  }

 private:
  Random rng_;
  uint64_t n_, counter_ = 0;
  PhiloxBlock block_{};
  int used_ = 4;
};

class Newcomer {
 public:
  explicit Newcomer(const UmapResult& fitted)
      : options_(fitted.options),
        picture_(fitted.embedding.data<float>()),
        n_(fitted.embedding.size(0)),
        dimensions_(fitted.embedding.size(1)),
        epochs_(std::max<int64_t>(1, int64_t(double(fitted.epochs) * kShare))),
        a_(float(fitted.a)),
        b_(float(fitted.b)),
        attraction_(float(-2 * fitted.a * fitted.b)),
        repulsion_(float(2 * fitted.options.repulsion_strength * fitted.b)) {}

  // y: the place of a row with the given nearest training rows (k). The row's own scale, without
  // the other rows, so that memberships depend on nothing else.
  void place(const int32_t* index, const float* distance, int64_t k, const Random& rng,
             float* y) const {
    double mean = 0;
    for (int64_t j = 0; j < k; j++) mean += distance[j] / double(k);
    // The row is no neighbour of itself here, so full membership begins one neighbour earlier.
    const double connectivity = std::max(0.0, options_.local_connectivity - 1);
    const LocalScale scale = local_scale(distance, k, 0, connectivity, mean);
    std::vector<double> weight(static_cast<size_t>(k));
    double sum = 0, heaviest = 0;
    for (int64_t j = 0; j < k; j++) {
      const double gap = distance[j] - scale.rho;
      weight[size_t(j)] = gap <= 0 || scale.sigma == 0 ? 1 : std::exp(-gap / scale.sigma);
      sum += weight[size_t(j)];
      heaviest = std::max(heaviest, weight[size_t(j)]);
    }
    if (!(sum > 0)) weight[0] = sum = heaviest = 1;  // all too far to count: the nearest alone
    const bool known = distance[0] == 0;             // a training row: it begins at its own place
    for (int64_t c = 0; c < dimensions_; c++) {
      double start = 0;
      for (int64_t j = 0; j < k; j++)
        start += weight[size_t(j)] / sum * double(picture_[index[j] * dimensions_ + c]);
      y[c] = known ? picture_[index[0] * dimensions_ + c] : float(start);
    }

    Strangers strangers(rng, n_);
    for (int64_t t = 0; t < epochs_; t++) {
      const float alpha =
          float(kSlower * options_.learning_rate * (1 - double(t) / double(epochs_)));
      for (int64_t j = 0; j < k; j++) {
        const double w = weight[size_t(j)] / heaviest;
        if (std::floor(double(t + 1) * w) <= std::floor(double(t) * w)) continue;
        move(y, picture_ + index[j] * dimensions_, true, alpha);
        for (int64_t s = 0; s < options_.negative_sample_rate; s++)
          move(y, picture_ + strangers.next() * dimensions_, false, alpha);
      }
    }
  }

 private:
  void move(float* y, const float* z, bool attract, float alpha) const {
    float d2 = 0;
    for (int64_t c = 0; c < dimensions_; c++) d2 += (y[c] - z[c]) * (y[c] - z[c]);
    if (d2 == 0) return;
    const float power = std::pow(d2, b_);  // d^2b
    const float force = attract ? attraction_ * power / (d2 * (1 + a_ * power))
                                : repulsion_ / ((kSoftening + d2) * (1 + a_ * power));
    for (int64_t c = 0; c < dimensions_; c++)
      y[c] += alpha * std::clamp(force * (y[c] - z[c]), -kClip, kClip);
  }

  const UmapOptions& options_;
  const float* picture_;
  int64_t n_, dimensions_, epochs_;
  float a_, b_, attraction_, repulsion_;
};

int64_t neighbors_of(const UmapResult& fitted) {
  const int64_t n = fitted.rows.size(0), asked = fitted.options.n_neighbors;
  return std::min(asked ? asked : dynamic_neighbors(n), n);
}

}  // namespace

Tensor transform(const UmapResult& fitted, const Tensor& x, const Progress& progress) {
  const Tensor rows = finite_matrix("umap transform", x);
  if (rows.size(1) != fitted.rows.size(1) || rows.dtype() != fitted.rows.dtype())
    fail("umap transform", text("columns and dtype of the training rows ", fitted.rows), text(x));
  const Tensor queries = for_metric(fitted.options.metric, rows);
  const int64_t m = queries.size(0), d = queries.size(1), k = neighbors_of(fitted);
  Neighbors neighbors = exact_knn(queries, fitted.rows, k, progress);
  to_metric(fitted.options.metric, neighbors.distance);

  const Newcomer newcomer(fitted);
  const Random random = Random(fitted.options.seed).fork("umap transform");
  Tensor out = Tensor::empty({m, fitted.embedding.size(1)}, DType::f32);
  dispatch_floating(queries.dtype(), [&](auto zero) {
    const auto* values = queries.data<decltype(zero)>();
    in_waves(m, "umap transform", progress, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        newcomer.place(
            neighbors.index.data<int32_t>() + i * k, neighbors.distance.data<float>() + i * k, k,
            random.fork(content(values + i * d, d)), out.data<float>() + i * out.size(1));
    });
  });
  return out;
}

Tensor inverse_transform(const UmapResult& fitted, const Tensor& z, const Progress& progress) {
  const Tensor places = finite_matrix("umap inverse_transform", z, "z").to(DType::f32).contiguous();
  if (places.size(1) != fitted.embedding.size(1))
    fail("umap inverse_transform", text("z (m, ", fitted.embedding.size(1), ")"), text(z));
  const int64_t m = places.size(0), d = fitted.rows.size(1), k = neighbors_of(fitted);
  const Neighbors near = exact_knn(places, fitted.embedding, k, progress);
  Tensor out = Tensor::empty({m, d}, fitted.rows.dtype());
  dispatch_floating(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* rows = fitted.rows.data<T>();
    parallel_for(m, kGrain, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(static_cast<size_t>(d));
      for (int64_t i = begin; i < end; i++) {
        std::fill(sum.begin(), sum.end(), 0.0);
        double total = 0;
        for (int64_t j = i * k; j < (i + 1) * k; j++) {
          const double d2 = std::pow(double(near.distance.data<float>()[j]), 2);
          const double weight = 1 / (1 + fitted.a * std::pow(d2, fitted.b));
          const T* row = rows + near.index.data<int32_t>()[j] * d;
          for (int64_t c = 0; c < d; c++) sum[size_t(c)] += weight * double(row[c]);
          total += weight;
        }
        for (int64_t c = 0; c < d; c++) out.data<T>()[i * d + c] = T(sum[size_t(c)] / total);
      }
    });
  });
  return for_metric(fitted.options.metric, out);
}

}  // namespace clade::cluster

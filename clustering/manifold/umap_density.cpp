#include "clustering/manifold/umap_density.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kTiny = 1e-8;
constexpr int64_t kGrain = 1024;

// The distance of row i to row j in either's list of neighbours; the larger where both have it.
float distance_between(const Neighbors& neighbors, int64_t i, int64_t j) {
  const int64_t k = neighbors.index.size(1);
  const int32_t* index = neighbors.index.data<int32_t>();
  const float* distance = neighbors.distance.data<float>();
  float most = 0;
  for (auto [from, to] : {std::pair{i, j}, std::pair{j, i}})
    for (int64_t e = from * k; e < (from + 1) * k; e++)
      if (index[e] == to) most = std::max(most, distance[e]);
  return most;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / double(values.size());
}

double covariance_sum(const std::vector<double>& a, double mean_a, const std::vector<double>& b,
                      double mean_b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); i++) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum;
}

double squared_distance(const float* y, const float* z, int64_t dimensions) {
  double sum = 0;
  for (int64_t j = 0; j < dimensions; j++) sum += double(y[j] - z[j]) * double(y[j] - z[j]);
  return sum;
}

// e_i and sum_j phi_ij.
void embedded_radii(const FuzzyGraph& graph, const Tensor& embedding, const UmapCurve& curve,
                    std::vector<double>& radius, std::vector<double>& closeness) {
  const int64_t n = graph.vertices(), dimensions = embedding.size(1);
  const int64_t* offset = graph.offset.data<int64_t>();
  const int32_t* column = graph.column.data<int32_t>();
  const float* y = embedding.data<float>();
  radius.resize(size_t(n));
  closeness.resize(size_t(n));
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      double sum = 0, weight = 0;
      for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
        const double d2 =
            squared_distance(y + i * dimensions, y + column[e] * dimensions, dimensions);
        const double phi = 1 / (1 + curve.a * std::pow(d2, curve.b));
        sum += phi * d2;
        weight += phi;
      }
      closeness[size_t(i)] = weight;
      radius[size_t(i)] = std::log(kTiny + (weight > 0 ? sum / weight : 0));
    }
  });
}

Tensor as_f32(const std::vector<double>& values) {
  return Tensor::from(values, {int64_t(values.size())}).to(DType::f32);
}

}  // namespace

Tensor log_radii(const FuzzyGraph& graph, const Neighbors& neighbors) {
  const int64_t n = graph.vertices();
  const int64_t* offset = graph.offset.data<int64_t>();
  const int32_t* column = graph.column.data<int32_t>();
  const float* w = graph.weight.data<float>();
  std::vector<double> radius(static_cast<size_t>(n));
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      double sum = 0, weight = 0;
      for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
        const double d = distance_between(neighbors, i, column[e]);
        sum += w[e] * d * d;
        weight += w[e];
      }
      radius[size_t(i)] = std::log(kTiny + (weight > 0 ? sum / weight : 0));
    }
  });
  return as_f32(radius);
}

Tensor log_radii(const FuzzyGraph& graph, const Tensor& embedding, const UmapCurve& curve) {
  std::vector<double> radius, closeness;
  embedded_radii(graph, embedding, curve, radius, closeness);
  return as_f32(radius);
}

DensityTerm::DensityTerm(const FuzzyGraph& graph, const Tensor& radii, const UmapCurve& curve,
                         const DensityOptions& options)
    : graph_(graph), curve_(curve), options_(options), radius_(radii.to_vector<double>()) {
  if (!(options.lambda >= 0) || !std::isfinite(options.lambda))
    fail("umap", "a finite density lambda >= 0", text(options.lambda));
  if (!(options.fraction >= 0 && options.fraction <= 1))
    fail("umap", "density fraction in [0, 1]", text(options.fraction));
  if (!(options.shift > 0) || !std::isfinite(options.shift))
    fail("umap", "a finite density shift > 0", text(options.shift));
  const double middle = mean(radius_);
  const double deviation =
      std::sqrt(covariance_sum(radius_, middle, radius_, middle) / double(radius_.size()));
  for (double& r : radius_) r = deviation > 0 ? (r - middle) / deviation : 0;
  double total = 0;
  for (int64_t e = 0; e < graph.edges(); e++) total += graph.weight.data<float>()[e];
  scale_ = 2 * options.lambda * total / double(radius_.size());
}

bool DensityTerm::counts(int64_t epoch, int64_t epochs) const {
  return options_.lambda > 0 && double(epoch + 1) > double(epochs) * (1 - options_.fraction);
}

void DensityTerm::look(const Tensor& embedding) {
  embedded_radii(graph_, embedding, curve_, embedded_, closeness_);
  const double n = double(radius_.size()), middle = mean(embedded_);
  const double variance = covariance_sum(embedded_, middle, embedded_, middle) / n + options_.shift;
  const double covariance = covariance_sum(embedded_, middle, radius_, 0) / std::max(1.0, n - 1);
  deviation_ = std::sqrt(variance);
  slope_.resize(radius_.size());
  for (size_t i = 0; i < slope_.size(); i++)
    slope_[i] = radius_[i] - covariance * (embedded_[i] - middle) / variance;
}

float DensityTerm::pull(int64_t i, int64_t j, float w, float d2) const {
  if (!(d2 > 0)) return 0;
  const double power = std::pow(double(d2), curve_.b);  // d^2b
  const double p = 1 / (1 + curve_.a * power);
  const double own = 1 - curve_.b * (1 - p), shared = curve_.a * curve_.b * power / double(d2) * p;
  auto change = [&](int64_t v) {
    return slope_[size_t(v)] * p / closeness_[size_t(v)] *
           (own / std::exp(embedded_[size_t(v)]) + shared);
  };
  return float(scale_ / (double(w) * deviation_) * (change(i) + change(j)));
}

}  // namespace clade::cluster

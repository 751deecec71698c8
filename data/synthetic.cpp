#include "data/synthetic.h"

#include <cmath>

#include "tensor/random.h"

namespace clade::data {
namespace {

constexpr int64_t kEach = 2500, kClusters = 4, kHidden = 10, kSeen = 100;

double logistic(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

Dataset four_clusters(uint64_t seed) {
  const Random rng(seed);
  const Random points = rng.fork("points");
  Random first = rng.fork("W"), second = rng.fork("U");
  const Tensor weights[] = {randn({kHidden, 2}, first), randn({kSeen, kHidden}, second)};
  const float *w = weights[0].data<float>(), *u = weights[1].data<float>();
  const int64_t n = kEach * kClusters;
  Dataset d;
  d.name = kFourClusters;
  d.values = Tensor::empty({n, kSeen}, DType::f32);
  Tensor ids = Tensor::empty({n}, DType::i32);
  for (int64_t i = 0; i < n; i++) {
    const int64_t c = i / kEach;
    const double h[2] = {10.0 * double(c / 2) + 1.5 * points.normal_at(uint64_t(2 * i)),
                         10.0 * double(c % 2) + 1.5 * points.normal_at(uint64_t(2 * i + 1))};
    double hidden[kHidden];
    for (int64_t j = 0; j < kHidden; j++)
      hidden[j] = logistic(double(w[2 * j]) * h[0] + double(w[2 * j + 1]) * h[1]);
    for (int64_t j = 0; j < kSeen; j++) {
      double sum = 0;
      for (int64_t l = 0; l < kHidden; l++) sum += double(u[kHidden * j + l]) * hidden[l];
      d.values.data<float>()[i * kSeen + j] = float(logistic(sum));
    }
    ids.data<int32_t>()[i] = int32_t(c);
  }
  for (int64_t j = 1; j <= kSeen; j++) d.columns.push_back(text("x", j));
  d.labels = Labels(ids, {"0", "1", "2", "3"});
  return d;
}

}  // namespace clade::data

#include "clustering/centroid/mini_batch.h"

#include <gtest/gtest.h>

#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor blobs(int64_t n, int64_t d, int64_t k, uint64_t seed, DType dtype = DType::f32) {
  Random rng(seed);
  const Tensor centres = randn({k, d}, rng, DType::f64);
  Tensor x = randn({n, d}, rng, DType::f64);
  for (int64_t e = 0; e < x.numel(); e++)
    x.data<double>()[e] += 5 * centres.data<double>()[(e / d % k) * d + e % d];
  return x.to(dtype);
}

}  // namespace

TEST(MiniBatch, ComesNearKMeans) {
  const Tensor x = blobs(20000, 6, 12, 1);
  double full = 0, batches = 0;
  for (uint64_t seed = 0; seed < 3; seed++) {
    full += kmeans(x, {.k = 12, .seed = seed}).inertia;
    const KMeans m = mini_batch_kmeans(x, {.k = 12, .seed = seed});
    EXPECT_TRUE(m.converged);
    EXPECT_NEAR(m.inertia, -score(m, x), 1e-6 * m.inertia);
    expect_same(m.labels, predict(m, x));
    batches += m.inertia;
  }
  EXPECT_LT(batches, 1.1 * full);
}

TEST(MiniBatch, CentresAreMeansOfAllThatWasNearest) {
  const Tensor x = blobs(900, 3, 1, 2, DType::f64);
  OnlineKMeans one(x.slice(0, 0, 1));
  Tensor w = Tensor::full({300}, 2.0, DType::f64);
  for (int64_t b = 0; b < 3; b++) one.add(x.slice(0, 300 * b, 300 * b + 300), w);
  EXPECT_EQ(one.weight()[0], 1800);
  for (int64_t j = 0; j < 3; j++) {
    double mean = 0;
    for (int64_t i = 0; i < 900; i++) mean += x.at({i, j}) / 900;
    EXPECT_NEAR(one.centres().at({0, j}), mean, 1e-12);
  }
}

TEST(MiniBatch, LostCentresComeBack) {
  const Tensor x = blobs(4000, 2, 4, 3);
  MiniBatchOptions o;
  o.k = 4;
  o.batch = 200;
  o.init = KMeansOptions::Init::given;
  o.centres = Tensor::full({4, 2}, 1e4f);  // all at one far place: ties go to the first
  const KMeans m = mini_batch_kmeans(x, o);
  EXPECT_LT(m.inertia, 2 * kmeans(x, {.k = 4, .n_init = 5}).inertia);
}

TEST(MiniBatch, SameBitsAtAnyThreadCountAndPerSeed) {
  const Tensor x = blobs(5000, 7, 5, 4), w = Tensor::full({5000}, 0.3f);
  auto fit = [&](uint64_t seed) {
    MiniBatchOptions o;
    o.k = 8;
    o.batch = 300;
    o.max_iter = 2;
    o.seed = seed;
    const KMeans m = mini_batch_kmeans(x, o, w);
    std::vector<double> out = m.centres.to_vector<double>();
    for (int32_t l : m.labels.to_vector<int32_t>()) out.push_back(l);
    out.push_back(m.inertia);
    return out;
  };
  expect_same_at_any_thread_count([&] { return fit(1); });
  EXPECT_NE(fit(1), fit(2));
}

TEST(MiniBatch, DegenerateData) {
  const KMeans same = mini_batch_kmeans(Tensor::full({50, 3}, 0.3), {.k = 4});
  EXPECT_EQ(same.inertia, 0);
  const KMeans one = mini_batch_kmeans(Tensor::full({1, 1}, 2), {.k = 1});
  EXPECT_EQ(one.centres.at({0, 0}), 2);
  const KMeans all = mini_batch_kmeans(blobs(6, 2, 2, 5), {.k = 6});
  EXPECT_TRUE(std::isfinite(all.inertia));
}

TEST(MiniBatch, RefusesBadInput) {
  const Tensor x = blobs(6, 2, 2, 6);
  expect_error("k = 7", [&] { mini_batch_kmeans(x, {.k = 7}); });
  expect_error("batch and max_iter", [&] { mini_batch_kmeans(x, {.k = 2, .batch = 0}); });
  expect_error("tol and reassignment_ratio", [&] { mini_batch_kmeans(x, {.k = 2, .tol = -1}); });
  expect_error("only zeros", [&] { mini_batch_kmeans(x, {.k = 2}, Tensor::zeros({6})); });
  OnlineKMeans online(x.slice(0, 0, 2));
  expect_error("columns and dtype", [&] { online.add(Tensor::zeros({2, 3})); });
  Progress stop{[](void*, const char*, int64_t, int64_t) { return false; }, nullptr};
  EXPECT_THROW(mini_batch_kmeans(x, {.k = 2}, {}, stop), Cancelled);
}

}  // namespace clade::cluster

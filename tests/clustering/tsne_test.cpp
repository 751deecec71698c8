// t-SNE against scikit-learn (probabilities, gradient) and openTSNE (where it ends), both by
// tests/golden/make_manifold.py; the tree and the grid against all pairs.
#include "clustering/manifold/tsne.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <memory>
#include <numbers>

#include "clustering/manifold/fft.h"
#include "clustering/manifold/tsne_forces.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"
#include "tests/support/every_set.h"

namespace clade::cluster {
namespace {

Tensor tsne_file(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/tsne/", name, ".npy"));
}

Points points_of(const Tensor& y) {
  Points points(y.size(0), y.size(1));
  for (int64_t i = 0; i < points.n; i++)
    for (int64_t c = 0; c < points.dimensions; c++) points.plane(c)[i] = float(y.at({i, c}));
  return points;
}

std::unique_ptr<Repulsion> owned(Repulsion* r) { return std::unique_ptr<Repulsion>(r); }

Points random_points(int64_t n, int64_t dimensions, double deviation) {
  Random rng(11);
  Tensor y = randn({n, dimensions}, rng);
  for (int64_t e = 0; e < y.numel(); e++) y.data<float>()[e] *= float(deviation);
  return points_of(y);
}

TEST(Fft, IsTheSum) {
  constexpr int L = kFftLanes;
  for (int64_t n : {1, 2, 3, 4, 5, 6, 16, 30, 45, 75, 128}) {
    Random rng{uint64_t(n)};
    const std::vector<float> x = randn({n * L}, rng).to_vector<float>();
    const std::vector<float> y = randn({n * L}, rng).to_vector<float>();
    std::vector<float> a = x, b = y, c(x.size()), d(x.size());
    float *re = a.data(), *im = b.data(), *work_re = c.data(), *work_im = d.data();
    const FftPlan plan(n);
    plan.run(re, im, work_re, work_im);
    for (int l = 0; l < L; l += 5)
      for (int64_t k = 0; k < n; k++) {
        std::complex<double> sum = 0;
        for (int64_t j = 0; j < n; j++)
          sum += std::complex<double>(x[size_t(j * L + l)], y[size_t(j * L + l)]) *
                 std::polar(1.0, -2 * std::numbers::pi * double(j * k) / double(n));
        ASSERT_NEAR(re[k * L + l], sum.real(), 1e-6 * double(n + 10)) << n;
        ASSERT_NEAR(im[k * L + l], sum.imag(), 1e-6 * double(n + 10)) << n;
      }
    plan.run(im, re, work_im, work_re);  // back, n times as large
    for (int64_t e = 0; e < n * L; e++) ASSERT_NEAR(re[e] / float(n), x[size_t(e)], 1e-5) << n;
  }
  EXPECT_EQ(fft_size(7), 8);
  EXPECT_EQ(fft_size(599), 600);
  expect_error("2^a 3^b 5^c", [] { FftPlan plan(7); });
}

TEST(TsneAffinities, AreThoseOfScikitLearn) {
  const Tensor x = tsne_file("x"), want = tsne_file("joint");
  const Affinities p = joint_probabilities(exact_knn(x, 199, false), 30);
  double total = 0;
  for (int64_t i = 0; i < 200; i++)
    for (int64_t e = p.offset.data<int64_t>()[i]; e < p.offset.data<int64_t>()[i + 1]; e++) {
      const int64_t j = p.column.data<int32_t>()[e];
      const double value = p.value.data<float>()[e];
      total += value;
      if (j <= i) continue;
      const double theirs = want.at({i * 200 - i * (i + 1) / 2 + j - i - 1});
      EXPECT_NEAR(value, theirs, 1e-3 * theirs + 1e-10) << i << ", " << j;
    }
  EXPECT_NEAR(total, 1, 1e-5);
}

TEST(TsneForces, AreTheGradientOfScikitLearn) {
  const Affinities p = joint_probabilities(exact_knn(tsne_file("x"), 199, false), 30);
  const Points points = points_of(tsne_file("start"));
  std::vector<float> pull(points.y.size()), push(points.y.size());
  attraction(p, points, pull);
  const double z = owned(exact_repulsion())->run(points, push);
  const double kl = tsne_file("kl").at({0});
  EXPECT_NEAR(divergence(p, points, z), kl, 1e-4 * kl);
  const Tensor want = tsne_file("gradient");
  for (int64_t i = 0; i < 200; i++)
    for (int64_t c = 0; c < 2; c++) {
      const size_t at = size_t(c * points.stride + i);
      EXPECT_NEAR(4 * (pull[at] - push[at] / z), want.at({i, c}), 2e-6) << i;
    }
}

// The root of the mean squared error over that of the force.
double error_of(Repulsion& method, const Points& points, double& z_error) {
  std::vector<float> want(points.y.size()), got(points.y.size());
  const double z = owned(exact_repulsion())->run(points, want);
  z_error = std::abs(method.run(points, got) - z) / z;
  double error = 0, size = 0;
  for (int64_t c = 0; c < points.dimensions; c++)
    for (int64_t i = 0; i < points.n; i++) {
      const size_t at = size_t(c * points.stride + i);
      error += std::pow(double(got[at]) - double(want[at]), 2);
      size += std::pow(double(want[at]), 2);
    }
  return std::sqrt(error / size);
}

TEST(TsneForces, TreeAndGridAreNearAllPairs) {
  double z = 0;
  for (double deviation : {1e-4, 1.0, 10.0}) {  // at the start, early, at the end
    SCOPED_TRACE(deviation);
    for (int64_t dimensions : {1, 2, 3}) {
      const Points points = random_points(1500, dimensions, deviation);
      EXPECT_LT(error_of(*owned(tree_repulsion(0.5)), points, z), 0.03) << dimensions;
      EXPECT_LT(z, 0.02);
      EXPECT_LT(error_of(*owned(tree_repulsion(0.05)), points, z), 1e-3) << dimensions;
      EXPECT_LT(z, 1e-3);
    }
    EXPECT_LT(error_of(*owned(grid_repulsion()), random_points(1500, 2, deviation), z), 0.03);
    EXPECT_LT(z, 0.01);
  }
}

TEST(TsneForces, OfTheGridAtAPlaceAreThoseOfThePoints) {
  const Points points = random_points(2000, 2, 8);
  const auto grid = owned(grid_repulsion()), exact = owned(exact_repulsion());
  std::vector<float> unused(points.y.size());
  grid->run(points, unused);
  for (float x : {0.0f, 3.3f, -7.1f, 400.0f}) {  // the last is off the grid
    const float y[2] = {x, 1.7f};
    double got[2], want[2];
    const double z = grid->at(points, y, got), true_z = exact->at(points, y, want);
    EXPECT_NEAR(z, true_z, 0.01 * true_z);
    for (int c = 0; c < 2; c++)
      EXPECT_NEAR(got[c], want[c], 0.1 * std::hypot(want[0], want[1]) + 1e-9) << x;
  }
}

TEST(Tsne, EndsWhereOpenTsneDoes) {
  const Tensor x = tsne_file("digits").to(DType::f32), theirs = tsne_file("opentsne_kl");
  const double tree = theirs.at({0}), grid = theirs.at({1});
  EXPECT_LT(tsne(x, {.method = TsneMethod::exact}).divergence, 1.01 * tree);
  EXPECT_LT(tsne(x, {.method = TsneMethod::barnes_hut}).divergence, 1.01 * tree);
  EXPECT_LT(tsne(x, {.method = TsneMethod::fft}).divergence, 1.01 * grid);
}

TEST(TsneTransform, CanBeStoppedAmongItsRows) {
  Random rng(41);
  const TsneResult fitted =
      tsne(randn({60, 4}, rng), {.perplexity = 5, .early_steps = 5, .steps = 5});
  const Progress stop{[](void*, const char* stage, int64_t done, int64_t) {
                        return std::string(stage) != "t-SNE transform" || done == 0;
                      },
                      nullptr};
  EXPECT_THROW(transform(fitted, randn({2500, 4}, rng), stop), Cancelled);
}

TEST(TsneTransform, OfARowDoesNotDependOnTheOthers) {
  const Tensor x = tsne_file("digits").to(DType::f32);
  const Tensor known = x.slice(0, 0, 1000), fresh = x.slice(0, 1000, 1300);
  for (TsneMethod method : {TsneMethod::exact, TsneMethod::fft}) {
    const TsneResult fitted = tsne(known, {.early_steps = 80, .steps = 120, .method = method});
    const Tensor all = transform(fitted, fresh);
    expect_same(transform(fitted, fresh.slice(0, 7, 8)), all.slice(0, 7, 8));
    // Each new row lies among its neighbours in the data.
    const Neighbors near = exact_knn(fresh, known, 1), there = exact_knn(all, fitted.embedding, 30);
    int found = 0;
    for (int64_t i = 0; i < 300; i++)
      for (int64_t j = 0; j < 30; j++)
        found += there.index.data<int32_t>()[i * 30 + j] == near.index.data<int32_t>()[i];
    EXPECT_GT(found, 240);
  }
}

TEST(Tsne, SameBitsAtAnyThreadCountAndInstructionSet) {
  Random rng(5);
  const Tensor x = randn({700, 6}, rng), fresh = randn({20, 6}, rng);
  for (TsneMethod method : {TsneMethod::exact, TsneMethod::barnes_hut, TsneMethod::fft}) {
    SCOPED_TRACE(name_of(method));
    TsneOptions o{.early_steps = 10, .steps = 15, .method = method};
    o.neighbors = exact_knn(x, 90, false);
    auto all = [&] {
      const TsneResult fitted = tsne(x, o);
      std::vector<float> out = fitted.embedding.to_vector<float>();
      for (float v : transform(fitted, fresh).to_vector<float>()) out.push_back(v);
      return out;
    };
    expect_same_at_any_thread_count(all);
    const std::vector<float> want = all();
    testing::for_every_set([&] { EXPECT_EQ(all(), want); });
  }
}

TEST(Tsne, OddDataGivesFinitePictures) {
  Random rng(6);
  auto finite = [](const TsneResult& result) {
    for (double v : result.embedding.to_vector<double>())
      if (!std::isfinite(v)) return false;
    return std::isfinite(result.divergence);
  };
  TsneOptions o{.early_steps = 20, .steps = 30};
  for (TsneMethod method : {TsneMethod::exact, TsneMethod::barnes_hut, TsneMethod::fft}) {
    SCOPED_TRACE(name_of(method));
    o.method = method;
    EXPECT_TRUE(finite(tsne(randn({4, 3}, rng), o)));
    EXPECT_TRUE(finite(tsne(randn({60, 1}, rng), o)));
    EXPECT_TRUE(finite(tsne(Tensor::full({80, 3}, 1), o)));  // all rows the same
    Tensor apart = randn({60, 2}, rng);
    apart.data<float>()[0] = 1e8f;
    EXPECT_TRUE(finite(tsne(apart, o)));
  }
  o.method = TsneMethod::automatic;
  for (int64_t dimensions : {1, 3, 5}) {
    o.n_components = dimensions;
    EXPECT_TRUE(finite(tsne(randn({100, 8}, rng), o)));
  }
}

TEST(Tsne, EveryStartIsFollowed) {
  Random rng(9);
  const Tensor x = randn({100, 5}, rng), start = randn({100, 2}, rng);
  TsneOptions o{.early_steps = 0, .steps = 0, .init = TsneInit::given, .initial = start};
  expect_same(tsne(x, o).embedding, start);
  o.init = TsneInit::random;
  const Tensor a = tsne(x, o).embedding;
  o.seed = 1;
  EXPECT_NE(a.to_vector<double>(), tsne(x, o).embedding.to_vector<double>());
}

TEST(Tsne, RefusesBadInput) {
  Random rng(1);
  const Tensor x = randn({30, 3}, rng);
  Tensor hole = x.clone();
  hole.data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  expect_error("NaN", [&] { tsne(hole); });
  expect_error("4 rows or more", [&] { tsne(x.slice(0, 0, 3)); });
  expect_error("perplexity >= 1", [&] { tsne(x, {.perplexity = 0}); });
  expect_error("n_components in 1 .. 16", [&] { tsne(x, {.n_components = 0}); });
  expect_error("2 dimensions for fft",
               [&] { tsne(x, {.n_components = 3, .method = TsneMethod::fft}); });
  expect_error("1 to 3 dimensions for barnes_hut",
               [&] { tsne(x, {.n_components = 4, .method = TsneMethod::barnes_hut}); });
  expect_error("initial [30, 2]", [&] { tsne(x, {.init = TsneInit::given, .initial = x}); });
  TsneOptions o;
  o.neighbors = exact_knn(x, 5, true);
  expect_error("neighbours among the other rows", [&] { tsne(x, o); });
  o.neighbors = exact_knn(x, 5, false);
  expect_error("perplexity in [1, 5)", [&] { tsne(x, o); });
  const TsneResult fitted = tsne(x, {.early_steps = 1, .steps = 1});
  expect_error("columns and dtype of the training rows", [&] {
    transform(fitted, randn({3, 4}, rng));
  });
}

TEST(Tsne, CanBeCancelled) {
  Random rng(1);
  const Progress stop{
      [](void*, const char* stage, int64_t, int64_t) { return std::string(stage) != "t-SNE"; },
      nullptr};
  EXPECT_THROW(tsne(randn({60, 3}, rng), {}, stop), Cancelled);
}

}  // namespace
}  // namespace clade::cluster

// UMAP's further ways - labels, densMAP, cosine, new rows - against umap-learn where it says more
// than a picture does (tests/golden/make_manifold.py).
#include <gtest/gtest.h>

#include <cmath>

#include "clustering/manifold/umap.h"
#include "clustering/manifold/umap_layout.h"
#include "clustering/manifold/umap_supervised.h"
#include "clustering/metrics/trustworthiness.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"
#include "tests/support/every_set.h"

namespace clade::cluster {
namespace {

Tensor umap_file(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/umap/", name, ".npy"));
}

Tensor digits() { return umap_file("digits").to(DType::f32); }

Tensor dense(const FuzzyGraph& graph) {
  const int64_t n = graph.vertices();
  Tensor matrix = Tensor::zeros({n, n});
  const int64_t* offset = graph.offset.data<int64_t>();
  for (int64_t i = 0; i < n; i++)
    for (int64_t e = offset[i]; e < offset[i + 1]; e++)
      matrix.data<float>()[i * n + graph.column.data<int32_t>()[e]] = graph.weight.data<float>()[e];
  return matrix;
}

double correlation(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); i++) {
    mx += x[i] / double(x.size());
    my += y[i] / double(x.size());
  }
  for (size_t i = 0; i < x.size(); i++) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xy / std::sqrt(xx * yy);
}

// The share of `places` whose 15 nearest in the picture have mostly their own label.
double accuracy(const Tensor& picture, const Tensor& labels, const Tensor& places,
                const Tensor& truth) {
  const Neighbors near = exact_knn(places, picture, 15);
  const auto known = labels.to_vector<int32_t>(), wanted = truth.to_vector<int32_t>();
  double right = 0;
  for (int64_t i = 0; i < places.size(0); i++) {
    int votes[10] = {};
    for (int64_t j = 0; j < 15; j++) votes[known[size_t(near.index.data<int32_t>()[i * 15 + j])]]++;
    right += std::max_element(votes, votes + 10) - votes == wanted[size_t(i)];
  }
  return right / double(places.size(0));
}

TEST(UmapLabels, GiveTheGraphOfUmapLearn) {
  const Neighbors neighbors{umap_file("index"), umap_file("distance")};
  const FuzzyGraph graph = fuzzy_simplicial_set(neighbors);
  const Tensor labels = umap_file("labels");
  for (auto [name, weight] : {std::pair{"half", 0.5}, std::pair{"all", 1.0}}) {
    SCOPED_TRACE(name);
    const FuzzyGraph joined = intersect_with_labels(graph, labels, weight);
    expect_close(dense(joined), umap_file(text("supervised_", name)), 2e-4);
    expect_same(dense(joined), dense(joined).transpose(0, 1));
  }
}

TEST(UmapLabels, DrawClassesTogether) {
  const Tensor x = digits(), truth = umap_file("digits_truth");
  UmapOptions o{.labels = truth};
  const Tensor with = umap(x, o).embedding;
  EXPECT_GT(accuracy(with, truth, with, truth), 0.99);
}

TEST(Densmap, KeepsDensityAsUmapLearnDoes) {
  const Tensor figures = umap_file("figures");
  double theirs = 0, ours = 0, without = 0;
  for (int64_t seed = 0; seed < 3; seed++) {
    theirs += figures.at({seed, 0}) / 3;
    UmapOptions o{.densmap = true, .seed = uint64_t(seed)};
    const UmapResult dense = umap(digits(), o);
    ours += correlation(dense.log_radii, dense.embedded_radii) / 3;
    o.density.lambda = 0;
    const UmapResult plain = umap(digits(), o);
    without += correlation(plain.log_radii, plain.embedded_radii) / 3;
  }
  EXPECT_GT(ours, theirs - 0.03) << "umap-learn: " << theirs;
  EXPECT_GT(ours, without + 0.1) << "without: " << without;
}

TEST(UmapTransform, PutsNewRowsWhereTheirClassIs) {
  const Tensor figures = umap_file("figures");
  const Tensor truth = umap_file("digits_truth"), fresh = umap_file("new_digits");
  double ours = 0, theirs = 0;
  for (int64_t seed = 0; seed < 3; seed++) {
    theirs += figures.at({seed, 1}) / 3;
    const UmapResult fitted = umap(digits(), {.seed = uint64_t(seed)});
    ours +=
        accuracy(fitted.embedding, truth, transform(fitted, fresh), umap_file("new_digits_truth")) /
        3;
  }
  EXPECT_GT(ours, theirs - 0.01) << "umap-learn: " << theirs;
}

TEST(UmapTransform, OfARowDoesNotDependOnTheOthers) {
  const UmapResult fitted = umap(digits(), {.n_epochs = 60});
  const Tensor fresh = umap_file("new_digits"), all = transform(fitted, fresh);
  expect_same(transform(fitted, fresh.slice(0, 7, 8)), all.slice(0, 7, 8));
  expect_same(transform(fitted, fresh.slice(0, 100, 300)), all.slice(0, 100, 300));
}

TEST(UmapTransform, LeavesTrainingRowsNearTheirPlaces) {
  const Tensor x = digits();
  const UmapResult fitted = umap(x);
  const Tensor again = transform(fitted, x);
  double moved = 0, extent = 0;
  for (int64_t i = 0; i < x.size(0); i++) {
    moved += std::hypot(again.at({i, 0}) - fitted.embedding.at({i, 0}),
                        again.at({i, 1}) - fitted.embedding.at({i, 1})) /
             double(x.size(0));
    extent = std::max(extent, std::abs(fitted.embedding.at({i, 0}) - fitted.embedding.at({0, 0})));
  }
  EXPECT_LT(moved, 0.05 * extent);
}

TEST(UmapInverse, GivesBackWhatTheRowsLookLike) {
  const Tensor x = digits();
  const UmapResult fitted = umap(x);
  const Tensor back = inverse_transform(fitted, fitted.embedding);
  double error = 0, spread = 0;
  std::vector<double> mean(64, 0.0);
  for (int64_t i = 0; i < 600; i++)
    for (int64_t j = 0; j < 64; j++) mean[size_t(j)] += x.at({i, j}) / 600;
  for (int64_t i = 0; i < 600; i++)
    for (int64_t j = 0; j < 64; j++) {
      error += std::pow(back.at({i, j}) - x.at({i, j}), 2);
      spread += std::pow(x.at({i, j}) - mean[size_t(j)], 2);
    }
  EXPECT_LT(error, 0.35 * spread);  // the class means leave 0.46 of it
}

TEST(UmapCosine, SeesDirectionsAlone) {
  Random rng(5);
  const Tensor x = randn({300, 6}, rng);
  Tensor scaled = x.clone();
  for (int64_t i = 0; i < 300; i++)
    for (int64_t j = 0; j < 6; j++) scaled.data<float>()[i * 6 + j] *= float(1 << i % 5);
  const UmapOptions o{.metric = UmapMetric::cosine, .n_epochs = 20};
  const UmapResult fitted = umap(x, o);
  expect_same(umap(scaled, o).embedding, fitted.embedding);
  expect_same(transform(fitted, scaled.slice(0, 0, 9)), transform(fitted, x.slice(0, 0, 9)));
  Tensor zero = x.clone();
  zero.slice(0, 4, 5).fill_(0);
  expect_error("rows with a direction; got row 4 is all zeros", [&] { umap(zero, o); });
}

TEST(UmapOptions, CorrelationIsCosineAboutEachRowsMean) {
  Random rng(6);
  const Tensor x = randn({200, 7}, rng, DType::f64);
  Tensor shifted = x.clone();  // and scaled: neither changes a correlation
  for (int64_t i = 0; i < 200; i++)
    for (int64_t j = 0; j < 7; j++)
      shifted.data<double>()[i * 7 + j] = 3 + double(i) + 2 * x.data<double>()[i * 7 + j];
  const UmapOptions o{.metric = UmapMetric::correlation, .n_epochs = 20};
  const Neighbors near = exact_knn(unit_rows("test", x, true), 14, false);
  const Neighbors far = exact_knn(unit_rows("test", shifted, true), 14, false);
  EXPECT_EQ(near.index.to_vector<int32_t>(), far.index.to_vector<int32_t>());
  UmapOptions cosine = o;
  cosine.metric = UmapMetric::cosine;
  expect_same(umap(unit_rows("test", x, true), cosine).graph.weight, umap(x, o).graph.weight);
  Tensor flat = x.clone();
  flat.slice(0, 4, 5).fill_(0.3);
  expect_error("rows with a direction; got row 4 is constant", [&] { umap(flat, o); });
}

TEST(UmapOptions, DynamicNeighbours) {
  EXPECT_EQ(dynamic_neighbors(70000), 233);
  EXPECT_EQ(dynamic_neighbors(1440), 100);
  Random rng(5);
  const Tensor x = randn({130, 3}, rng);
  expect_same(umap(x, {.n_neighbors = 0, .n_epochs = 20}).embedding,
              umap(x, {.n_neighbors = 100, .n_epochs = 20}).embedding);
}

TEST(UmapOptions, ManyStrangersAndNone) {
  Random rng(8);
  const Tensor x = randn({200, 4}, rng);
  for (int64_t rate : {0, 1, 7, 8, 30}) {
    const UmapResult result = umap(x, {.n_epochs = 30, .negative_sample_rate = rate});
    for (double v : result.embedding.to_vector<double>()) ASSERT_TRUE(std::isfinite(v)) << rate;
  }
}

TEST(UmapOptions, SameBitsAtAnyThreadCountAndInstructionSet) {
  Random rng(3);
  const Tensor x = randn({8000, 6}, rng), fresh = randn({70, 6}, rng);
  UmapOptions o{.n_epochs = 2, .densmap = true};
  o.neighbors = exact_knn(x, 15, true);
  for (int64_t dimensions : {2, 5, 10}) {
    o.n_components = dimensions;
    auto all = [&] {
      const UmapResult fitted = umap(x, o);
      std::vector<float> out = fitted.embedding.to_vector<float>();
      for (const Tensor& t :
           {transform(fitted, fresh), inverse_transform(fitted, fitted.embedding.slice(0, 0, 50))})
        for (float v : t.to_vector<float>()) out.push_back(v);
      return out;
    };
    expect_same_at_any_thread_count(all);
    const std::vector<float> want = all();
    testing::for_every_set([&] { EXPECT_EQ(all(), want); });
  }
}

TEST(UmapOptions, RefusesBadOnes) {
  Random rng(1);
  const Tensor x = randn({30, 3}, rng);
  expect_error("labels: 30 whole numbers", [&] { umap(x, {.labels = x}); });
  expect_error("target_weight in [0, 1]",
               [&] { umap(x, {.labels = Tensor::zeros({30}, DType::i32), .target_weight = 2}); });
  expect_error("density lambda >= 0",
               [&] { umap(x, {.densmap = true, .density = {.lambda = -1}}); });
  const UmapResult fitted = umap(x, {.n_epochs = 5});
  expect_error("columns and dtype of the training rows", [&] {
    transform(fitted, randn({3, 4}, rng));
  });
  expect_error("z (m, 2)", [&] { inverse_transform(fitted, x); });
}

TEST(UmapTransform, CanBeStoppedAmongItsRows) {
  Random rng(42);
  const UmapResult fitted = umap(randn({60, 4}, rng), {.n_epochs = 5});
  const Progress stop{[](void*, const char* stage, int64_t done, int64_t) {
                        return std::string(stage) != "umap transform" || done == 0;
                      },
                      nullptr};
  EXPECT_THROW(transform(fitted, randn({2500, 4}, rng), stop), Cancelled);
}

TEST(Umap, GivenPlacesMustDiffer) {
  Random rng(43);
  const Tensor x = randn({40, 4}, rng);
  UmapOptions o;
  o.init = UmapInit::given;
  o.initial = Tensor::full({40, 2}, 3.0);
  expect_error("initial places that differ", [&] { umap(x, o); });
}

}  // namespace
}  // namespace clade::cluster

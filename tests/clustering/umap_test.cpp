// UMAP against umap-learn (tests/golden/make_density.py): the graph, the curve and the eigenvalues
// number by number; the layout, which is random, by its trustworthiness.
#include "clustering/manifold/umap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "clustering/manifold/graph_spectrum.h"
#include "clustering/manifold/umap_curve.h"
#include "clustering/manifold/umap_layout.h"
#include "clustering/manifold/umap_spectral.h"
#include "clustering/metrics/trustworthiness.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor umap_file(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/umap/", name, ".npy"));
}

Neighbors golden_neighbors() { return {umap_file("index"), umap_file("distance")}; }

Tensor dense(const FuzzyGraph& graph) {
  const int64_t n = graph.vertices();
  Tensor matrix = Tensor::zeros({n, n});
  const int64_t* offset = graph.offset.data<int64_t>();
  for (int64_t i = 0; i < n; i++)
    for (int64_t e = offset[i]; e < offset[i + 1]; e++)
      matrix.data<float>()[i * n + graph.column.data<int32_t>()[e]] = graph.weight.data<float>()[e];
  return matrix;
}

// A path 0 - 1 - ... - (n - 1) with weights 1.
FuzzyGraph path_graph(int64_t n) {
  std::vector<int64_t> offset{0};
  std::vector<int32_t> column;
  for (int64_t i = 0; i < n; i++) {
    if (i > 0) column.push_back(int32_t(i - 1));
    if (i + 1 < n) column.push_back(int32_t(i + 1));
    offset.push_back(int64_t(column.size()));
  }
  const int64_t edges = int64_t(column.size());
  return {Tensor::from(offset, {n + 1}), Tensor::from(column, {edges}), Tensor::full({edges}, 1)};
}

bool all_finite(const Tensor& t) {
  for (double v : t.to_vector<double>())
    if (!std::isfinite(v)) return false;
  return true;
}

TEST(UmapGraph, IsThatOfUmapLearn) {
  for (auto [name, mix, connectivity] :
       {std::tuple{"union", 1.0, 1.0}, std::tuple{"mixed", 0.4, 2.5}}) {
    SCOPED_TRACE(name);
    const Tensor scales = umap_file(text(name, "_scales"));
    const LocalScales got = smooth_knn_distances(golden_neighbors(), connectivity);
    expect_close(got.rho, scales.select(1, 0), 1e-6);
    expect_close(got.sigma, scales.select(1, 1), 1e-5);

    const Tensor pairs = umap_file(text(name, "_rows"));
    const Tensor weights = umap_file(text(name, "_weights"));
    Tensor want = Tensor::zeros({120, 120});
    for (int64_t e = 0; e < weights.numel(); e++)
      want.data<float>()[int64_t(pairs.at({e, 0})) * 120 + int64_t(pairs.at({e, 1}))] =
          float(weights.at({e}));
    const FuzzyGraph graph = fuzzy_simplicial_set(golden_neighbors(), mix, connectivity);
    expect_close(dense(graph), want, 1e-4);
    expect_same(dense(graph), dense(graph).transpose(0, 1));
  }
}

TEST(UmapCurve, IsThatOfUmapLearn) {
  const Tensor curves = umap_file("curves");
  for (int64_t i = 0; i < curves.size(0); i++) {
    const UmapCurve curve = fit_umap_curve(curves.at({i, 0}), curves.at({i, 1}));
    EXPECT_NEAR(curve.a, curves.at({i, 2}), 1e-5 * curves.at({i, 2})) << "curve " << i;
    EXPECT_NEAR(curve.b, curves.at({i, 3}), 1e-5) << "curve " << i;
  }
}

TEST(GraphSpectrum, HasTheEigenvaluesOfADenseSolver) {
  const Tensor want = umap_file("eigenvalues");  // the first is 1, the trivial one
  const GraphSpectrum got = graph_spectrum(fuzzy_simplicial_set(golden_neighbors()), 5, 0);
  EXPECT_LT(got.residual, kSpectrumTolerance);
  for (int64_t i = 0; i < 5; i++)
    EXPECT_NEAR(got.values[size_t(i)], want.at({i + 1}), kSpectrumTolerance);
}

TEST(GraphSpectrum, SeesTwoCliquesOnAThread) {
  // One eigenvalue next to 1, all others below 0: the hard case for a filter.
  std::vector<int64_t> offset{0};
  std::vector<int32_t> column;
  std::vector<float> weight;
  for (int i = 0; i < 100; i++) {
    for (int j = 0; j < 100; j++) {
      const bool thread = std::min(i, j) == 49 && std::max(i, j) == 50;
      if (i == j || (i / 50 != j / 50 && !thread)) continue;
      column.push_back(j);
      weight.push_back(thread ? 1e-6f : 1.0f);
    }
    offset.push_back(int64_t(column.size()));
  }
  const int64_t edges = int64_t(column.size());
  const GraphSpectrum got = graph_spectrum(
      {Tensor::from(offset, {101}), Tensor::from(column, {edges}), Tensor::from(weight, {edges})},
      2, 0);
  EXPECT_NEAR(got.values[0], 1, 1e-6);
  EXPECT_LT(got.values[1], 0);
  for (int i = 0; i < 100; i++)  // constant on each clique, with opposite signs
    EXPECT_NEAR(got.vectors.at({i, 0}) * (i < 50 ? 1 : -1), got.vectors.at({0, 0}), 1e-3);
}

TEST(GraphSpectrum, EndsOnAPathWhereEigenvaluesCrowd) {
  // cos(pi / (n - 1)) = 1 - 2e-7: no solver separates these; smooth vectors are good enough.
  const GraphSpectrum got = graph_spectrum(path_graph(5000), 2, 0);
  EXPECT_GT(got.values[1], 0.999);
  EXPECT_LT(got.residual, 0.05);
}

TEST(SpectralLayout, LaysOutPartsByThemselves) {
  // Seven clouds far from each other: more than twice the dimensions, so placed by their centres.
  Random rng(1);
  Tensor x = randn({350, 3}, rng);
  for (int i = 0; i < 350; i++) x.data<float>()[3 * i + i % 7 % 3] += float(1000 * (i % 7));
  const FuzzyGraph graph = fuzzy_simplicial_set(exact_knn(x, 10, true));
  const SpectralLayout layout = spectral_layout(graph, x, 2, 0);
  EXPECT_EQ(layout.components, 7);
  EXPECT_TRUE(all_finite(layout.embedding));
  // Every point is nearest to its own part's middle.
  std::vector<double> middle(14, 0);
  for (int i = 0; i < 350; i++)
    for (int j = 0; j < 2; j++) middle[size_t(i % 7 * 2 + j)] += layout.embedding.at({i, j}) / 50;
  for (int i = 0; i < 350; i++) {
    auto distance = [&](int c) {
      return std::hypot(layout.embedding.at({i, 0}) - middle[size_t(2 * c)],
                        layout.embedding.at({i, 1}) - middle[size_t(2 * c + 1)]);
    };
    for (int c = 0; c < 7; c++) EXPECT_LE(distance(i % 7), distance(c));
  }
}

TEST(Umap, IsAsTrustworthyAsUmapLearn) {
  const Tensor x = umap_file("digits").to(DType::f32);
  const std::vector<double> theirs = umap_file("trustworthiness").to_vector<double>();
  double mean = 0, their_mean = 0;
  for (double t : theirs) their_mean += t / double(theirs.size());
  for (uint64_t seed : {0, 1, 2})
    mean += trustworthiness(x, umap(x, {.seed = seed}).embedding, 15) / 3;
  EXPECT_GT(mean, their_mean - 0.01) << "umap-learn: " << their_mean;
}

TEST(Umap, SameBitsAtAnyThreadCount) {
  Random rng(3);
  for (int64_t dimensions : {2, 5}) {
    const Tensor x = randn({12'000, 6}, rng);
    const int64_t edges = fuzzy_simplicial_set(exact_knn(x, 15, true)).edges() / 2;
    ASSERT_GT(edges, 1 << 16);  // from here on the threads share a round (kFewEdges)
    expect_same_at_any_thread_count([&] {
      return umap(x, {.n_components = dimensions, .n_epochs = 6}).embedding.to_vector<float>();
    });
  }
}

TEST(Umap, EveryStartIsFollowed) {
  Random rng(9);
  const Tensor x = randn({200, 5}, rng), start = randn({200, 2}, rng);
  for (UmapInit init : {UmapInit::spectral, UmapInit::pca, UmapInit::random, UmapInit::given}) {
    UmapOptions o{.n_epochs = 50, .init = init};
    if (init == UmapInit::given) o.initial = start;
    const UmapResult result = umap(x, o);
    EXPECT_EQ(result.init, init);
    EXPECT_TRUE(all_finite(result.embedding)) << name_of(init);
  }
}

TEST(Umap, TakesNeighboursThatAreKnown) {
  Random rng(4);
  const Tensor x = randn({150, 4}, rng);
  UmapOptions o{.n_epochs = 20};
  const Tensor want = umap(x, o).embedding;
  o.neighbors = exact_knn(x, 15, true);
  expect_same(umap(x, o).embedding, want);
}

TEST(Umap, OddDataGivesFiniteEmbeddings) {
  Random rng(6);
  EXPECT_TRUE(all_finite(umap(randn({2, 3}, rng)).embedding));
  EXPECT_TRUE(all_finite(umap(randn({7, 3}, rng)).embedding));  // fewer rows than neighbours
  EXPECT_TRUE(all_finite(umap(Tensor::full({50, 3}, 1)).embedding));
  EXPECT_TRUE(all_finite(umap(randn({40, 1}, rng), {.n_components = 3}).embedding));
  Tensor pairs = randn({60, 2}, rng);  // every row twice
  pairs.slice(0, 30, 60).copy_(pairs.slice(0, 0, 30).clone());
  EXPECT_TRUE(all_finite(umap(pairs, {.n_neighbors = 4}).embedding));
}

TEST(Umap, RefusesBadInput) {
  Random rng(1);
  const Tensor x = randn({30, 3}, rng);
  Tensor hole = x.clone();
  hole.data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  expect_error("NaN", [&] { umap(hole); });
  expect_error("2 rows or more", [&] { umap(x.slice(0, 0, 1)); });
  expect_error("n_neighbors >= 2", [&] { umap(x, {.n_neighbors = 1}); });
  expect_error("n_components >= 1", [&] { umap(x, {.n_components = 0}); });
  expect_error("min_dist in [0, spread]", [&] { umap(x, {.min_dist = 2}); });
  expect_error("a and b both > 0", [&] { umap(x, {.a = 1}); });
  expect_error("set_op_mix_ratio in [0, 1]", [&] { umap(x, {.set_op_mix_ratio = 2}); });
  expect_error("initial [30, 2]", [&] { umap(x, {.init = UmapInit::given, .initial = x}); });
  Neighbors wrong = exact_knn(x, 5, true);
  wrong.index = wrong.index.clone();
  wrong.index.data<int32_t>()[7] = 30;
  expect_error("neighbours among the rows 0 .. 29", [&] { fuzzy_simplicial_set(wrong); });
  wrong.index.data<int32_t>()[7] = 1;  // itself again, in row 1
  expect_error("its own first neighbour, and only that", [&] { fuzzy_simplicial_set(wrong); });
  expect_error("its own first neighbour", [&] { fuzzy_simplicial_set(exact_knn(x, 5, false)); });
  Neighbors turned = exact_knn(x, 5, true);
  turned.distance = turned.distance.clone();
  std::swap(turned.distance.data<float>()[1], turned.distance.data<float>()[4]);
  expect_error("nearest first", [&] { fuzzy_simplicial_set(turned); });
  turned.distance.data<float>()[2] = std::numeric_limits<float>::quiet_NaN();
  expect_error("finite distances", [&] { fuzzy_simplicial_set(turned); });
  expect_error("neighbours of 30 rows",
               [&] { umap(x, {.neighbors = exact_knn(x.slice(0, 0, 20), 5, true)}); });
}

TEST(Umap, ReportsItsStagesAndCanBeCancelled) {
  Random rng(1);
  const Tensor x = randn({60, 3}, rng);
  std::string stages;
  const Progress note{[](void* context, const char* stage, int64_t, int64_t) {
                        auto& all = *static_cast<std::string*>(context);
                        if (all.find(stage) == std::string::npos) all += text(stage, "; ");
                        return true;
                      },
                      &stages};
  umap(x, {.n_epochs = 5}, note);
  for (const char* stage : {"umap neighbours", "umap spectral", "umap layout"})
    EXPECT_NE(stages.find(stage), std::string::npos) << stages;
  const Progress stop{[](void*, const char* stage, int64_t, int64_t) {
                        return std::string(stage) != "umap layout";
                      },
                      nullptr};
  EXPECT_THROW(umap(x, {}, stop), Cancelled);
}

}  // namespace
}  // namespace clade::cluster

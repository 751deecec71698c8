// HDBSCAN against the hdbscan package (tests/golden/make_density.py) and against plain rewritings
// of its steps: a spanning tree by sorting all edges, and Prim against Boruvka.
#include "clustering/density/hdbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <numeric>
#include <set>

#include "clustering/density/soft_membership.h"
#include "clustering/metrics/pairs.h"
#include "clustering/neighbors/image.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor density_file(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/density/", name, ".npy"));
}

Tensor density_data(int64_t i) { return density_file(text("x", i)).to(DType::f32); }

// `labels` with its clusters renamed as in `truth`: each takes the name of its first row there.
std::vector<int> renamed(const std::vector<int>& labels, const std::vector<int>& truth) {
  std::vector<int> name(labels.size(), -2), result;
  for (size_t i = 0; i < labels.size(); i++)
    if (labels[i] >= 0 && name[size_t(labels[i])] == -2) name[size_t(labels[i])] = truth[i];
  for (int l : labels) result.push_back(l < 0 ? -1 : name[size_t(l)]);
  return result;
}

Tensor blobs(int64_t n, int64_t d, int64_t k, uint64_t seed, DType dtype = DType::f32) {
  Random rng(seed);
  Tensor centres = randn({k, d}, rng, DType::f64), x = randn({n, d}, rng, DType::f64);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      x.data<double>()[i * d + j] += 20 * centres.data<double>()[i % k * d + j];
  return x.to(dtype);
}

// fit: cases where no tie matters, at least one of each of the ten data sets: what HDBSCAN.fit
// gives. Else: what the package makes of the spanning tree with ties in our order
// (make_density.py).
void expect_as_the_package(bool fit) {
  const Tensor cases = density_file("cases");
  std::set<int64_t> data_sets;
  for (int64_t i = 0; i < cases.size(0); i++) {
    if ((cases.at({i, 8}) != 0) != fit) continue;
    SCOPED_TRACE(text("case ", i));
    data_sets.insert(int64_t(cases.at({i, 0})));
    HdbscanOptions o;
    o.min_cluster_size = int64_t(cases.at({i, 1}));
    o.min_samples = int64_t(cases.at({i, 2}));
    o.selection.method = cases.at({i, 3}) != 0 ? ClusterSelection::leaf : ClusterSelection::eom;
    o.selection.epsilon = cases.at({i, 4});
    o.selection.allow_single_cluster = cases.at({i, 5}) != 0;
    o.selection.max_cluster_size = int64_t(cases.at({i, 6}));
    o.alpha = cases.at({i, 7});
    const Tensor want = density_file(text("case", i));
    for (SpanningTreeMethod method :
         {SpanningTreeMethod::boruvka, SpanningTreeMethod::prim, SpanningTreeMethod::tiles}) {
      o.spanning_tree = method;
      const HdbscanResult got = hdbscan(density_data(int64_t(cases.at({i, 0}))), o);
      const std::vector<int> truth = want.select(1, 0).to_vector<int>();
      EXPECT_EQ(got.cluster_count, *std::max_element(truth.begin(), truth.end()) + 1);
      EXPECT_EQ(renamed(got.labels.to_vector<int>(), truth), truth);
      expect_close(got.probabilities, want.select(1, 1), 1e-6);
      expect_close(got.outlier_scores, want.select(1, 2), 1e-6);
    }
  }
  EXPECT_EQ(data_sets.size(), fit ? 10u : 4u);
}

TEST(Hdbscan, LabelsProbabilitiesAndScoresAreThoseOfThePackage) { expect_as_the_package(true); }
TEST(Hdbscan, WithTiesTheyAreThePackagesForOurSpanningTree) { expect_as_the_package(false); }

TEST(Hdbscan, SoftMembershipIsThatOfThePackage) {
  HdbscanOptions o;
  o.min_cluster_size = 10;
  o.min_samples = 1;
  o.selection.method = ClusterSelection::leaf;
  const Tensor x = density_data(5), want = density_file("soft");
  const std::vector<int> truth = density_file("soft_labels").to_vector<int>();
  const HdbscanResult result = hdbscan(x, o);
  const Tensor got = membership_vectors(x, result), soft = soft_labels(x, result);
  const std::vector<int> labels = result.labels.to_vector<int>();
  ASSERT_EQ(got.shape(), want.shape());
  ASSERT_EQ(renamed(labels, truth), truth);
  for (size_t i = 0; i < labels.size(); i++) {
    if (labels[i] < 0) continue;
    for (int64_t p = 0; p < got.size(0); p++)
      ASSERT_NEAR(got.at({p, labels[i]}), want.at({p, truth[i]}), 1e-6);
  }
  for (int64_t p = 0; p < got.size(0); p++) {
    const int64_t label = int64_t(soft.at({p}));
    if (labels[size_t(p)] >= 0) {
      EXPECT_EQ(label, labels[size_t(p)]);
    } else {
      for (int64_t c = 0; c < got.size(1); c++) EXPECT_GE(got.at({p, label}), got.at({p, c}));
    }
  }
}

void expect_same_tree(const SpanningTree& a, const SpanningTree& b) {
  EXPECT_EQ(a.from.to_vector<int>(), b.from.to_vector<int>());
  EXPECT_EQ(a.to.to_vector<int>(), b.to.to_vector<int>());
  EXPECT_EQ(a.weight.to_vector<double>(), b.weight.to_vector<double>());
}

void expect_all_methods_agree(const Tensor& x, int64_t min_samples, double alpha = 1) {
  const Tensor core = core_distances(x, min_samples);
  const SpanningTree prim = minimum_spanning_tree(x, core, alpha, SpanningTreeMethod::prim);
  expect_same_tree(minimum_spanning_tree(x, core, alpha, SpanningTreeMethod::boruvka), prim);
  expect_same_tree(minimum_spanning_tree(x, core, alpha, SpanningTreeMethod::tiles), prim);
}

TEST(SpanningTree, AllMethodsAgreeEdgeByEdge) {
  Random rng(11);
  for (int trial = 0; trial < 60; trial++) {
    const int64_t n = 2 + rng.below(trial % 5 ? 400 : 1500), d = 1 + rng.below(trial % 2 ? 12 : 70);
    const int64_t k = 1 + rng.below(12);
    SCOPED_TRACE(text("trial ", trial, ": n ", n, ", d ", d, ", min_samples ", k));
    Tensor x = randn({n, d}, rng, trial % 4 < 2 ? DType::f32 : DType::f64);
    if (trial % 3 == 0)  // a coarse grid: duplicates, and distances that tie
      dispatch_floating(x.dtype(), [&](auto type) {
        for (int64_t i = 0; i < n * d; i++)
          x.data<decltype(type)>()[i] = std::round(x.data<decltype(type)>()[i]);
      });
    expect_all_methods_agree(x, k, trial % 4 ? 1.0 : 1.7);
  }
}

TEST(SpanningTree, AllMethodsAgreeOnPartsFarApart) {
  // Parts that the neighbours leave unconnected: many, of many sizes, some of one place only.
  for (uint64_t seed : {1, 2, 3}) {
    Random rng(seed);
    const int64_t n = 1200, d = 40, parts = 5 + rng.below(60);
    Tensor x = randn({n, d}, rng), centres = randn({parts, d}, rng);
    for (int64_t i = 0; i < n; i++) {
      const int64_t part = rng.below(1 + rng.below(parts));
      const float spread = part % 5 == 0 ? 0.0f : 0.1f * float(1 + part % 3);
      for (int64_t j = 0; j < d; j++) {
        float& v = x.data<float>()[i * d + j];
        v = v * spread + 9 * centres.data<float>()[part * d + j];
      }
    }
    expect_all_methods_agree(x, 1 + int64_t(seed) * 3);
  }
}

TEST(SpanningTree, TilesAreExactThroughShortImages) {
  // Few directions hold nearly all: plan_images takes images of few columns here.
  Random rng(4);
  const int64_t n = 4100, d = 288;
  Tensor hidden = randn({n, 6}, rng), mix = randn({6, d}, rng), x = randn({n, d}, rng);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) {
      float sum = 0.02f * x.data<float>()[i * d + j];
      for (int64_t h = 0; h < 6; h++)
        sum += hidden.data<float>()[i * 6 + h] * mix.data<float>()[h * d + j];
      x.data<float>()[i * d + j] = sum;
    }
  ASSERT_GT(plan_images("test", x, x, 10).head, 0);
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor rows = x.to(dtype), core = core_distances(rows, 5);
    expect_same_tree(minimum_spanning_tree(rows, core, 1, SpanningTreeMethod::tiles),
                     minimum_spanning_tree(rows, core, 1, SpanningTreeMethod::prim));
  }
}

TEST(SpanningTree, IsWhatKruskalFindsAmongAllEdges) {
  Random rng(5);
  const int64_t n = 120, d = 3, k = 4;
  const Tensor x = randn({n, d}, rng, DType::f64);
  auto distance = [&](int64_t p, int64_t q) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) sum += std::pow(x.at({p, j}) - x.at({q, j}), 2);
    return std::sqrt(sum);
  };
  std::vector<double> core;
  for (int64_t p = 0; p < n; p++) {
    std::vector<double> row;
    for (int64_t q = 0; q < n; q++) row.push_back(distance(p, q));
    std::sort(row.begin(), row.end());
    core.push_back(row[size_t(k)]);  // row[0] is the point itself
  }
  expect_close(core_distances(x, k), Tensor::from(core, {n}), 1e-14);

  struct Edge {
    double w;
    int p, q;
  };
  std::vector<Edge> all;
  for (int p = 0; p < n; p++)
    for (int q = p + 1; q < n; q++)
      all.push_back({std::max({core[size_t(p)], core[size_t(q)], distance(p, q)}), p, q});
  std::stable_sort(all.begin(), all.end(), [](Edge a, Edge b) { return a.w < b.w; });
  std::vector<int> part(static_cast<size_t>(n));
  std::iota(part.begin(), part.end(), 0);
  std::vector<double> weights;
  for (Edge e : all) {
    const int from = part[size_t(e.p)], to = part[size_t(e.q)];
    if (from == to) continue;
    std::replace(part.begin(), part.end(), from, to);
    weights.push_back(e.w);
  }
  expect_close(minimum_spanning_tree(x, core_distances(x, k)).weight,
               Tensor::from(weights, {n - 1}), 1e-14);
}

TEST(CoreDistances, BothWaysOfFindingNeighboursAgree) {
  // 15 columns go through the k-d tree, 16 through matrix products; a column of zeros changes
  // nothing.
  Random rng(2);
  const Tensor x = randn({500, 15}, rng);
  Tensor wider = Tensor::zeros({500, 16});
  wider.slice(1, 0, 15).copy_(x);
  expect_same(core_distances(wider, 7), core_distances(x, 7));
}

TEST(LinkageTree, MergesFromShortToLong) {
  // Rows 0 1 3 7 15 on a line: gaps 1 2 4 8.
  const Tensor x = Tensor::from<float>({0, 1, 3, 7, 15}, {5, 1});
  const LinkageTree tree = single_linkage(minimum_spanning_tree(x, core_distances(x, 1)));
  EXPECT_EQ(tree.distance.to_vector<double>(), (std::vector<double>{1, 2, 4, 8}));
  EXPECT_EQ(tree.left.to_vector<int>(), (std::vector<int>{0, 5, 6, 7}));
  EXPECT_EQ(tree.right.to_vector<int>(), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(tree.size.to_vector<int>(), (std::vector<int>{2, 3, 4, 5}));
  EXPECT_EQ(labels_at_distance(tree, 2).to_vector<int>(), (std::vector<int>{0, 0, 0, 1, 2}));
  EXPECT_EQ(labels_at_distance(tree, 2, 2).to_vector<int>(), (std::vector<int>{0, 0, 0, -1, -1}));
}

TEST(CondensedTree, EveryNodeHasItsRow) {
  const Tensor x = blobs(300, 2, 4, 3);
  const HdbscanResult result = hdbscan(x, {.min_cluster_size = 10});
  const CondensedTree& tree = result.condensed;
  std::vector<int> size(size_t(tree.clusters()), 0);
  for (int64_t r = 0; r < tree.rows(); r++) {
    const int child = int(tree.child.at({r})), parent = int(tree.parent.at({r}));
    EXPECT_EQ(child, r < 300 ? r : r + 1);
    EXPECT_GE(parent, 300);
    EXPECT_TRUE(child < 300 || parent < child);
    size[size_t(parent - 300)] += int(tree.size.at({r}));
  }
  EXPECT_EQ(size[0], 300);  // what leaves the root is everything
  for (int64_t r = 300; r < tree.rows(); r++)
    EXPECT_EQ(size[size_t(r - 299)], int(tree.size.at({r})));
}

TEST(Hdbscan, AHierarchyCanBeCutAgain) {
  const Tensor x = blobs(400, 2, 5, 8);
  HdbscanOptions o{.min_cluster_size = 8, .min_samples = 6};
  const Hierarchy hierarchy = hdbscan_hierarchy(x, o);
  for (int64_t size : {5, 8, 20}) {
    o.min_cluster_size = size;
    expect_same(hdbscan_cut(hierarchy, o).labels, hdbscan(x, o).labels);
  }
}

TEST(Hdbscan, FindsBlobsAndGivesNoiseToThem) {
  const Tensor x = blobs(900, 2, 6, 4);
  Tensor truth = Tensor::empty({900}, DType::i32);
  for (int i = 0; i < 900; i++) truth.data<int32_t>()[i] = i % 6;
  const HdbscanResult result = hdbscan(x, {.min_cluster_size = 40});
  EXPECT_EQ(result.cluster_count, 6);
  EXPECT_GT(adjusted_rand(truth, soft_labels(x, result)), 0.98);
}

TEST(Hdbscan, SameBitsAtAnyThreadCount) {
  for (int64_t d : {2, 20}) {
    const Tensor x = blobs(3000, d, 7, uint64_t(d));
    expect_same_at_any_thread_count([&] {
      const HdbscanResult r = hdbscan(x, {.min_cluster_size = 15});
      std::vector<double> all = membership_vectors(x, r).to_vector<double>();
      for (const Tensor& t : {r.labels, r.probabilities, r.outlier_scores, r.stability,
                              r.hierarchy.core_distances, r.hierarchy.spanning_tree.weight,
                              r.hierarchy.spanning_tree.from, r.hierarchy.linkage.left})
        for (double v : t.to_vector<double>()) all.push_back(v);
      return all;
    });
  }
}

TEST(Hdbscan, CoincidingPointsAreOneClusterAndNothingIsNaN) {
  // Three places, 20 points in each: infinitely dense, and never split.
  Tensor x = Tensor::empty({60, 2});
  for (int i = 0; i < 120; i++) x.data<float>()[i] = float(i / 2 % 3 * 10);
  const HdbscanResult r = hdbscan(x, {.min_cluster_size = 5});
  EXPECT_EQ(r.cluster_count, 3);
  for (int i = 0; i < 60; i++) {
    EXPECT_EQ(r.labels.at({i}), r.labels.at({i % 3}));
    EXPECT_EQ(r.probabilities.at({i}), 1);
    EXPECT_EQ(r.outlier_scores.at({i}), 0);
  }
  for (double m : membership_vectors(x, r).to_vector<double>()) EXPECT_TRUE(std::isfinite(m));

  const Tensor one_place = Tensor::full({30, 2}, 3);
  EXPECT_EQ(hdbscan(one_place).cluster_count, 0);
  HdbscanOptions single;
  single.selection.allow_single_cluster = true;
  const HdbscanResult all = hdbscan(one_place, single);
  EXPECT_EQ(all.cluster_count, 1);
  EXPECT_EQ(all.labels.to_vector<int>(), std::vector<int>(30, 0));
  for (double m : membership_vectors(one_place, all).to_vector<double>())
    EXPECT_TRUE(std::isfinite(m));
}

TEST(Hdbscan, FewRowsAreNoise) {
  const Tensor x = Tensor::from<float>({0, 1}, {2, 1});
  const HdbscanResult r = hdbscan(x);
  EXPECT_EQ(r.cluster_count, 0);
  EXPECT_EQ(r.labels.to_vector<int>(), (std::vector<int>{-1, -1}));
  EXPECT_EQ(soft_labels(x, r).to_vector<int>(), (std::vector<int>{-1, -1}));
  EXPECT_EQ(membership_vectors(x, r).shape(), (Shape{2, 0}));
}

TEST(Hdbscan, RefusesBadInput) {
  const Tensor x = blobs(20, 2, 2, 1);
  Tensor hole = x.clone(), huge = x.to(DType::f64).clone();
  hole.data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  huge.data<double>()[5] = 1e200;
  expect_error("NaN", [&] { hdbscan(hole); });
  expect_error("scale the columns", [&] { hdbscan(huge); });
  expect_error("2 rows or more", [&] { hdbscan(x.slice(0, 0, 1)); });
  expect_error("min_cluster_size >= 2", [&] { hdbscan(x, {.min_cluster_size = 1}); });
  expect_error("min_samples >= 1", [&] { hdbscan(x, {.min_samples = -1}); });
  expect_error("alpha > 0", [&] { hdbscan(x, {.alpha = 0}); });
  HdbscanOptions o;
  o.selection.epsilon = -1;
  expect_error("epsilon >= 0", [&] { hdbscan(x, o); });
  const HdbscanResult r = hdbscan(x);
  expect_error("rows that were clustered", [&] { soft_labels(x.slice(0, 0, 9), r); });
}

// A table of merge heights, cluster by cluster, took 35 s here and could not be stopped.
TEST(Hdbscan, ThousandsOfClustersShareTheirNoiseInSeconds) {
  Random rng(8);
  const Tensor x = randn({14'000, 2}, rng);
  const HdbscanResult r = hdbscan(x, {.min_cluster_size = 2, .min_samples = 1});
  ASSERT_GT(r.cluster_count, 1000);
  const auto begin = std::clock();
  const auto soft = soft_labels(x, r).to_vector<int32_t>();
  EXPECT_LT(double(std::clock() - begin) / CLOCKS_PER_SEC, 12);
  EXPECT_GE(*std::min_element(soft.begin(), soft.end()), 0);

  const Progress stop{[](void*, const char*, int64_t, int64_t) { return false; }, nullptr};
  EXPECT_THROW(soft_labels(x, r, stop), Cancelled);
}

TEST(Hdbscan, CanBeCancelled) {
  const Progress stop{[](void*, const char* stage, int64_t, int64_t) {
                        return std::string(stage) != "hdbscan spanning tree";
                      },
                      nullptr};
  EXPECT_THROW(hdbscan(blobs(100, 2, 2, 1), {}, stop), Cancelled);
}

}  // namespace
}  // namespace clade::cluster

// HDBSCAN's labels and tree weights on 20 data sets against the hdbscan package
// (tests/golden/make_agreement.py), and what the package has no counterpart for: rows with holes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "clustering/density/hdbscan.h"
#include "clustering/metrics/pairs.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor agreement_file(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/agreement/", name, ".npy"));
}

double weight_of(const SpanningTree& tree) {
  double sum = 0;
  for (double w : tree.weight.to_vector<double>()) sum += w;
  return sum;
}

TEST(Agreement, TwentyDataSetsAsThePackage) {
  const Tensor cases = agreement_file("cases");
  ASSERT_EQ(cases.size(0), 20);
  for (int64_t i = 0; i < 20; i++) {
    SCOPED_TRACE(text("data set ", i));
    const Tensor x = agreement_file(text("x", i)), want = agreement_file(text("labels", i));
    HdbscanOptions o;
    o.min_cluster_size = int64_t(cases.at({i, 0}));
    o.min_samples = int64_t(cases.at({i, 1}));
    const Hierarchy h = hdbscan_hierarchy(x, o);
    EXPECT_NEAR(weight_of(h.spanning_tree) / cases.at({i, 4}), 1, 1e-6);
    for (int64_t c = 0; c < 3; c++) {
      o.persistence = c ? cases.at({i, 1 + c}) : 0;
      const HdbscanResult r = hdbscan_cut(h, o);
      EXPECT_EQ(adjusted_rand(want.select(1, c).contiguous(), r.labels), 1) << o.persistence;
    }
  }
}

TEST(Agreement, PersistenceLeavesASoundTree) {
  Random rng(3);
  const Tensor x = randn({600, 2}, rng);
  HdbscanOptions o;
  o.min_cluster_size = 4;
  const Hierarchy h = hdbscan_hierarchy(x, o);
  const CondensedTree whole = condense(h.linkage, 4);
  int64_t before = whole.clusters();
  ASSERT_GT(before, 20);
  for (double persistence : {0.0, 0.3, 1.0, 3.0, 1e9}) {
    const CondensedTree tree = simplify(whole, persistence);
    EXPECT_LE(tree.clusters(), before);
    before = tree.clusters();
    const int32_t *parent = tree.parent.data<int32_t>(), *child = tree.child.data<int32_t>();
    for (int64_t r = 0; r < tree.rows(); r++) {
      ASSERT_EQ(child[r], r < 600 ? r : r + 1);
      ASSERT_GE(parent[r], 600);
      ASSERT_TRUE(r < 600 || parent[r] < child[r]);
      // Nothing leaves a cluster before it is born.
      if (parent[r] > 600) {
        const double born = tree.lambda.data<double>()[parent[r] - 1];
        ASSERT_GE(tree.lambda.data<double>()[r], born);
      }
    }
  }
  EXPECT_EQ(before, 1);
  expect_error("persistence >= 0", [&] { simplify(whole, -1); });
  o.selection.epsilon = 2, o.selection.epsilon_max = 1;
  expect_error("epsilon_max >= epsilon", [&] { hdbscan_cut(h, o); });
}

// No cluster is born at a distance above epsilon_max, as long as it has descendants.
TEST(Agreement, EpsilonMaxSplitsWideClusters) {
  Random rng(5);
  Tensor x = randn({400, 2}, rng);
  for (int64_t i = 0; i < 400; i++)
    x.data<float>()[2 * i] += float(i % 2) * 6 + float(i % 4 / 2) * 100;
  HdbscanOptions o;
  o.min_cluster_size = 20;
  o.selection.allow_single_cluster = true;
  const HdbscanResult all = hdbscan(x, o);
  o.selection.epsilon_max = 20;
  const HdbscanResult fine = hdbscan(x, o);
  EXPECT_EQ(all.cluster_count, 2);
  EXPECT_EQ(fine.cluster_count, 4);
}

// Without holes partial distance is Euclidean, and the tree the same to rounding.
TEST(Holes, NoneMissingIsPlainHdbscan) {
  const Tensor cases = agreement_file("cases");
  for (int64_t i : {1, 7, 15}) {
    const Tensor x = agreement_file(text("x", i)), want = agreement_file(text("labels", i));
    HdbscanOptions o;
    o.min_cluster_size = int64_t(cases.at({i, 0}));
    o.min_samples = int64_t(cases.at({i, 1}));
    o.min_common = 1;
    const HdbscanResult r = hdbscan(x, o);
    EXPECT_NEAR(weight_of(r.hierarchy.spanning_tree) / cases.at({i, 4}), 1, 1e-6);
    EXPECT_EQ(adjusted_rand(want.select(1, 0).contiguous(), r.labels), 1);
  }
}

Tensor holed_blobs(DType dtype, std::vector<int32_t>& truth) {
  Random rng(11);
  Tensor x = randn({300, 6}, rng);
  for (int64_t i = 0; i < 300; i++) {
    truth.push_back(int32_t(i % 3));
    for (int64_t j = 0; j < 6; j++) {
      x.data<float>()[i * 6 + j] += float(i % 3) * 15;
      if (rng.below(5) == 0) x.data<float>()[i * 6 + j] = NAN;
    }
  }
  for (int64_t j = 0; j < 6; j++) x.data<float>()[7 * 6 + j] = NAN;  // nothing is known of row 7
  return x.to(dtype);
}

// The tree against sorting all pairs, clusters against the truth, at any number of threads.
TEST(Holes, ClustersRowsWithHoles) {
  for (DType dtype : {DType::f32, DType::f64}) {
    std::vector<int32_t> truth;
    const Tensor x = holed_blobs(dtype, truth);
    HdbscanOptions o;
    o.min_cluster_size = 15, o.min_samples = 5, o.min_common = 2;
    const HdbscanResult r = hdbscan(x, o);
    EXPECT_EQ(r.cluster_count, 3);
    EXPECT_EQ(r.labels.data<int32_t>()[7], -1);
    std::vector<int32_t> kept, of;
    for (size_t i = 0; i < truth.size(); i++)
      if (r.labels.data<int32_t>()[i] >= 0)
        kept.push_back(r.labels.data<int32_t>()[i]), of.push_back(truth[i]);
    EXPECT_GT(kept.size(), 270u);
    EXPECT_EQ(adjusted_rand(Tensor::from(of, {int64_t(of.size())}),
                            Tensor::from(kept, {int64_t(of.size())})),
              1);
    for (double w : r.hierarchy.spanning_tree.weight.to_vector<double>())
      ASSERT_TRUE(std::isfinite(w));

    // Core distances by the definition, and the weight of a tree grown in the plainest way.
    const std::vector<double> v = x.to_vector<double>();
    const int64_t n = 300, d = 6;
    std::vector<double> distance(size_t(n * n), INFINITY), core;
    for (int64_t a = 0; a < n; a++) {
      std::vector<double> row;
      for (int64_t b = 0; b < n; b++) {
        double sum = 0, common = 0;
        for (int64_t j = 0; j < d; j++) {
          const double diff = v[size_t(a * d + j)] - v[size_t(b * d + j)];
          if (!std::isnan(diff)) sum += diff * diff, common++;
        }
        if (a != b && common >= 2) distance[size_t(a * n + b)] = std::sqrt(sum * 6 / common);
        if (a != b) row.push_back(distance[size_t(a * n + b)]);
      }
      std::sort(row.begin(), row.end());
      core.push_back(row[4]);
    }
    double weight = 0, longest = 0;
    int64_t far = 0;
    std::vector<double> best(size_t(n), INFINITY);
    std::vector<bool> in(size_t(n), false);
    for (int64_t step = 0, at = 0; step < n; step++) {
      in[size_t(at)] = true;
      int64_t next = -1;
      for (int64_t b = 0; b < n; b++) {
        if (in[size_t(b)]) continue;
        best[size_t(b)] =
            std::min(best[size_t(b)],
                     std::max({core[size_t(at)], core[size_t(b)], distance[size_t(at * n + b)]}));
        if (next < 0 || best[size_t(b)] < best[size_t(next)]) next = b;
      }
      if (next < 0) break;
      const double w = best[size_t(next)];
      if (std::isinf(w)) {
        far++;
      } else {
        weight += w;
        longest = std::max(longest, w);
      }
      at = next;
    }
    EXPECT_GE(far, 1);
    EXPECT_NEAR(weight_of(r.hierarchy.spanning_tree), weight + double(far) * 2 * longest,
                1e-9 * weight);
    expect_same_at_any_thread_count([&] { return hdbscan(x, o).labels.to_vector<int32_t>(); });
  }
}

TEST(Holes, RefusesWhatIsNotAskedFor) {
  std::vector<int32_t> truth;
  const Tensor x = holed_blobs(DType::f32, truth);
  expect_error("hdbscan", [&] { hdbscan(x, {}); });
  HdbscanOptions o;
  o.min_common = 7;
  expect_error("1 <= min_common <= 6", [&] { hdbscan(x, o); });
  o.min_common = -1;
  expect_error("min_common >= 0", [&] { hdbscan(x, o); });
  o.min_common = 1;
  EXPECT_EQ(hdbscan(Tensor::full({30, 2}, NAN), o).cluster_count, 0);
  expect_error("hdbscan", [&] { hdbscan(Tensor::full({30, 2}, INFINITY), o); });
}

}  // namespace
}  // namespace clade::cluster

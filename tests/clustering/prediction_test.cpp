// New rows, exemplars and validity indices against the hdbscan package
// (tests/golden/make_prediction.py), and what prediction promises by itself.
#include "clustering/density/prediction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "clustering/density/dbcv.h"
#include "clustering/density/soft_membership.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor density_file(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/density/", name, ".npy"));
}

struct Case {
  HdbscanOptions options;
  HdbscanResult fit;
  std::map<int, int> name;  // of our cluster there
};

Case fitted(int64_t i) {
  const Tensor cases = density_file("predict_cases");
  Case c;
  c.options.min_cluster_size = int64_t(cases.at({i, 0}));
  c.options.min_samples = int64_t(cases.at({i, 1}));
  if (cases.at({i, 2}) != 0) c.options.selection.method = ClusterSelection::leaf;
  c.fit = hdbscan(density_file("predict_x"), c.options);
  const std::vector<int> truth = density_file(text("predict_fit_", i)).to_vector<int>();
  const std::vector<int> labels = c.fit.labels.to_vector<int>();
  c.name[-1] = -1;
  for (size_t p = 0; p < labels.size(); p++) {
    if (!c.name.count(labels[p])) c.name[labels[p]] = truth[p];
    EXPECT_EQ(c.name[labels[p]], truth[p]) << "row " << p;
  }
  return c;
}

TEST(ApproximatePredict, IsThatOfThePackage) {
  for (int64_t i = 0; i < 3; i++) {
    SCOPED_TRACE(text("case ", i));
    const Case c = fitted(i);
    const Prediction got = approximate_predict(density_file("predict_x"), c.fit, c.options,
                                               density_file("predict_new"));
    const Tensor want = density_file(text("predict_", i));
    int clustered = 0;
    for (int64_t q = 0; q < want.size(0); q++) {
      const int label = int(got.labels.at({q}));
      EXPECT_EQ(c.name.at(label), int(want.at({q, 0}))) << "query " << q;
      EXPECT_NEAR(got.probabilities.at({q}), want.at({q, 1}), 1e-6);
      clustered += label >= 0;
    }
    EXPECT_GT(clustered, 50);
  }
}

TEST(ApproximatePredict, OfTheFittedRowsIsTheFit) {
  for (uint64_t seed = 0; seed < 6; seed++) {
    Random rng(seed);
    Tensor x = randn({250, seed % 2 ? 2 : 20}, rng);
    for (int64_t i = 0; i < 120 * x.size(1); i++) x.data<float>()[i] += 6;
    HdbscanOptions o{.min_cluster_size = 6, .min_samples = 4};
    if (seed % 3 == 0) o.selection.epsilon = seed % 2 ? 0.4 : 4.5;
    if (seed % 3 == 1) o.selection.method = ClusterSelection::leaf;
    o.selection.allow_single_cluster = seed > 3;
    const HdbscanResult fit = hdbscan(x, o);
    const Prediction again = approximate_predict(x, fit, o, x);
    expect_same(again.labels, fit.labels);
    expect_same(again.probabilities, fit.probabilities);
  }
}

TEST(ApproximatePredict, HonoursEpsilon) {
  // Two tight pairs of groups; epsilon joins each pair. A row in a group is in the joined cluster.
  Random rng(3);
  Tensor x = randn({160, 2}, rng);
  for (int64_t i = 0; i < 160; i++) {
    x.data<float>()[2 * i] = 0.1f * x.data<float>()[2 * i] + float(i % 4 / 2 * 50 + i % 2 * 2);
    x.data<float>()[2 * i + 1] *= 0.1f;
  }
  HdbscanOptions o{.min_cluster_size = 8, .min_samples = 4};
  o.selection.epsilon = 5;
  const HdbscanResult fit = hdbscan(x, o);
  ASSERT_EQ(fit.cluster_count, 2);
  const Tensor asked = Tensor::from<float>({0.01f, 0, 2.01f, 0, 50.01f, 0, 52.01f, 0}, {4, 2});
  const std::vector<int> got = approximate_predict(x, fit, o, asked).labels.to_vector<int>();
  EXPECT_EQ(got[0], got[1]);
  EXPECT_EQ(got[2], got[3]);
  EXPECT_NE(got[0], got[2]);
  EXPECT_GE(got[0], 0);
}

TEST(ApproximatePredict, SameBitsAtAnyThreadCountAndBadInput) {
  const Case c = fitted(0);
  const Tensor x = density_file("predict_x"), asked = density_file("predict_new");
  expect_same_at_any_thread_count([&] {
    const Prediction p = approximate_predict(x, c.fit, c.options, asked);
    return std::pair(p.labels.to_vector<int>(), p.probabilities.to_vector<double>());
  });
  expect_error("expected the 300 rows of the fit",
               [&] { approximate_predict(asked, c.fit, c.options, asked); });
}

TEST(Exemplars, AreThoseOfThePackage) {
  for (int64_t i = 0; i < 3; i++) {
    const Case c = fitted(i);
    std::vector<int> all;
    for (const auto& rows : exemplars(density_file("predict_x"), c.fit))
      for (int64_t row : rows) all.push_back(int(row));
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, density_file(text("predict_exemplars_", i)).to_vector<int>());
  }
}

TEST(TopMemberships, AreTheLargestOfTheWholeMatrix) {
  const Case c = fitted(1);
  const Tensor x = density_file("predict_x"), whole = membership_vectors(x, c.fit);
  const TopMemberships top = top_memberships(x, c.fit, 2);
  for (int64_t p = 0; p < whole.size(0); p++) {
    std::vector<double> row;
    for (int64_t k = 0; k < whole.size(1); k++) row.push_back(whole.at({p, k}));
    for (int64_t r = 0; r < 2; r++)
      EXPECT_EQ(top.membership.at({p, r}), whole.at({p, int64_t(top.cluster.at({p, r}))}));
    std::sort(row.rbegin(), row.rend());
    EXPECT_EQ(top.membership.at({p, 0}), row[0]);
    EXPECT_EQ(top.membership.at({p, 1}), row[1]);
  }
  expect_error("1 <= count", [&] { top_memberships(x, c.fit, 0); });
}

TEST(Dbcv, BothIndicesAreThoseOfThePackage) {
  for (int64_t i = 0; i < 3; i++) {
    SCOPED_TRACE(text("case ", i));
    const Case c = fitted(i);
    const Tensor want = density_file(text("validity_", i));
    const Tensor x = density_file("predict_x").to(DType::f64);
    EXPECT_NEAR(dbcv(x, c.fit.labels).index, want.at({0}), 1e-9);
    EXPECT_NEAR(relative_validity(c.fit.hierarchy.spanning_tree, c.fit.labels), want.at({1}), 1e-6);
  }
}

TEST(Dbcv, ManyColumnsDoNotOverflowAndBitsAreTheSame) {
  Random rng(8);
  Tensor x = randn({200, 800}, rng);
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < 200; i++) labels.push_back(int32_t(i % 2) * 7);
  for (int64_t i = 0; i < 200; i += 2)
    for (int64_t j = 0; j < 800; j++) x.data<float>()[i * 800 + j] += 30;
  const Tensor l = Tensor::from(labels, {200});
  const Dbcv got = dbcv(x, l);
  EXPECT_GT(got.index, 0.5);
  EXPECT_LE(got.index, 1);
  EXPECT_EQ(got.clusters.numel(), 2);
  expect_same_at_any_thread_count([&] { return dbcv(x, l).index; });
  expect_error("at least 2 clusters", [&] { dbcv(x, Tensor::zeros({200}, DType::i32)); });
  expect_error("labels i32 [200]", [&] { dbcv(x, Tensor::zeros({5}, DType::i32)); });
}

}  // namespace
}  // namespace clade::cluster

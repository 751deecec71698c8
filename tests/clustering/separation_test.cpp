// Davies-Bouldin, Calinski-Harabasz, continuity and recall of neighbours.
#include "clustering/metrics/separation.h"

#include <gtest/gtest.h>

#include "clustering/metrics/preservation.h"
#include "clustering/metrics/trustworthiness.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor normal(int64_t n, int64_t d, uint64_t seed) {
  Random rng(seed);
  return randn({n, d}, rng);
}

}  // namespace

TEST(Separation, EqualsScikitLearn) {
  const Tensor x = golden("silhouette_x"), labels = golden("silhouette_labels");
  const Tensor want = golden("separation");
  EXPECT_NEAR(davies_bouldin(x, labels), want.at({0}), 1e-12);
  EXPECT_NEAR(calinski_harabasz(x, labels) / want.at({1}), 1, 1e-12);
}

TEST(Separation, DoesNotDependOnWhereTheDataLies) {
  const Tensor x = golden("silhouette_x").to(DType::f64), labels = golden("silhouette_labels");
  Tensor far = x.clone();
  for (int64_t e = 0; e < far.numel(); e++) far.data<double>()[e] += 1e6;
  EXPECT_NEAR(davies_bouldin(far, labels), davies_bouldin(x, labels), 1e-8);
  EXPECT_NEAR(calinski_harabasz(far, labels) / calinski_harabasz(x, labels), 1, 1e-8);
}

TEST(Separation, LimitCases) {
  const Tensor labels = Tensor::from(std::vector<int32_t>{0, 0, 1, 1}, {4});
  const Tensor apart = Tensor::from({0.f, 0.f, 1.f, 1.f}, {4, 1}), same = Tensor::zeros({4, 1});
  EXPECT_EQ(davies_bouldin(apart, labels), 0);
  EXPECT_EQ(calinski_harabasz(apart, labels), 1);
  EXPECT_EQ(davies_bouldin(same, labels), 0);
  EXPECT_EQ(calinski_harabasz(same, labels), 1);
}

TEST(Separation, RefusesBadInput) {
  const Tensor x = normal(4, 2, 1);
  auto labels = [](std::vector<int32_t> l) { return Tensor::from(l, {int64_t(l.size())}); };
  expect_error("davies_bouldin: expected 2 to n - 1 = 3 distinct labels; got 1", [&] {
    davies_bouldin(x, labels({0, 0, 0, 0}));
  });
  expect_error("distinct labels; got 4", [&] { calinski_harabasz(x, labels({0, 1, 2, 3})); });
  expect_error("labels (n) i32 = [4]", [&] { davies_bouldin(x, labels({0, 1})); });
}

TEST(Separation, SameBitsAtAnyThreadCount) {
  const Tensor x = normal(3000, 5, 2);
  std::vector<int32_t> l;
  for (int32_t i = 0; i < 3000; i++) l.push_back(i % 7);
  const Tensor labels = Tensor::from(l, {3000});
  expect_same_at_any_thread_count([&] {
    return std::vector<double>{davies_bouldin(x, labels), calinski_harabasz(x, labels)};
  });
}

TEST(Preservation, ContinuityIsTrustworthinessTurnedRound) {
  const Tensor x = normal(200, 5, 3), flat = x.slice(1, 0, 2).contiguous();
  EXPECT_EQ(continuity(x, flat, 7), trustworthiness(flat, x, 7));
  EXPECT_EQ(continuity(x, x, 7), 1);
}

TEST(Preservation, RecallCountsSharedNeighbours) {
  const Tensor line = Tensor::from({0.f, 1.f, 3.f, 7.f}, {4, 1});
  EXPECT_EQ(knn_recall(line, line, 2), 1);
  // The nearest of 0, 1, 3, 7 are 1, 0, 1, 3; of 0, 9, 8, 1 the row of 1, 8, 9, 0.
  EXPECT_EQ(knn_recall(line, Tensor::from({0.f, 9.f, 8.f, 1.f}, {4, 1}), 1), 0.25);
  expect_error("an embedding (n, e)", [&] { knn_recall(line, Tensor::zeros({3, 1}), 1); });
}

}  // namespace clade::cluster

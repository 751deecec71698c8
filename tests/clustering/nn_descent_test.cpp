// NN-descent against exact_knn: recall on several kinds of data, ties, errors, bits.
#include "clustering/neighbors/nn_descent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "clustering/neighbors/rp_forest.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::cluster {
namespace {

Tensor normal(int64_t n, int64_t d, uint64_t seed, DType dtype = DType::f32) {
  Random rng(seed);
  return randn({n, d}, rng, dtype);
}

Tensor blobs(int64_t n, int64_t d, int64_t clusters, float apart) {
  Tensor x = normal(n, d, 2);
  const Tensor centres = normal(clusters, d, 3);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      x.data<float>()[i * d + j] += apart * centres.data<float>()[i % clusters * d + j];
  return x;
}

// Many columns that few numbers make: the exact search takes images of them.
Tensor flat(int64_t n, int64_t d, int64_t inner) {
  const Tensor z = normal(n, inner, 4), turn = normal(inner, d, 5);
  Tensor x = normal(n, d, 6);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) {
      float sum = 0.05f * x.data<float>()[i * d + j];
      for (int64_t l = 0; l < inner; l++)
        sum += z.data<float>()[i * inner + l] * turn.data<float>()[l * d + j];
      x.data<float>()[i * d + j] = sum;
    }
  return x;
}

// The share of exact neighbours that were found, all rows, by distance.
double recall(const Neighbors& found, const Neighbors& exact) {
  const int64_t n = exact.index.size(0), k = exact.index.size(1);
  int64_t hits = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t r = 0; r < k; r++)
      hits +=
          found.distance.data<float>()[i * k + r] <= exact.distance.data<float>()[i * k + k - 1];
  return double(hits) / double(n * k);
}

// k different others of each row, in order, at their true distances.
void expect_sound(const Tensor& x, const Neighbors& found, bool self) {
  const int64_t n = x.size(0), d = x.size(1), k = found.index.size(1);
  for (int64_t i = 0; i < n; i++) {
    const int32_t* index = found.index.data<int32_t>() + i * k;
    const float* distance = found.distance.data<float>() + i * k;
    ASSERT_EQ(std::set<int32_t>(index, index + k).size(), size_t(k)) << "row " << i;
    ASSERT_EQ(std::count(index, index + k, int32_t(i)), self ? 1 : 0) << "row " << i;
    ASSERT_TRUE(std::is_sorted(distance, distance + k)) << "row " << i;
    for (int64_t r = 0; r < k; r++) {
      double sum = 0;
      for (int64_t j = 0; j < d; j++) sum += std::pow(x.at({i, j}) - x.at({index[r], j}), 2);
      ASSERT_NEAR(distance[r], std::sqrt(sum), 1e-6 * (1 + std::sqrt(sum)));
    }
  }
}

}  // namespace

TEST(NnDescent, FindsNearlyAllNeighbours) {
  struct Case {
    const char* name;
    Tensor x;
    double floor;
  };
  // Noise in many columns is the hard case: there no row is a way to another one. (PyNNDescent
  // 0.7 finds 0.83 of such neighbours.)
  const Case cases[] = {{"plane", normal(3000, 2, 1), 0.99},
                        {"blobs", blobs(3000, 12, 30, 8), 0.99},
                        {"one blob", normal(3000, 8, 7), 0.97},
                        {"noise", normal(2000, 40, 8), 0.82},
                        {"images", flat(4500, 64, 4), 0.95}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    NnDescentOptions once;
    once.recall = 0;
    const Approximation found = nn_descent(c.x, 10, false, once);
    const double truth = recall(found.neighbors, exact_knn(c.x, 10, false));
    EXPECT_GE(truth, c.floor);
    EXPECT_NEAR(found.recall, truth, 0.03);  // 2,560 of them were looked at
    EXPECT_EQ(found.descents, 1);
    expect_sound(c.x, found.neighbors, false);
  }
}

TEST(NnDescent, GoesOnUntilTheRecallIsReached) {
  const Tensor x = normal(1500, 60, 9);
  NnDescentOptions o;
  o.trees = 1;
  o.iterations = 1;
  o.sample = 3;
  o.recall = 0;
  const double once = nn_descent(x, 10, false, o).recall;
  o.recall = 1;
  const Approximation more = nn_descent(x, 10, false, o);
  EXPECT_EQ(more.descents, 3);
  EXPECT_GT(more.recall, once);
}

TEST(NnDescent, SmallSetsAreExact) {
  for (int64_t n : {2, 3, 17, 60}) {  // one leaf: all pairs meet
    const Tensor x = normal(n, 3, 10, DType::f64);
    for (int64_t k = 1; k < n; k += 1 + n / 5) {
      const Neighbors want = exact_knn(x, k, false), got = nn_descent(x, k, false).neighbors;
      expect_same(got.index, want.index);
      expect_same(got.distance, want.distance);
    }
  }
  const Tensor x = normal(40, 2, 11);
  expect_same(nn_descent(x, 40, true).neighbors.index, exact_knn(x, 40, true).index);
  expect_same(nn_descent(x, 1, true).neighbors.index, exact_knn(x, 1, true).index);
  expect_same(nn_descent(normal(1, 2, 1), 1, true).neighbors.distance, Tensor::zeros({1, 1}));
}

TEST(NnDescent, DuplicatesConstantsAndFarOffsets) {
  const Tensor same = Tensor::full({700, 4}, 0.3);
  const Approximation copies = nn_descent(same, 12, true);
  EXPECT_EQ(copies.recall, 1);
  expect_sound(same, copies.neighbors, true);
  Tensor pairs = normal(1200, 5, 12);  // each row three times
  for (int64_t i = 0; i < 1200; i++) pairs.select(0, i).copy_(pairs.select(0, i / 3 * 3));
  const Approximation found = nn_descent(pairs, 5, false);
  EXPECT_GE(found.recall, 0.98);
  expect_sound(pairs, found.neighbors, false);
  Tensor far = normal(1000, 6, 13, DType::f64);
  for (int64_t e = 0; e < far.numel(); e++)
    far.data<double>()[e] = 1e9 + 1e-3 * far.data<double>()[e];
  EXPECT_GE(nn_descent(far, 8, false).recall, 0.98);
}

TEST(NnDescent, SameBitsAtAnyThreadCountAndOtherSeeds) {
  for (const Tensor& x : {blobs(2500, 20, 15, 3), flat(4200, 56, 5)})
    expect_same_at_any_thread_count([&] {
      const Approximation a = nn_descent(x, 7, false);
      std::vector<double> out = a.neighbors.distance.to_vector<double>();
      for (int32_t i : a.neighbors.index.to_vector<int32_t>()) out.push_back(i);
      out.push_back(a.recall);
      return out;
    });
  const Tensor x = normal(2000, 30, 14);
  NnDescentOptions o;
  o.seed = 5;
  EXPECT_NE(nn_descent(x, 7, false, o).neighbors.index.to_vector<int32_t>(),
            nn_descent(x, 7, false).neighbors.index.to_vector<int32_t>());
}

TEST(NnDescent, TreesHoldEveryRowOnceInSmallLeaves) {
  for (const Tensor& x : {normal(5000, 7, 15), Tensor::full({5000, 7}, 1.0)}) {
    RandomTree tree = random_tree(x.data<float>(), 5000, 7, 64, Random(3));
    for (size_t l = 1; l < tree.leaves.size(); l++) {
      EXPECT_LE(tree.leaves[l] - tree.leaves[l - 1], 64);
      EXPECT_GE(tree.leaves[l] - tree.leaves[l - 1], 8);
    }
    std::sort(tree.rows.begin(), tree.rows.end());
    for (int32_t i = 0; i < 5000; i++) ASSERT_EQ(tree.rows[size_t(i)], i);
  }
}

TEST(NnDescent, AutomaticIsExactForFewRows) {
  const Tensor x = normal(500, 20, 16);
  const Approximation found = find_neighbors(x, 6, true);
  EXPECT_EQ(found.descents, 0);
  EXPECT_EQ(found.recall, 1);
  expect_same(found.neighbors.index, exact_knn(x, 6, true).index);
}

TEST(NnDescent, RefusesBadInput) {
  const Tensor x = normal(5, 2, 17);
  EXPECT_EQ(message_of([&] { nn_descent(x, 5, false); }),
            "nn_descent: expected 1 <= k <= 4 for 5 rows without self; got k = 5; ask for fewer "
            "neighbours");
  expect_error("k = 0", [&] { nn_descent(x, 0, true); });
  expect_error("k = 6", [&] { nn_descent(x, 6, true); });
  NnDescentOptions o;
  o.recall = 1.5;
  expect_error("recall from 0 to 1", [&] { nn_descent(x, 2, true, o); });
  o = {};
  o.trees = -1;
  expect_error(">= 0; got -1", [&] { nn_descent(x, 2, true, o); });
  x.data<float>()[3] = INFINITY;
  expect_error("row 1, column 1", [&] { nn_descent(x, 2, true); });
  Progress stop{[](void*, const char*, int64_t, int64_t) { return false; }, nullptr};
  EXPECT_THROW(nn_descent(normal(300, 2, 18), 3, false, {}, stop), Cancelled);
}

}  // namespace clade::cluster

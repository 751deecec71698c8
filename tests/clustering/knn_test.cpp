// exact_knn against a double loop written here, over shapes and over data that breaks the formula
// ||x||^2 - 2 x.y + ||y||^2: far from the origin, duplicated, with outliers, of extreme scale.
#include "clustering/neighbors/knn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/random.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::cluster {
namespace {

struct Expected {
  std::vector<int32_t> index;
  std::vector<float> distance;
};

// All distances in f64, sorted by (distance, index); the self neighbour left out, or put first.
Expected brute_force(const Tensor& queries, const Tensor& points, int64_t k, bool same, bool self) {
  std::vector<double> q = queries.to_vector<double>(), p = points.to_vector<double>();
  size_t n = size_t(queries.size(0)), m = size_t(points.size(0)), d = size_t(points.size(1));
  Expected out;
  for (size_t i = 0; i < n; i++) {
    std::vector<std::pair<double, int32_t>> all;
    for (size_t j = 0; j < m; j++) {
      if (same && i == j && !self) continue;
      double sum = 0;
      for (size_t c = 0; c < d; c++) {
        double diff = q[i * d + c] - p[j * d + c];
        sum += diff * diff;
      }
      all.emplace_back(same && i == j ? -1 : sum, int32_t(j));
    }
    std::sort(all.begin(), all.end());
    for (size_t r = 0; r < size_t(k); r++) {
      out.index.push_back(all[r].second);
      out.distance.push_back(float(std::sqrt(std::max(all[r].first, 0.0))));
    }
  }
  return out;
}

void expect_exact(const Tensor& x, int64_t k) {
  for (bool self : {false, true}) {
    Neighbors got = exact_knn(x, k, self);
    Expected want = brute_force(x, x, k, true, self);
    EXPECT_EQ(got.index.to_vector<int32_t>(), want.index);
    EXPECT_EQ(got.distance.to_vector<float>(), want.distance);
  }
}

Tensor normal(int64_t n, int64_t d, uint64_t seed, DType dtype = DType::f32) {
  Random rng(seed);
  return randn({n, d}, rng, dtype);
}

// x moved and stretched: scale x + offset, in x's dtype.
Tensor affine(const Tensor& x, double scale, double offset) {
  std::vector<double> v = x.to_vector<double>();
  for (double& e : v) e = scale * e + offset;
  return Tensor::from(v, x.shape()).to(x.dtype());
}

std::string message_of(const Tensor& x, int64_t k) {
  return testing::message_of([&] { exact_knn(x, k, false); });
}

}  // namespace

TEST(Knn, EqualsBruteForceOverShapes) {
  for (int64_t n : {2, 3, 33, 129, 600})
    for (int64_t d : {1, 2, 10, 65})
      for (int64_t k : {1, 5, 31})
        if (k < n) {
          SCOPED_TRACE(text("n ", n, " d ", d, " k ", k));
          expect_exact(normal(n, d, uint64_t(n * 100 + d)), k);
        }
}

TEST(Knn, DoublePrecision) { expect_exact(normal(300, 7, 5, DType::f64), 10); }

TEST(Knn, AllNeighbours) { expect_exact(normal(40, 3, 6), 39); }

TEST(Knn, FarFromTheOrigin) { expect_exact(affine(normal(400, 5, 1), 0.01, 1000), 10); }

TEST(Knn, OneOutlierDoesNotBlurTheRest) {
  Tensor x = normal(400, 5, 2);
  x.data<float>()[17] = 1e7f;
  expect_exact(x, 10);
}

TEST(Knn, TightClustersFarApart) {
  Tensor x = normal(600, 4, 3);
  for (int64_t i = 0; i < 600; i++)
    for (int64_t j = 0; j < 4; j++) {
      float& v = x.data<float>()[i * 4 + j];
      v = v * 1e-4f + float(i % 3) * 50;
    }
  expect_exact(x, 12);
}

TEST(Knn, ExtremeScales) {
  expect_exact(affine(normal(200, 3, 4), 1e30, 0), 6);
  expect_exact(affine(normal(200, 3, 4), 1e-18, 0), 6);
}

TEST(Knn, DuplicatesAndGridsTieByIndex) {
  expect_exact(Tensor::full({100, 3}, 2.5), 20);  // duplicates only
  std::vector<float> grid;
  for (int i = 0; i < 900; i++) grid.push_back(float(i % 3)), grid.push_back(float(i / 3 % 4));
  expect_exact(Tensor::from(grid, {900, 2}), 15);
}

TEST(Knn, QueriesAgainstPoints) {
  Tensor q = normal(150, 6, 8), p = normal(1100, 6, 9);
  Neighbors got = exact_knn(q, p, 7);
  Expected want = brute_force(q, p, 7, false, false);
  EXPECT_EQ(got.index.to_vector<int32_t>(), want.index);
  EXPECT_EQ(got.distance.to_vector<float>(), want.distance);
}

TEST(Knn, StridedInput) {
  Tensor x = normal(8, 200, 10).transpose(0, 1);
  ASSERT_FALSE(x.is_contiguous());
  expect_exact(x, 4);
}

TEST(Knn, SameBitsAtAnyThreadCount) {
  Tensor x = normal(2000, 12, 11);
  testing::expect_same_at_any_thread_count([&] {
    Neighbors got = exact_knn(x, 15, true);
    return std::pair(got.index.to_vector<int32_t>(), got.distance.to_vector<float>());
  });
}

TEST(Knn, RefusesBadInput) {
  Tensor x = normal(5, 2, 12);
  EXPECT_EQ(message_of(x, 5),
            "exact_knn: expected 1 <= k <= 4 for 5 rows without self; got k = 5; "
            "ask for fewer neighbours");
  EXPECT_NE(message_of(x, 0).find("k = 0"), std::string::npos);
  x.data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(message_of(x, 2).find("NaN in row 3, column 1"), std::string::npos);
  x.data<float>()[7] = std::numeric_limits<float>::infinity();
  EXPECT_NE(message_of(x, 2).find("infinity in row 3"), std::string::npos);
  x.data<float>()[7] = 3e38f;
  EXPECT_NE(message_of(x, 2).find("scale the data"), std::string::npos);
  EXPECT_NE(message_of(Tensor::zeros({0, 2}), 1).find("n >= 1"), std::string::npos);
  EXPECT_NE(message_of(Tensor::zeros({3, 0}), 1).find("d >= 1"), std::string::npos);
  EXPECT_NE(message_of(Tensor::zeros({3}), 1).find("f32 [3]"), std::string::npos);
  EXPECT_NE(message_of(Tensor::zeros({3, 2}, DType::i32), 1).find("i32"), std::string::npos);
  EXPECT_THROW(exact_knn(Tensor::zeros({3, 2}), Tensor::zeros({3, 3}), 1), Error);
}

TEST(Knn, CanBeCancelled) {
  Progress stop{[](void*, const char*, int64_t, int64_t) { return false; }, nullptr};
  EXPECT_THROW(exact_knn(normal(50, 2, 13), 3, false, stop), Cancelled);
}

}  // namespace clade::cluster

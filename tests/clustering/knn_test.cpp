// exact_knn against a double loop written here, over shapes and over data that breaks the formula
// ||x||^2 - 2 x.y + ||y||^2: far from the origin, duplicated, with outliers, of extreme scale.
#include "clustering/neighbors/knn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/neighbors/image.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"
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
    Expected want = brute_force(x, x, k, true, self);
    for (KnnMethod method : {KnnMethod::tree, KnnMethod::tiles}) {
      Neighbors got = exact_knn(x, k, self, {}, method);
      EXPECT_EQ(got.index.to_vector<int32_t>(), want.index);
      EXPECT_EQ(got.distance.to_vector<float>(), want.distance);
    }
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
  Expected want = brute_force(q, p, 7, false, false);
  for (KnnMethod method : {KnnMethod::tree, KnnMethod::tiles}) {
    Neighbors got = exact_knn(q, p, 7, {}, method);
    EXPECT_EQ(got.index.to_vector<int32_t>(), want.index);
    EXPECT_EQ(got.distance.to_vector<float>(), want.distance);
  }
}

// n rows of d columns that a few directions nearly explain: what short images are made for.
Tensor correlated(int64_t n, int64_t d, uint64_t seed) {
  Random rng(seed);
  Tensor hidden = randn({n, 5}, rng), mix = randn({5, d}, rng), x = randn({n, d}, rng);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) {
      float sum = 3 + 0.05f * x.data<float>()[i * d + j];
      for (int64_t h = 0; h < 5; h++)
        sum += hidden.data<float>()[i * 5 + h] * mix.data<float>()[h * d + j];
      x.data<float>()[i * d + j] = sum;
    }
  return x;
}

// The first rows of `got` against the double loop.
void expect_first_rows(const Neighbors& got, const Tensor& queries, const Tensor& points, int64_t k,
                       bool same) {
  const int64_t rows = 150;
  const Expected want = brute_force(queries.slice(0, 0, rows), points, k, same, false);
  EXPECT_EQ(got.index.slice(0, 0, rows).to_vector<int32_t>(), want.index);
  EXPECT_EQ(got.distance.slice(0, 0, rows).to_vector<float>(), want.distance);
}

TEST(Knn, ShortImagesMissNothing) {
  const int64_t d = 320;
  Tensor x = correlated(4100, d, 21);
  for (int64_t i = 0; i < 60; i++)  // duplicates, and one row far away
    x.select(0, 100 + i).copy_(x.select(0, 7));
  x.data<float>()[d * 9] = 1e4f;
  EXPECT_GT(plan_images("test", x, x, 15).head, 0);
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor rows = x.to(dtype);
    expect_first_rows(exact_knn(rows, 15, false), rows, rows, 15, true);
  }
  const Tensor queries = correlated(1100, d, 22);
  expect_first_rows(exact_knn(queries, x, 6), queries, x, 6, false);
}

TEST(Knn, AnImageIsNeverLongerThanTheRow) {
  const int64_t d = 320;
  const Tensor x = correlated(4100, d, 5);
  const ImagePlan plan = plan_images("test", x, x, 10);
  ASSERT_GT(plan.head, 0);
  const int64_t width = plan.columns(), count = 100;
  std::vector<float> first(size_t(count * width)), second(size_t(count * (plan.deep + 1)));
  std::vector<double> half(static_cast<size_t>(count)), slack(static_cast<size_t>(count));
  make_images<float, float>(
      plan, x.data<float>(), count,
      {first.data(), width, half.data(), slack.data(), plan.deep ? second.data() : nullptr});
  auto length = [](const auto* a, const auto* b, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) sum += std::pow(double(a[j]) - double(b[j]), 2);
    return std::sqrt(sum);
  };
  for (int64_t a = 0; a < count; a++)
    for (int64_t b = 0; b < a; b++) {
      const double most = plan.scale * length(x.data<float>() + a * d, x.data<float>() + b * d, d) +
                          slack[size_t(a)] + slack[size_t(b)];
      EXPECT_LE(length(first.data() + a * width, first.data() + b * width, width), most);
      if (plan.deep) {
        const int64_t deep = plan.deep + 1;
        EXPECT_LE(length(second.data() + a * deep, second.data() + b * deep, deep), most);
      }
    }
}

TEST(Knn, CosineIsOneMinusTheCosine) {
  const int64_t n = 300, d = 9, k = 12;
  const Tensor x = affine(normal(n, d, 31, DType::f64), 1, 0.3);
  const Neighbors got = cosine_knn(x, k, false);
  for (int64_t i = 0; i < n; i++) {
    std::vector<std::pair<double, int32_t>> all;
    for (int64_t j = 0; j < n; j++) {
      if (j == i) continue;
      double xy = 0, xx = 0, yy = 0;
      for (int64_t c = 0; c < d; c++)
        xy += x.at({i, c}) * x.at({j, c}), xx += std::pow(x.at({i, c}), 2),
            yy += std::pow(x.at({j, c}), 2);
      all.emplace_back(1 - xy / std::sqrt(xx * yy), int32_t(j));
    }
    std::sort(all.begin(), all.end());
    for (int64_t r = 0; r < k; r++) {
      EXPECT_EQ(got.index.at({i, r}), all[size_t(r)].second);
      EXPECT_NEAR(got.distance.at({i, r}), all[size_t(r)].first, 1e-6);
    }
  }
  // Correlation is the cosine about each row's own mean.
  const Tensor about = unit_rows("test", x, true);
  for (int64_t i = 0; i < n; i++) {
    double sum = 0, squares = 0, shape = 0, rest = 0;
    for (int64_t c = 0; c < d; c++) sum += x.at({i, c});
    for (int64_t c = 0; c < d; c++) {
      squares += about.at({i, c}) * about.at({i, c});
      shape += about.at({i, c}) * (x.at({i, c}) - sum / double(d));
      rest += std::pow(x.at({i, c}) - sum / double(d), 2);
    }
    EXPECT_NEAR(squares, 1, 1e-14);
    EXPECT_NEAR(shape, std::sqrt(rest), 1e-12);
  }
  Tensor zero = x.clone();
  for (int64_t j = 0; j < d; j++) zero.data<double>()[5 * d + j] = 0;
  EXPECT_EQ(testing::message_of([&] { cosine_knn(zero, 3, false); }),
            "cosine_knn: expected rows with a direction; got row 5 is all zeros; leave it out");
}

// Partial distances by their definition, in the order (distance, index).
void expect_partial(const Tensor& x, int64_t k, int64_t min_common) {
  const int64_t n = x.size(0), d = x.size(1);
  const std::vector<double> v = x.to_vector<double>();
  const Neighbors got = partial_knn(x, k, false, min_common);
  for (int64_t i = 0; i < n; i++) {
    std::vector<std::pair<double, int32_t>> all;
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      int64_t common = 0;
      for (int64_t c = 0; c < d; c++) {
        const double diff = v[size_t(i * d + c)] - v[size_t(j * d + c)];
        if (!std::isnan(diff)) sum += diff * diff, common++;
      }
      if (j != i && common >= min_common) all.emplace_back(sum * double(d) / double(common), j);
    }
    std::sort(all.begin(), all.end());
    for (int64_t r = 0; r < k; r++) {
      const bool there = r < int64_t(all.size());
      EXPECT_EQ(got.index.at({i, r}), there ? all[size_t(r)].second : -1);
      EXPECT_EQ(float(got.distance.at({i, r})), there ? float(std::sqrt(all[size_t(r)].first))
                                                      : std::numeric_limits<float>::infinity());
    }
  }
}

Tensor with_holes(Tensor x, double share, uint64_t seed) {
  Random rng(seed);
  for (int64_t i = 0; i < x.numel(); i++)
    if (rng.uniform() < share) x.data<float>()[i] = std::numeric_limits<float>::quiet_NaN();
  return x;
}

TEST(Knn, PartialDistancesOverHoles) {
  expect_partial(with_holes(normal(150, 6, 41), 0.3, 1), 10, 1);
  expect_partial(with_holes(normal(150, 6, 42), 0.6, 2), 140, 3);  // often too few in common
  expect_partial(with_holes(affine(normal(120, 4, 43), 0.01, 1000), 0.2, 3), 8, 1);
  expect_partial(with_holes(Tensor::full({90, 3}, 2.5f), 0.3, 4), 20, 1);  // ties
  const Tensor whole = normal(200, 5, 44);
  const Neighbors a = partial_knn(whole, 9, true), b = exact_knn(whole, 9, true);
  EXPECT_EQ(a.index.to_vector<int32_t>(), b.index.to_vector<int32_t>());
  Tensor infinite = whole.clone();
  infinite.data<float>()[7] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(testing::message_of([&] { partial_knn(infinite, 3, false); }),
            "partial_knn: expected finite values or NaN in x; got an infinity in row 1, column 2; "
            "write NaN where a value is missing");
}

// tests/golden/make_neighbors.py: what scikit-learn finds among rows with holes.
TEST(Knn, PartialNeighboursAreThoseOfScikitLearn) {
  const Neighbors got = partial_knn(golden("partial_x"), 8, true);
  EXPECT_EQ(got.index.to_vector<int32_t>(), golden("partial_index").to_vector<int32_t>());
  expect_close(got.distance, golden("partial_distance"), 1e-5);
}

TEST(Knn, StridedInput) {
  Tensor x = normal(8, 200, 10).transpose(0, 1);
  ASSERT_FALSE(x.is_contiguous());
  expect_exact(x, 4);
}

TEST(Knn, SameBitsAtAnyThreadCount) {
  auto bits = [](const Neighbors& got) {
    return std::pair(got.index.to_vector<int32_t>(), got.distance.to_vector<float>());
  };
  const Tensor x = normal(2000, 12, 11), pictures = correlated(4100, 320, 12);
  const Tensor holes = with_holes(normal(300, 5, 13), 0.2, 5);
  for (KnnMethod method : {KnnMethod::tree, KnnMethod::tiles})
    testing::expect_same_at_any_thread_count(
        [&] { return bits(exact_knn(x, 15, true, {}, method)); });
  testing::expect_same_at_any_thread_count([&] { return bits(exact_knn(pictures, 15, true)); });
  testing::expect_same_at_any_thread_count([&] { return bits(partial_knn(holes, 15, true)); });
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

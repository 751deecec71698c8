#include "clustering/manifold/pca.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {

class PcaGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(PcaGolden, EqualsScikitLearn) {  // tall: by the covariance; wide: by inner products
  std::string name = text("pca_", GetParam());
  Tensor x = golden(name + "_x");
  Pca pca = fit_pca(x, {.components = 5});
  expect_close(pca.components, golden(name + "_components"), 1e-10);
  expect_close(pca.explained_variance, golden(name + "_variance"), 1e-10);
  expect_close(pca.variance_ratio, golden(name + "_ratio"), 1e-12);
  Tensor scores = transform(pca, x);
  expect_close(scores, golden(name + "_scores"), 1e-10);
  expect_close(inverse_transform(pca, scores), golden(name + "_inverse"), 1e-10);

  Pca white = fit_pca(x, {.components = 5, .whiten = true});
  Tensor whitened = transform(white, x);
  expect_close(whitened, golden(name + "_whitened"), 1e-10);
  expect_close(inverse_transform(white, whitened), golden(name + "_inverse"), 1e-10);
}

INSTANTIATE_TEST_SUITE_P(Goldens, PcaGolden, ::testing::Values("tall", "wide"));

TEST(Pca, AllComponentsGiveTheDataBack) {
  Random rng(1);
  Tensor x = randn({40, 7}, rng);
  Pca pca = fit_pca(x);
  ASSERT_EQ(pca.components.shape(), (Shape{7, 7}));
  Tensor back = inverse_transform(pca, transform(pca, x));
  EXPECT_EQ(back.dtype(), DType::f32);
  expect_close(back, x, 1e-6);
  double sum = 0;
  for (double r : pca.variance_ratio.to_vector<double>()) sum += r;
  EXPECT_NEAR(sum, 1, 1e-14);
}

TEST(Pca, F32FarFromTheOriginKeepsItsVariances) {
  Random rng(2);
  Tensor x = randn({500, 3}, rng), far = x.clone();
  for (int64_t i = 0; i < x.numel(); i++) {
    far.data<float>()[i] += 4096;
    x.data<float>()[i] = far.data<float>()[i] - 4096;  // the same rounding
  }
  expect_close(fit_pca(far).explained_variance, fit_pca(x).explained_variance, 1e-12);
}

TEST(Pca, ColumnsAndRowsWithoutVariance) {
  Random rng(3);
  Tensor x = randn({30, 4}, rng);
  for (int64_t i = 0; i < 30; i++) x.data<float>()[i * 4 + 2] = 5;
  Pca pca = fit_pca(x, {.whiten = true});
  EXPECT_EQ(pca.explained_variance.data<double>()[3], 0);
  Tensor z = transform(pca, x);
  for (int64_t i = 0; i < 30; i++) EXPECT_EQ(z.at({i, 3}), 0);

  for (Shape shape : {Shape{9, 3}, Shape{3, 9}}) {
    Tensor same = Tensor::full(shape, 0.1);
    Pca none = fit_pca(same, {.whiten = true});
    for (double v : none.variance_ratio.to_vector<double>()) EXPECT_EQ(v, 0);
    for (double v : transform(none, same).to_vector<double>()) EXPECT_EQ(v, 0);
  }
}

// 200 columns of which most repeat others or are constant, as the borders of images are: the
// covariance has rank 6, and all other eigenvalues are what rounding makes of 0.
TEST(Pca, DataOfLowRank) {
  Random rng(5);
  Tensor few = randn({300, 6}, rng), x = Tensor::zeros({300, 200});
  for (int64_t j = 0; j < 120; j++) {
    Tensor column = x.slice(1, j, j + 1);
    column.copy_(few.slice(1, j % 6, j % 6 + 1));
  }
  Pca pca = fit_pca(x, {.components = 10});
  std::vector<double> ratio = pca.variance_ratio.to_vector<double>();
  EXPECT_NEAR(std::accumulate(ratio.begin(), ratio.begin() + 6, 0.0), 1, 1e-12);
  EXPECT_NEAR(ratio[6], 0, 1e-12);
}

TEST(Pca, StridedInput) {
  Random rng(4);
  Tensor x = randn({6, 50}, rng).transpose(0, 1);
  expect_same(fit_pca(x).components, fit_pca(x.contiguous()).components);
}

TEST(Pca, SameBitsAtAnyThreadCount) {
  Random rng(5);
  Tensor tall = randn({3000, 90}, rng), wide = randn({70, 300}, rng);
  Tensor few = randn({900, 400}, rng);  // a few of many components
  for (const Tensor& x : {tall, wide, few})
    expect_same_at_any_thread_count([&] {
      Pca pca = fit_pca(x, {.components = 20});
      std::vector<double> out = pca.components.to_vector<double>();
      for (double v : transform(pca, x).to_vector<double>()) out.push_back(v);
      return out;
    });
}

// Columns of falling deviation, mixed: an image-like spectrum.
Tensor mixed(int64_t n, int64_t d, DType dtype) {
  Random rng(7);
  Tensor x = randn({n, d}, rng, DType::f64), turn = randn({d, d}, rng, DType::f64);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) x.data<double>()[i * d + j] *= 10 * std::pow(0.97, double(j));
  Tensor out = Tensor::zeros({n, d}, DType::f64);
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < d; k++)
      for (int64_t j = 0; j < d; j++)
        out.data<double>()[i * d + j] +=
            x.data<double>()[i * d + k] * turn.data<double>()[k * d + j] / std::sqrt(double(d));
  return out.to(dtype);
}

TEST(Pca, ARowsScoresDoNotDependOnTheOthers) {
  for (DType t : {DType::f32, DType::f64})
    for (auto [d, r] : {std::pair<int64_t, int64_t>{60, 7}, {300, 1}, {300, 50}}) {
      Random rng(4);
      const Tensor x = randn({1100, d}, rng).to(t);
      const Pca pca = fit_pca(x, {.components = r});
      const Tensor all = transform(pca, x);
      for (auto [begin, end] :
           {std::pair<int64_t, int64_t>{0, 1}, {13, 14}, {501, 530}, {999, 1100}}) {
        const Tensor some = transform(pca, x.slice(0, begin, end));
        EXPECT_EQ(some.to_vector<double>(), all.slice(0, begin, end).to_vector<double>());
      }
    }
}

// Directions of a thousandth and a millionth of the first one's deviation: f32 products would give
// noise. And rows whose products overflow in f32.
TEST(Pca, F32ScoresOfSmallDirectionsAreRight) {
  for (double small : {1e-1, 1e-3, 1e-4}) {
    Random rng(5);
    const Tensor z = randn({2000, 2}, rng, DType::f64);
    Tensor x = Tensor::empty({2000, 2});
    for (int64_t i = 0; i < 2000; i++) {
      const double a = 1000 * z.at({i, 0}), b = 1000 * small * z.at({i, 1});
      x.data<float>()[2 * i] = float(a + b), x.data<float>()[2 * i + 1] = float(a - b);
    }
    const Pca white = fit_pca(x, {.components = 2, .whiten = true});
    const Tensor scores = transform(white, x), exact = transform(white, x.to(DType::f64));
    for (int64_t e = 0; e < scores.numel(); e++)
      ASSERT_NEAR(scores.data<float>()[e], exact.data<double>()[e], 1e-5) << small;
  }
  Random rng(6);
  const Tensor x = randn({50, 8}, rng);
  const Pca pca = fit_pca(x, {.components = 3});
  Tensor huge = Tensor::empty({40, 8});
  for (int64_t e = 0; e < huge.numel(); e++) huge.data<float>()[e] = rng.below(2) ? 3e38f : -3e38f;
  const Tensor scores = transform(pca, huge), exact = transform(pca, huge.to(DType::f64));
  for (int64_t e = 0; e < scores.numel(); e++) {
    if (std::abs(exact.data<double>()[e]) >= 3.4e38) continue;
    EXPECT_NEAR(scores.data<float>()[e], exact.data<double>()[e], 1e33);
  }
}

// Above kManyProducts: threads share the product, or take rows where columns are few; and squares
// that f32 cannot hold.
TEST(Pca, ManyProductsAtAnyThreadCountAndMagnitude) {
  for (auto [n, d] : {std::pair<int64_t, int64_t>{3100, 820}, {23000, 300}}) {
    Random rng(7);
    const Tensor x = randn({n, d}, rng);
    auto components = [&] { return fit_pca(x, {.components = 2}).components.to_vector<double>(); };
    expect_same_at_any_thread_count(components);
    const std::vector<double> first = components();
    for (float size : {0x1p-80f, 0x1p70f}) {
      Tensor scaled = x.clone();
      for (int64_t e = 0; e < n * d; e++) scaled.data<float>()[e] *= size;
      const Pca pca = fit_pca(scaled, {.components = 2});
      expect_close(pca.components, Tensor::from(first, {2, d}), 1e-5);
    }
  }
}

TEST(Pca, AFewComponentsAreTheFirstOfAll) {  // by the block method and by all eigenvectors
  const Tensor x = mixed(700, 300, DType::f64);
  const Pca all = fit_pca(x), few = fit_pca(x, {.components = 20});
  expect_close(few.components, all.components.slice(0, 0, 20), 1e-6);
  expect_close(few.explained_variance, all.explained_variance.slice(0, 0, 20), 1e-9);
  expect_close(few.variance_ratio, all.variance_ratio.slice(0, 0, 20), 1e-9);
}

TEST(Pca, ManySinglePrecisionRowsGiveTheSame) {  // above kManyProducts
  const int64_t n = 24'000, d = 300;
  Random rng(3);
  Tensor x = randn({n, d}, rng);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      x.data<float>()[i * d + j] = x.data<float>()[i * d + j] * float(d - j) / 100 + 50;
  const Pca fast = fit_pca(x, {.components = 5}),
            exact = fit_pca(x.to(DType::f64), {.components = 5});
  expect_close(fast.components, exact.components, 1e-5);
  expect_close(fast.explained_variance, exact.explained_variance, 1e-6);
}

TEST(Pca, RandomizedIsNearExact) {
  for (Shape shape : {Shape{700, 300}, Shape{200, 300}}) {
    const Tensor x = mixed(shape[0], shape[1], DType::f32);
    const Pca exact = fit_pca(x, {.components = 8});
    const Pca random = fit_pca(x, {.components = 8, .solver = PcaSolver::randomized});
    expect_close(random.explained_variance, exact.explained_variance, 1e-3);
    expect_close(random.variance_ratio, exact.variance_ratio, 1e-3);
    double kept = 0, possible = 0;
    for (double v : random.variance_ratio.to_vector<double>()) kept += v;
    for (double v : exact.variance_ratio.to_vector<double>()) possible += v;
    EXPECT_NEAR(kept, possible, 1e-4);
  }
}

TEST(IncrementalPca, IsThatOfAllRows) {
  const Tensor x = golden("pca_tall_x");
  IncrementalPca parts;
  for (int64_t i = 0; i < x.size(0); i += 7) parts.add(x.slice(0, i, std::min(i + 7, x.size(0))));
  EXPECT_EQ(parts.rows(), x.size(0));
  const Pca got = parts.fit({.components = 5, .whiten = true});
  expect_close(got.components, golden("pca_tall_components"), 1e-9);
  expect_close(got.explained_variance, golden("pca_tall_variance"), 1e-9);
  expect_close(transform(got, x), golden("pca_tall_whitened"), 1e-9);
  expect_error("as before", [&] { parts.add(Tensor::zeros({3, 2})); });
  expect_error("at least 2 rows", [] { IncrementalPca().fit(); });
}

TEST(Pca, RefusesBadInput) {
  Random rng(1);
  Tensor huge = randn({9, 4}, rng, DType::f64);
  for (int64_t e = 0; e < huge.numel(); e++) huge.data<double>()[e] *= 1e200;
  expect_error("values whose squares add up within f64; got an overflow",
               [&] { fit_pca(huge, {.components = 2}); });
  Tensor x = Tensor::zeros({5, 3});
  expect_error("1 to min(n - 1, d) = 3 components, or 0 for all; got 4",
               [&] { fit_pca(x, {.components = 4}); });
  expect_error("at least 2 rows", [&] { fit_pca(x.slice(0, 0, 1)); });
  expect_error("got f32 [5]", [&] { fit_pca(x.select(1, 0)); });
  Pca pca = fit_pca(x, {.components = 2});
  expect_error("x (n, 3)", [&] { transform(pca, Tensor::zeros({2, 4})); });
  expect_error("z (n, 2)", [&] { inverse_transform(pca, x); });
  x.data<float>()[4] = std::nanf("");
  expect_error("NaN in row 1, column 1", [&] { fit_pca(x); });
  expect_error("NaN in row 1, column 1", [&] { transform(pca, x); });
}

}  // namespace clade::cluster

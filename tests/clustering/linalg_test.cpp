// The eigensolver against Jacobi's method and its own definition; Cholesky against its definition.
#include <gtest/gtest.h>

#include "clustering/linalg/cholesky.h"
#include "clustering/linalg/eigen.h"
#include "clustering/linalg/matrix.h"
#include "clustering/linalg/scatter.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor random_symmetric(int64_t d, uint64_t seed) {
  Random rng(seed);
  Tensor a = randn({d, d}, rng, DType::f64);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < i; j++) a.data<double>()[i * d + j] = a.data<double>()[j * d + i];
  return a;
}

// Jacobi's method (Golub & Van Loan, section 8.5): rotate every off-diagonal pair to zero, again
// and again. Slow, and as accurate as an eigensolver gets. Eigenvalues, descending.
std::vector<double> jacobi_eigenvalues(const Tensor& matrix) {
  int64_t d = matrix.size(0);
  std::vector<double> a = matrix.to_vector<double>();
  auto at = [&](int64_t i, int64_t j) -> double& { return a[size_t(i * d + j)]; };
  for (int sweep = 0; sweep < 30; sweep++)
    for (int64_t p = 0; p < d; p++)
      for (int64_t q = p + 1; q < d; q++) {
        if (at(p, q) == 0) continue;
        double tau = (at(q, q) - at(p, p)) / (2 * at(p, q));
        double t = (tau >= 0 ? 1 : -1) / (std::abs(tau) + std::sqrt(1 + tau * tau));
        double c = 1 / std::sqrt(1 + t * t), s = t * c;
        for (int64_t k = 0; k < d; k++) {
          double kp = at(k, p), kq = at(k, q);
          at(k, p) = c * kp - s * kq, at(k, q) = s * kp + c * kq;
        }
        for (int64_t k = 0; k < d; k++) {
          double pk = at(p, k), qk = at(q, k);
          at(p, k) = c * pk - s * qk, at(q, k) = s * pk + c * qk;
        }
      }
  std::vector<double> values;
  for (int64_t i = 0; i < d; i++) values.push_back(at(i, i));
  std::sort(values.rbegin(), values.rend());
  return values;
}

// V V' = I and A v = lambda v, to `tolerance` times the largest |lambda|.
void expect_eigen(const Tensor& a, const SymmetricEigen& e, double tolerance) {
  int64_t d = a.size(0);
  std::vector<double> m = a.to_vector<double>(), v = e.vectors.to_vector<double>();
  double norm = std::max({1e-300, std::abs(e.values.front()), std::abs(e.values.back())});
  for (int64_t r = 0; r < d; r++) {
    for (int64_t q = 0; q < d; q++) {
      double product = 0;
      for (int64_t j = 0; j < d; j++) product += v[size_t(r * d + j)] * v[size_t(q * d + j)];
      ASSERT_NEAR(product, r == q, tolerance);
    }
    for (int64_t i = 0; i < d; i++) {
      double image = 0;
      for (int64_t j = 0; j < d; j++) image += m[size_t(i * d + j)] * v[size_t(r * d + j)];
      ASSERT_NEAR(image / norm, e.values[size_t(r)] * v[size_t(r * d + i)] / norm, tolerance);
    }
  }
}

}  // namespace

TEST(SymmetricEigen, EqualsJacobi) {
  for (int64_t d : {1, 2, 3, 5, 16, 67}) {
    Tensor a = random_symmetric(d, uint64_t(d));
    SymmetricEigen e = symmetric_eigen(a);
    std::vector<double> want = jacobi_eigenvalues(a);
    for (size_t i = 0; i < want.size(); i++) EXPECT_NEAR(e.values[i], want[i], 1e-12);
    expect_eigen(a, e, 1e-13 * double(d + 10));
  }
}

TEST(SymmetricEigen, SpecialMatrices) {
  Tensor diagonal = Tensor::zeros({4, 4}, DType::f64);
  for (int64_t i = 0; i < 4; i++) diagonal.data<double>()[i * 5] = double(i * i);
  EXPECT_EQ(symmetric_eigen(diagonal).values, (std::vector<double>{9, 4, 1, 0}));
  EXPECT_EQ(symmetric_eigen(Tensor::zeros({3, 3}, DType::f64)).values,
            (std::vector<double>{0, 0, 0}));
  Tensor ones = Tensor::full({50, 50}, 1, DType::f64);  // rank 1
  SymmetricEigen e = symmetric_eigen(ones);
  EXPECT_NEAR(e.values[0], 50, 1e-12);
  EXPECT_NEAR(e.values[1], 0, 1e-12);
  expect_eigen(ones, e, 1e-13);
  for (double scale : {1e-140, 1e140}) {
    Tensor a = random_symmetric(20, 3);
    for (int64_t i = 0; i < 400; i++) a.data<double>()[i] *= scale;
    expect_eigen(a, symmetric_eigen(a), 1e-13);
  }
  // Wilkinson's W21+: pairs of eigenvalues that agree to 14 digits.
  Tensor w = Tensor::zeros({21, 21}, DType::f64);
  for (int64_t i = 0; i < 21; i++) {
    w.data<double>()[i * 22] = double(std::abs(i - 10));
    if (i > 0) w.data<double>()[i * 22 - 1] = w.data<double>()[i * 22 - 21] = 1;
  }
  expect_eigen(w, symmetric_eigen(w), 1e-13);
  EXPECT_NEAR(symmetric_eigen(w).values[0], 10.746194182903393, 1e-12);
}

TEST(SymmetricEigen, InputIsKeptAndChecked) {
  Tensor a = random_symmetric(6, 9), copy = a.clone();
  symmetric_eigen(a);
  expect_same(a, copy);
  expect_error("a square matrix", [] { symmetric_eigen(Tensor::zeros({2, 3}, DType::f64)); });
}

TEST(SymmetricEigen, SameBitsAtAnyThreadCount) {
  Tensor a = random_symmetric(530, 8);  // large enough that every loop is cut
  expect_same_at_any_thread_count([&] { return symmetric_eigen(a).vectors.to_vector<double>(); });
}

TEST(Cholesky, FactorAndInverse) {
  constexpr int64_t d = 9;
  Random rng(2);
  std::vector<double> b = randn({d, d}, rng, DType::f64).to_vector<double>(), a(d * d, 0.0);
  for (size_t i = 0; i < d; i++)
    for (size_t j = 0; j < d; j++)
      for (size_t l = 0; l < d; l++) a[i * d + j] += b[i * d + l] * b[j * d + l];
  std::vector<double> factor = a;
  ASSERT_TRUE(cholesky(factor.data(), d));
  std::vector<double> inverse = factor;
  invert_lower(inverse.data(), d);
  for (size_t i = 0; i < d; i++)
    for (size_t j = 0; j < d; j++) {
      double square = 0, identity = 0;
      for (size_t l = 0; l < d; l++) {
        square += factor[i * d + l] * factor[j * d + l];
        identity += factor[i * d + l] * inverse[l * d + j];
      }
      EXPECT_NEAR(square, a[i * d + j], 1e-12);
      EXPECT_NEAR(identity, i == j, 1e-11);
    }
  std::vector<double> indefinite = {1, 2, 2, 1};
  EXPECT_FALSE(cholesky(indefinite.data(), 2));
  std::vector<double> nan = {std::nan("")};
  EXPECT_FALSE(cholesky(nan.data(), 1));
}

TEST(Scatter, EqualsItsDefinition) {
  Random rng(5);
  Tensor x = randn({1000, 3}, rng), w = rand({1000, 2}, rng, DType::f64);
  std::vector<double> mean = {0.1, -0.2, 0.3}, got(9), v = x.to_vector<double>();
  scatter_matrix(x, mean.data(), w.data<double>() + 1, 2, got.data());
  for (size_t a = 0; a < 3; a++)
    for (size_t b = 0; b < 3; b++) {
      double want = 0;
      for (size_t i = 0; i < 1000; i++)
        want += w.at({int64_t(i), 1}) * (v[i * 3 + a] - mean[a]) * (v[i * 3 + b] - mean[b]);
      EXPECT_NEAR(got[a * 3 + b], want, 1e-10);
    }
}

}  // namespace clade::cluster

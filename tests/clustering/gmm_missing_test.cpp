#include <gtest/gtest.h>

#include <limits>

#include "clustering/linalg/cholesky.h"
#include "clustering/metrics/accuracy.h"
#include "clustering/mixture/missing.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Covariance kKinds[] = {Covariance::full, Covariance::diagonal, Covariance::spherical,
                                 Covariance::tied};

// Correlated blobs of which a share of the values is missing.
Tensor holed(int64_t n, int64_t d, int64_t k, double share, uint64_t seed,
             DType dtype = DType::f64) {
  Random rng(seed);
  const Tensor centres = randn({k, d}, rng, DType::f64), mix = randn({d, d}, rng, DType::f64);
  Tensor x = Tensor::empty({n, d}, DType::f64);
  for (int64_t i = 0; i < n; i++) {
    std::vector<double> z;
    for (int64_t j = 0; j < d; j++) z.push_back(rng.normal());
    for (int64_t j = 0; j < d; j++) {
      double v = 5 * centres.at({i % k, j}) + 20;
      for (int64_t l = 0; l < d; l++) v += mix.at({j, l}) * z[size_t(l)];
      x.data<double>()[i * d + j] = rng.uniform() < share ? kNan : v;
    }
  }
  return x.to(dtype);
}

GmmOptions options(int64_t k, Covariance kind, int max_iter = 100) {
  GmmOptions o;
  o.k = k;
  o.covariance = kind;
  o.max_iter = max_iter;
  return o;
}

// A start that both programs can be given.
GmmStart start_for(const Tensor& x, int64_t k, Covariance kind) {
  const int64_t d = x.size(1);
  Random rng(5);
  GmmStart s;
  s.weights = Tensor::full({k}, 1.0 / double(k), DType::f64);
  s.means = Tensor::empty({k, d}, DType::f64);
  for (int64_t e = 0; e < k * d; e++) s.means.data<double>()[e] = 20 + 4 * rng.normal();
  const Shape shapes[] = {{k, d, d}, {k, d}, {k}, {d, d}};
  s.covariances = Tensor::zeros(shapes[size_t(kind)], DType::f64);
  const bool matrix = kind == Covariance::full || kind == Covariance::tied;
  for (int64_t e = 0; e < s.covariances.numel(); e++)
    if (!matrix || e % (d * d) % (d + 1) == 0) s.covariances.data<double>()[e] = 9;
  return s;
}

// One step of EM with full covariances, row by row, by the formulas: S_oo is inverted, the gain and
// the conditional covariance are written down as they stand in missing.h.
struct Plain {
  std::vector<double> weights, means, covariances;  // (k), (k, d), (k, d, d)
  double bound = 0;
};
Plain plain_step(const Tensor& x, const GmmStart& s, double reg) {
  const int64_t n = x.size(0), d = x.size(1), k = s.means.size(0);
  std::vector<double> counts(static_cast<size_t>(k)), r(size_t(n * k)), hat(size_t(n * k * d));
  std::vector<double> rest(size_t(n * k * d * d));
  Plain out;
  for (int64_t i = 0; i < n; i++) {
    std::vector<int64_t> o, m;
    for (int64_t j = 0; j < d; j++) (std::isnan(x.at({i, j})) ? m : o).push_back(j);
    const int64_t a = int64_t(o.size());
    double total = 0;
    for (int64_t c = 0; c < k; c++) {
      auto cov = [&](int64_t p, int64_t q) { return s.covariances.at({c, p, q}); };
      std::vector<double> l(size_t(a * a));
      for (int64_t p = 0; p < a; p++)
        for (int64_t q = 0; q < a; q++) l[size_t(p * a + q)] = cov(o[size_t(p)], o[size_t(q)]);
      cholesky(l.data(), a);
      double density = s.weights.at({c});
      for (int64_t p = 0; p < a; p++)
        density /= l[size_t(p * a + p)] * std::sqrt(2 * 3.14159265358979323846);
      invert_lower(l.data(), a);
      std::vector<double> inverse(size_t(a * a)), z(static_cast<size_t>(a));
      for (int64_t p = 0; p < a; p++) {
        z[size_t(p)] = x.at({i, o[size_t(p)]}) - s.means.at({c, o[size_t(p)]});
        for (int64_t q = 0; q < a; q++)
          for (int64_t t = 0; t < a; t++)
            inverse[size_t(p * a + q)] += l[size_t(t * a + p)] * l[size_t(t * a + q)];
      }
      double squared = 0;
      for (int64_t p = 0; p < a; p++)
        for (int64_t q = 0; q < a; q++)
          squared += z[size_t(p)] * inverse[size_t(p * a + q)] * z[size_t(q)];
      r[size_t(i * k + c)] = density * std::exp(-squared / 2);
      total += r[size_t(i * k + c)];
      double* h = hat.data() + (i * k + c) * d;
      for (int64_t j : o) h[j] = x.at({i, j});
      for (int64_t j : m) {
        h[j] = s.means.at({c, j});
        for (int64_t p = 0; p < a; p++)
          for (int64_t q = 0; q < a; q++)
            h[j] += cov(j, o[size_t(p)]) * inverse[size_t(p * a + q)] * z[size_t(q)];
        for (int64_t j2 : m) {
          double v = cov(j, j2);
          for (int64_t p = 0; p < a; p++)
            for (int64_t q = 0; q < a; q++)
              v -= cov(j, o[size_t(p)]) * inverse[size_t(p * a + q)] * cov(o[size_t(q)], j2);
          rest[size_t(((i * k + c) * d + j) * d + j2)] = v;
        }
      }
    }
    out.bound += std::log(total) / double(n);
    for (int64_t c = 0; c < k; c++) counts[size_t(c)] += r[size_t(i * k + c)] /= total;
  }
  out.means.resize(size_t(k * d)), out.covariances.resize(size_t(k * d * d));
  for (int64_t c = 0; c < k; c++) {
    out.weights.push_back(counts[size_t(c)] / double(n));
    double* mean = out.means.data() + c * d;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < d; j++)
        mean[j] += r[size_t(i * k + c)] * hat[size_t((i * k + c) * d + j)] / counts[size_t(c)];
    for (int64_t j = 0; j < d; j++)
      for (int64_t l = 0; l < d; l++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
          const double* h = hat.data() + (i * k + c) * d;
          sum += r[size_t(i * k + c)] * ((h[j] - mean[j]) * (h[l] - mean[l]) +
                                         rest[size_t(((i * k + c) * d + j) * d + l)]);
        }
        out.covariances[size_t((c * d + j) * d + l)] = sum / counts[size_t(c)] + (j == l ? reg : 0);
      }
  }
  return out;
}

}  // namespace

TEST(GmmWithHoles, StepEqualsTheFormulas) {
  const Tensor x = holed(60, 4, 2, 0.35, 1);
  GmmOptions o = options(2, Covariance::full, 1);
  o.start = start_for(x, 2, Covariance::full);
  const Gmm gmm = fit_gmm_with_holes(x, o);
  const Plain want = plain_step(x, o.start, o.reg_covar);
  EXPECT_NEAR(gmm.lower_bounds[0], want.bound, 1e-10);
  expect_close(gmm.weights, Tensor::from(want.weights, {2}), 1e-10);
  expect_close(gmm.means, Tensor::from(want.means, {2, 4}), 1e-10);
  expect_close(gmm.covariances, Tensor::from(want.covariances, {2, 4, 4}), 1e-9);
}

// Columns that are apart take another way; the formulas are the same, of diagonal matrices.
TEST(GmmWithHoles, StepOfColumnsApartEqualsTheFormulas) {
  const int64_t d = 19, k = 3;
  const Tensor x = holed(80, d, k, 0.3, 6);
  for (Covariance kind : {Covariance::diagonal, Covariance::spherical}) {
    GmmOptions o = options(k, kind, 1);
    o.start = start_for(x, k, kind);
    GmmStart whole = start_for(x, k, Covariance::full);
    for (int64_t c = 0; c < k; c++)
      for (int64_t j = 0; j < d; j++) {
        double& variance =
            o.start.covariances.data<double>()[kind == Covariance::diagonal ? c * d + j : c];
        variance = kind == Covariance::diagonal ? 5 + double((c * d + j) % 7) : 6 + double(c);
        whole.covariances.data<double>()[(c * d + j) * d + j] = variance;
      }
    const Gmm gmm = fit_gmm_with_holes(x, o);
    const Plain want = plain_step(x, whole, o.reg_covar);
    EXPECT_NEAR(gmm.lower_bounds[0], want.bound, 1e-10);
    expect_close(gmm.weights, Tensor::from(want.weights, {k}), 1e-10);
    expect_close(gmm.means, Tensor::from(want.means, {k, d}), 1e-10);
    for (int64_t c = 0; c < k; c++) {
      double mean = 0;
      for (int64_t j = 0; j < d; j++) {
        const double variance = want.covariances[size_t((c * d + j) * d + j)];
        mean += variance / double(d);
        if (kind == Covariance::diagonal) {
          EXPECT_NEAR(gmm.covariances.at({c, j}), variance, 1e-9);
        }
      }
      if (kind == Covariance::spherical) {
        EXPECT_NEAR(gmm.covariances.at({c}), mean, 1e-9);
      }
    }
  }
}

// 300 rows, all of which lack other columns: no matter where a hole is but a term.
TEST(GmmWithHoles, WideRowsOfDiagonalComponents) {
  const Tensor x = holed(300, 400, 2, 0.2, 8, DType::f32);
  GmmOptions o = options(2, Covariance::diagonal);
  o.reg_covar = 1e-3;
  const Gmm gmm = fit_gmm_with_holes(x, o);
  for (size_t i = 1; i < gmm.lower_bounds.size(); i++)
    EXPECT_GE(gmm.lower_bounds[i], gmm.lower_bounds[i - 1] - 1e-6);
  std::vector<int32_t> truth;
  for (int32_t i = 0; i < 300; i++) truth.push_back(i % 2);
  EXPECT_EQ(accuracy(Tensor::from(truth, {300}), predict_with_holes(gmm, x)), 1);
}

TEST(GmmWithHoles, WithoutHolesIsThePlainFit) {
  const Tensor x = holed(400, 4, 3, 0, 2);
  for (Covariance kind : kKinds) {
    GmmOptions o = options(3, kind, 15);
    o.tol = 0;
    o.start = start_for(x, 3, kind);
    const Gmm a = fit_gmm(x, o), b = fit_gmm_with_holes(x, o);
    for (size_t t = 0; t < a.lower_bounds.size(); t++)
      ASSERT_NEAR(a.lower_bounds[t], b.lower_bounds[t], 1e-9) << int(kind);
    expect_close(b.means, a.means, 1e-7);
    expect_close(b.covariances, a.covariances, 1e-7);
    expect_close(predict_proba_with_holes(a, x), predict_proba(a, x), 1e-9);
    expect_close(log_likelihood_with_holes(a, x), log_likelihood(a, x), 1e-9);
  }
}

TEST(GmmWithHoles, LikelihoodNeverFalls) {
  for (Covariance kind : kKinds)
    for (uint64_t seed = 1; seed <= 3; seed++) {
      GmmOptions o = options(4, kind, 30);
      o.tol = 0;
      o.reg_covar = 1e-9;
      o.seed = seed;
      const Gmm gmm = fit_gmm_with_holes(holed(300, 5, 3, 0.3, seed), o);
      for (size_t t = 1; t < gmm.lower_bounds.size(); t++)
        EXPECT_GE(gmm.lower_bounds[t], gmm.lower_bounds[t - 1] - 1e-7) << int(kind);
    }
}

TEST(GmmWithHoles, FillsByExpectation) {
  // Two columns that are nearly the same: a hole is what stands beside it.
  Random rng(3);
  Tensor x = Tensor::empty({800, 2}, DType::f32);
  for (int64_t i = 0; i < 800; i++) {
    const double v = rng.normal();
    x.data<float>()[2 * i] = float(v), x.data<float>()[2 * i + 1] = float(v + 0.01 * rng.normal());
  }
  const Tensor whole = x.clone();
  for (int64_t i = 0; i < 800; i += 4) x.data<float>()[2 * i + i / 4 % 2] = float(kNan);
  GmmOptions o = options(1, Covariance::full);
  o.tol = 1e-9;
  const Gmm gmm = fit_gmm_with_holes(x, o);
  const Tensor filled = fill_holes(gmm, x);
  for (int64_t e = 0; e < 1600; e++)
    ASSERT_NEAR(filled.data<float>()[e], whole.data<float>()[e], 0.06);
}

TEST(GmmWithHoles, ARowOfHolesHasTheWeights) {
  Tensor x = holed(200, 3, 2, 0.2, 4);
  for (int64_t j = 0; j < 3; j++) x.data<double>()[7 * 3 + j] = kNan;
  const Gmm gmm = fit_gmm_with_holes(x, options(2, Covariance::full));
  const Tensor r = predict_proba_with_holes(gmm, x);
  for (int64_t c = 0; c < 2; c++) EXPECT_NEAR(r.at({7, c}), gmm.weights.at({c}), 1e-12);
  EXPECT_EQ(log_likelihood_with_holes(gmm, x).at({7}), 0);
}

TEST(GmmWithHoles, SameBitsAtAnyThreadCount) {
  const Tensor x = holed(500, 4, 3, 0.3, 6, DType::f32);
  for (Covariance kind : kKinds)
    expect_same_at_any_thread_count([&] {
      const Gmm gmm = fit_gmm_with_holes(x, options(3, kind, 4));
      std::vector<double> out = predict_proba_with_holes(gmm, x).to_vector<double>();
      for (double v : gmm.covariances.to_vector<double>()) out.push_back(v);
      return out;
    });
}

TEST(GmmWithHoles, RefusesBadInput) {
  Tensor x = holed(10, 2, 2, 0, 7);
  expect_error("1 <= k <= n = 10", [&] { fit_gmm_with_holes(x, options(11, kKinds[0])); });
  GmmOptions o = options(2, Covariance::full);
  o.start = start_for(x, 2, Covariance::full);
  o.start.weights = Tensor::full({2}, 0.4);
  expect_error("start.weights of sum 1; got 0.8", [&] { fit_gmm_with_holes(x, o); });
  o.start.covariances = Tensor::zeros({2, 2});
  expect_error("start.covariances [2, 2, 2]", [&] { fit_gmm(x, o); });
  const Gmm gmm = fit_gmm(x, options(1, Covariance::full));
  expect_error("x (n, 2)", [&] { predict_with_holes(gmm, Tensor::zeros({2, 3})); });
  for (int64_t i = 0; i < 10; i++) x.data<double>()[2 * i] = kNan;
  expect_error("nothing but NaN in column 0",
               [&] { fit_gmm_with_holes(x, options(2, kKinds[0])); });
}

}  // namespace clade::cluster

#include "clustering/mixture/gmm.h"

#include <gtest/gtest.h>

#include "clustering/metrics/accuracy.h"
#include "clustering/mixture/maximization.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"
#include "tests/support/every_set.h"

namespace clade::cluster {
namespace {

struct Kind {
  const char* name;
  Covariance covariance;
};
constexpr Kind kKinds[] = {{"full", Covariance::full},
                           {"diag", Covariance::diagonal},
                           {"spherical", Covariance::spherical},
                           {"tied", Covariance::tied}};

Tensor normal(int64_t n, int64_t d, uint64_t seed, DType dtype = DType::f32) {
  Random rng(seed);
  return randn({n, d}, rng, dtype);
}

GmmOptions options(int64_t k, Covariance covariance = Covariance::full) {
  GmmOptions o;
  o.k = k;
  o.covariance = covariance;
  return o;
}

// Two crossed, elongated clusters, which k-means cuts wrongly and a full covariance tells apart.
Tensor cross(int64_t n, double offset = 0) {
  Tensor x = normal(n, 2, 40);
  for (int64_t i = 0; i < n; i++) {
    float* row = x.data<float>() + 2 * i;
    row[i % 2] *= 10;
    for (int j = 0; j < 2; j++) row[j] += float(offset);
  }
  return x;
}

}  // namespace

class GmmGolden : public ::testing::TestWithParam<Kind> {};

TEST_P(GmmGolden, EqualsScikitLearnFromGivenResponsibilities) {
  std::string name = text("gmm_", GetParam().name);
  GmmOptions o = options(3, GetParam().covariance);
  o.responsibilities = golden("gmm_start");
  Tensor x = golden("gmm_x");
  Gmm gmm = fit_gmm(x, o);
  expect_close(gmm.weights, golden(name + "_weights"), 1e-8);
  expect_close(gmm.means, golden(name + "_means"), 1e-8);
  expect_close(gmm.covariances, golden(name + "_covariances"), 1e-8);
  Tensor bounds = golden(name + "_bounds");
  ASSERT_EQ(int64_t(gmm.lower_bounds.size()), bounds.numel());
  for (size_t i = 0; i < gmm.lower_bounds.size(); i++)
    EXPECT_NEAR(gmm.lower_bounds[i], bounds.data<double>()[i], 1e-8);
  EXPECT_EQ(gmm.iterations, int(bounds.numel()));
  EXPECT_TRUE(gmm.converged);
  expect_same(predict(gmm, x), golden(name + "_labels"));
  expect_close(log_likelihood(gmm, x), golden(name + "_likelihood"), 1e-8);
  expect_close(Tensor::from({aic(gmm, x), bic(gmm, x)}, {2}), golden(name + "_criteria"), 1e-8);

  Gmm single = fit_gmm(x.to(DType::f32), o);
  expect_close(single.means, golden(name + "_means"), 1e-5);
  expect_close(single.covariances, golden(name + "_covariances"), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Goldens, GmmGolden, ::testing::ValuesIn(kKinds));

TEST(Gmm, LikelihoodNeverFalls) {
  Tensor x = normal(400, 3, 1);
  for (const Kind& kind : kKinds) {
    GmmOptions o = options(5, kind.covariance);
    o.tol = 0;
    o.max_iter = 30;
    Gmm gmm = fit_gmm(x, o);
    for (size_t i = 1; i < gmm.lower_bounds.size(); i++)
      EXPECT_GE(gmm.lower_bounds[i], gmm.lower_bounds[i - 1] - 1e-6) << kind.name;  // reg_covar
  }
}

TEST(Gmm, TellsCrossedClustersApart) {
  for (double offset : {0.0, 30000.0}) {  // f32 has 11 bits left behind the point at 30,000
    Tensor x = cross(2000, offset);
    std::vector<int32_t> truth;
    for (int i = 0; i < 2000; i++) truth.push_back(i % 2);
    GmmOptions o = options(2);
    o.tol = 1e-6;
    o.max_iter = 500;
    Gmm gmm = fit_gmm(x, o);
    EXPECT_GT(accuracy(Tensor::from(truth, {2000}), predict(gmm, x)), 0.9);
  }
}

TEST(Gmm, ProbabilitiesSumToOneFarFromEveryComponent) {
  Gmm gmm = fit_gmm(cross(500), options(2));
  Tensor p = predict_proba(gmm, Tensor::from({0.f, 0.f, 1e6f, -1e6f, 1e15f, 1e15f}, {3, 2}));
  for (int64_t i = 0; i < 3; i++) EXPECT_NEAR(p.at({i, 0}) + p.at({i, 1}), 1, 1e-12);
}

// Components far apart: most terms are skipped, and the densities are still those of the formula.
TEST(Gmm, SkippedTermsChangeNothing) {
  for (const Kind& kind : kKinds) {
    Random rng(11);
    const int64_t n = 500, d = 37, k = 6;  // neither 16 nor 4 divides d
    Tensor x = randn({n, d}, rng, DType::f64);
    for (int64_t i = 0; i < n; i++) x.data<double>()[i * d + i % k] += 15;
    const Gmm gmm = fit_gmm(x, options(k, kind.covariance));
    const Tensor log_p = log_likelihood(gmm, x), r = predict_proba(gmm, x);
    const bool matrix = kind.covariance == Covariance::full || kind.covariance == Covariance::tied;
    for (int64_t i = 0; i < n; i += 7) {
      std::vector<double> term;
      for (int64_t c = 0; c < k; c++) {
        std::vector<double> l(size_t(d * d), 0.0), z(static_cast<size_t>(d));
        const double* s = gmm.covariances.data<double>();
        for (int64_t e = 0; e < d * d; e++) {
          const int64_t j = e / d, at = kind.covariance == Covariance::full ? c * d * d + e : e;
          if (matrix)
            l[size_t(e)] = s[at];
          else if (e % d == j)
            l[size_t(e)] = kind.covariance == Covariance::diagonal ? s[c * d + j] : s[c];
        }
        for (int64_t j = 0; j < d; j++) {  // Cholesky and forward substitution
          for (int64_t q = 0; q <= j; q++) {
            double sum = l[size_t(j * d + q)];
            for (int64_t t = 0; t < q; t++) sum -= l[size_t(j * d + t)] * l[size_t(q * d + t)];
            l[size_t(j * d + q)] = q < j ? sum / l[size_t(q * d + q)] : std::sqrt(sum);
          }
        }
        double log_term = std::log(gmm.weights.at({c}));
        for (int64_t j = 0; j < d; j++) {
          double sum = x.at({i, j}) - gmm.means.at({c, j});
          for (int64_t q = 0; q < j; q++) sum -= l[size_t(j * d + q)] * z[size_t(q)];
          z[size_t(j)] = sum / l[size_t(j * d + j)];
          log_term -= 0.5 * z[size_t(j)] * z[size_t(j)] + std::log(l[size_t(j * d + j)]) +
                      0.5 * std::log(2 * 3.14159265358979323846);
        }
        term.push_back(log_term);
      }
      const double most = *std::max_element(term.begin(), term.end());
      double sum = 0;
      for (double t : term) sum += std::exp(t - most);
      ASSERT_NEAR(log_p.at({i}), most + std::log(sum), 1e-9) << kind.name;
      for (int64_t c = 0; c < k; c++)
        ASSERT_NEAR(r.at({i, c}), std::exp(term[size_t(c)] - most) / sum, 1e-9) << kind.name;
    }
  }
}

TEST(Gmm, GoesOnWhereItEnded) {
  const Tensor x = normal(600, 3, 12);
  for (const Kind& kind : kKinds) {
    GmmOptions o = options(4, kind.covariance);
    o.tol = 0;
    o.max_iter = 9;
    const Gmm whole = fit_gmm(x, o);
    o.max_iter = 5;
    const Gmm half = fit_gmm(x, o);
    o.start = half;
    o.max_iter = 4;
    const Gmm rest = fit_gmm(x, o);
    expect_same(rest.means, whole.means);
    expect_same(rest.covariances, whole.covariances);
  }
}

TEST(Gmm, OtherStarts) {
  const Tensor x = cross(1000);
  for (auto init : {GmmOptions::Init::random, GmmOptions::Init::rows}) {
    GmmOptions o = options(2);
    o.init = init;
    o.tol = 1e-7;
    o.max_iter = 1000;
    o.n_init = 3;
    EXPECT_NEAR(fit_gmm(x, o).lower_bounds.back(), fit_gmm(x, options(2)).lower_bounds.back(), 0.1);
  }
}

TEST(Gmm, SamplesHaveTheMomentsOfTheMixture) {
  for (const Kind& kind : kKinds) {
    const Gmm gmm = fit_gmm(cross(1500, 5), options(2, kind.covariance));
    const GmmSample s = sample(gmm, 20000, 3);
    for (int64_t c = 0; c < 2; c++) {
      double count = 0, mean[2] = {}, square[2] = {};
      for (int64_t i = 0; i < 20000; i++) {
        if (s.labels.data<int32_t>()[i] != c) continue;
        count++;
        for (int64_t j = 0; j < 2; j++)
          mean[j] += s.x.at({i, j}), square[j] += std::pow(s.x.at({i, j}), 2);
      }
      EXPECT_NEAR(count / 20000, gmm.weights.at({c}), 0.02);
      for (int64_t j = 0; j < 2; j++) {
        const double* v = gmm.covariances.data<double>();
        const double want = kind.covariance == Covariance::full       ? v[c * 4 + 3 * j]
                            : kind.covariance == Covariance::tied     ? v[3 * j]
                            : kind.covariance == Covariance::diagonal ? v[2 * c + j]
                                                                      : v[c];
        EXPECT_NEAR(mean[j] / count, gmm.means.at({c, j}), 0.3);
        EXPECT_NEAR(square[j] / count - std::pow(mean[j] / count, 2), want, 0.06 * want + 0.05);
      }
    }
    expect_same_at_any_thread_count([&] { return sample(gmm, 999, 4).x.to_vector<double>(); });
  }
}

TEST(Gmm, MoreStartsAreNeverWorse) {
  Tensor x = normal(300, 2, 3);
  GmmOptions o = options(6);
  double one = fit_gmm(x, o).lower_bounds.back();
  o.n_init = 6;
  EXPECT_GE(fit_gmm(x, o).lower_bounds.back(), one);
}

TEST(Gmm, DegenerateData) {
  for (const Kind& kind : kKinds) {
    Tensor same = Tensor::full({12, 3}, 0.7);  // duplicates only: reg_covar is all the variance
    Gmm gmm = fit_gmm(same, options(2, kind.covariance));
    for (double v : log_likelihood(gmm, same).to_vector<double>()) EXPECT_TRUE(std::isfinite(v));
    Tensor constant = normal(50, 3, 4);  // one constant column
    for (int64_t i = 0; i < 50; i++) constant.data<float>()[i * 3 + 1] = 2;
    EXPECT_TRUE(std::isfinite(fit_gmm(constant, options(3, kind.covariance)).lower_bounds.back()));
    Tensor few = normal(4, 3, 5);  // a component for each point
    EXPECT_TRUE(std::isfinite(fit_gmm(few, options(4, kind.covariance)).lower_bounds.back()));
  }
  GmmOptions o = options(1, Covariance::diagonal);
  o.reg_covar = 0;
  expect_error("singular one in component 0; raise reg_covar", [&] {
    fit_gmm(Tensor::zeros({5, 2}), o);
  });
}

TEST(Gmm, NearlySingularCovarianceGetsAJitter) {
  Tensor x = normal(40, 3, 6, DType::f64);
  for (int64_t i = 0; i < 40; i++)  // the third column is the sum of the others
    x.data<double>()[i * 3 + 2] = x.data<double>()[i * 3] + x.data<double>()[i * 3 + 1];
  GmmOptions o = options(2);
  o.reg_covar = 0;
  Gmm gmm = fit_gmm(x, o);
  for (double v : log_likelihood(gmm, x).to_vector<double>()) EXPECT_TRUE(std::isfinite(v));
}

TEST(Gmm, SameBitsAtAnyThreadCount) {
  Tensor x = normal(3000, 5, 7);
  for (const Kind& kind : kKinds)
    expect_same_at_any_thread_count([&] {
      GmmOptions o = options(4, kind.covariance);
      o.max_iter = 5;
      Gmm gmm = fit_gmm(x, o);
      std::vector<double> out = predict_proba(gmm, x).to_vector<double>();
      for (double v : gmm.covariances.to_vector<double>()) out.push_back(v);
      for (double v : gmm.lower_bounds) out.push_back(v);
      return out;
    });
}

// Every width of the blocks of products, and rows that some components have no part in.
TEST(Gmm, MaximizesAsItIsDefined) {
  const int64_t n = 150, k = 5;
  for (int64_t d : {1, 3, 8, 17, 64, 70, 257}) {
    Random rng(100 + d);
    const Tensor x = randn({n, d}, rng, DType::f64);
    Tensor r = rand({n, k}, rng, DType::f64);
    for (int64_t i = 0; i < n; i++) {
      double *row = r.data<double>() + i * k, sum = 0;
      row[i % k] = 0;
      for (int64_t c = 0; c < k; c++) sum += row[c];
      for (int64_t c = 0; c < k; c++) row[c] /= sum;
    }
    for (DType products : {DType::f64, DType::f32}) {
      Gmm gmm;
      maximize(x, r, 0.5, &gmm, products);
      // Tiles of 64 products of 3 roundings: below 67 2^-24 = 4e-6 of the sum of their sizes.
      const double close = products == DType::f64 ? 1e-13 : 4e-6;
      for (int64_t c = 0; c < k; c++) {
        double count = 0;
        std::vector<double> mean(size_t(d), 0.0);
        for (int64_t i = 0; i < n; i++) count += r.at({i, c});
        for (int64_t i = 0; i < n; i++)
          for (int64_t j = 0; j < d; j++) mean[size_t(j)] += r.at({i, c}) * x.at({i, j}) / count;
        ASSERT_NEAR(gmm.weights.at({c}), count / double(n), 1e-14);
        for (int64_t j = 0; j < d; j++) ASSERT_NEAR(gmm.means.at({c, j}), mean[size_t(j)], 1e-13);
        for (int64_t p = 0; p < d; p += 1 + d / 9)
          for (int64_t q = 0; q < d; q++) {
            double sum = p == q ? 0.5 : 0.0;
            for (int64_t i = 0; i < n; i++)
              sum += r.at({i, c}) * (x.at({i, p}) - mean[size_t(p)]) *
                     (x.at({i, q}) - mean[size_t(q)]) / count;
            ASSERT_NEAR(gmm.covariances.at({c, p, q}), sum, close) << d << ": " << p << ", " << q;
          }
      }
    }
  }
}

TEST(Gmm, SinglePrecisionIsCloseAndHasTheSameBitsEverywhere) {
  const Tensor x = normal(900, 19, 13);
  for (const Kind& kind : kKinds) {
    GmmOptions o = options(3, kind.covariance);
    o.max_iter = 6;
    const Gmm whole = fit_gmm(x, o);
    o.products = DType::f32;
    const Gmm single = fit_gmm(x, o);
    EXPECT_NEAR(single.lower_bounds.back(), whole.lower_bounds.back(), 2e-6) << kind.name;
    expect_close(single.means, whole.means, 1e-5);
    for (DType products : {DType::f32, DType::f64}) {
      o.products = products;
      o.max_iter = 2;
      auto all = [&] {
        const Gmm gmm = fit_gmm(x, o);
        std::vector<double> out = gmm.covariances.to_vector<double>();
        out.push_back(gmm.lower_bounds.back());
        return out;
      };
      expect_same_at_any_thread_count(all);
      const std::vector<double> want = all();
      testing::for_every_set([&] { EXPECT_EQ(all(), want) << kind.name; });
    }
  }
  GmmOptions o = options(2);
  o.products = DType::i32;
  expect_error("products in f32 or f64; got i32", [&] { fit_gmm(x, o); });
}

TEST(Gmm, StridedInput) {
  Tensor x = normal(2, 60, 8).transpose(0, 1);
  expect_same(fit_gmm(x, options(2)).means, fit_gmm(x.contiguous(), options(2)).means);
}

TEST(Gmm, RefusesBadInput) {
  Tensor x = normal(6, 2, 9);
  EXPECT_EQ(message_of([&] { fit_gmm(x, options(7)); }),
            "fit_gmm: expected 1 <= k <= n = 6; got k = 7; ask for fewer components");
  expect_error("k = 0", [&] { fit_gmm(x, options(0)); });
  expect_error("at least 2 rows", [&] { fit_gmm(x.slice(0, 0, 1), options(1)); });
  GmmOptions o = options(2);
  o.responsibilities = Tensor::zeros({6, 3});
  expect_error("(n, k) = [6, 2]", [&] { fit_gmm(x, o); });
  o.responsibilities = Tensor::full({6, 2}, 1);
  expect_error("row 0 of sum 2", [&] { fit_gmm(x, o); });
  o = options(2);
  o.reg_covar = -1;
  expect_error("reg_covar >= 0", [&] { fit_gmm(x, o); });
  Gmm gmm = fit_gmm(x, options(1));
  expect_error("x (n, 2)", [&] { predict(gmm, Tensor::zeros({2, 3})); });
  x.data<float>()[5] = std::nanf("");
  expect_error("NaN in row 2, column 1", [&] { fit_gmm(x, options(2)); });
  expect_error("NaN in row 2, column 1", [&] { predict(gmm, x); });
}

TEST(Gmm, CanBeCancelled) {
  Progress stop{[](void*, const char*, int64_t, int64_t) { return false; }, nullptr};
  EXPECT_THROW(fit_gmm(normal(50, 2, 10), options(2), stop), Cancelled);
}

}  // namespace clade::cluster

#include "clustering/centroid/kpod.h"

#include <gtest/gtest.h>

#include <limits>

#include "clustering/centroid/kmeans.h"
#include "clustering/metrics/accuracy.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// k blobs with a share of their values missing.
struct Holed {
  Tensor x, truth;
};
Holed holed(int64_t n, int64_t d, int64_t k, double share, uint64_t seed, DType dtype) {
  Random rng(seed);
  const Tensor centres = randn({k, d}, rng, DType::f64);
  Tensor x = randn({n, d}, rng, DType::f64), truth = Tensor::empty({n}, DType::i32);
  for (int64_t i = 0; i < n; i++) {
    truth.data<int32_t>()[i] = int32_t(i % k);
    for (int64_t j = 0; j < d; j++) {
      double& v = x.data<double>()[i * d + j];
      v += 6 * centres.at({i % k, j}) + 10;
      if (rng.uniform() < share) v = kNan;
    }
  }
  return {x.to(dtype), truth};
}

// The same descent, written down as plainly as can be.
struct Plain {
  std::vector<double> objectives;
  std::vector<int32_t> labels;
};
Plain plain(const Tensor& x, const Tensor& start, int iterations) {
  const int64_t n = x.size(0), d = x.size(1), k = start.size(0);
  std::vector<double> c = start.to_vector<double>();
  Plain out{{}, std::vector<int32_t>(static_cast<size_t>(n))};
  auto partial = [&](int64_t i, int64_t a) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
      if (const double v = x.at({i, j}); !std::isnan(v))
        sum += std::pow(v - c[size_t(a * d + j)], 2);
    return sum;
  };
  for (int t = 0; t < iterations; t++) {
    for (int64_t i = 0; i < n; i++) {
      int32_t best = 0;
      for (int64_t a = 1; a < k; a++)
        if (partial(i, a) < partial(i, best)) best = int32_t(a);
      out.labels[size_t(i)] = best;
    }
    double objective = 0;
    for (int64_t a = 0; a < k; a++)
      for (int64_t j = 0; j < d; j++) {
        double sum = 0, count = 0;
        for (int64_t i = 0; i < n; i++)
          if (out.labels[size_t(i)] == a && !std::isnan(x.at({i, j}))) sum += x.at({i, j}), count++;
        if (count > 0) c[size_t(a * d + j)] = sum / count;
      }
    for (int64_t i = 0; i < n; i++) objective += partial(i, out.labels[size_t(i)]);
    out.objectives.push_back(objective);
  }
  return out;
}

KPodOptions from(const Tensor& centres) {
  KPodOptions o;
  o.k = centres.size(0);
  o.init = KMeansOptions::Init::given;
  o.centres = centres;
  return o;
}

}  // namespace

TEST(KPod, EqualsThePlainProgram) {
  for (uint64_t seed = 1; seed <= 6; seed++) {
    const Holed data = holed(180, 3, 4, 0.3, seed, DType::f64);
    Random rng(seed);
    KPodOptions o = from(randn({4, 3}, rng, DType::f64));
    for (int64_t e = 0; e < 12; e++)
      o.centres.data<double>()[e] = 10 + 6 * o.centres.data<double>()[e];
    const KPod m = kpod(data.x, o);
    bool empty = false;  // the plain program relocates nothing
    const Plain want = plain(data.x, o.centres, m.iterations);
    for (int64_t c = 0; c < 4; c++)
      empty |= std::count(want.labels.begin(), want.labels.end(), int32_t(c)) == 0;
    if (empty) continue;
    for (int64_t i = 0; i < 180; i++) {
      bool any = false;
      for (int64_t j = 0; j < 3; j++) any |= !std::isnan(data.x.at({i, j}));
      EXPECT_EQ(m.labels.data<int32_t>()[i], any ? want.labels[size_t(i)] : -1);
    }
    for (size_t t = 0; t < m.objectives.size(); t++)
      EXPECT_NEAR(m.objectives[t] / want.objectives[t], 1, 1e-12);
  }
}

TEST(KPod, ObjectiveNeverRises) {
  for (DType dtype : {DType::f32, DType::f64})
    for (uint64_t seed = 1; seed <= 5; seed++) {
      KPodOptions o;
      o.k = 12;
      o.seed = seed;
      const KPod m = kpod(holed(700, 8, 5, 0.5, seed, dtype).x, o);
      EXPECT_TRUE(m.converged);
      for (size_t t = 1; t < m.objectives.size(); t++)
        EXPECT_LE(m.objectives[t], m.objectives[t - 1] * (1 + 1e-7));
    }
}

TEST(KPod, WithoutHolesIsKMeans) {
  const Holed data = holed(500, 5, 4, 0, 7, DType::f64);
  KMeansOptions plain;
  plain.k = 6;
  plain.init = KMeansOptions::Init::given;
  plain.tol = 0;
  plain.centres = data.x.slice(0, 0, 6);
  const KMeans want = kmeans(data.x, plain);
  const KPod m = kpod(data.x, from(plain.centres));
  expect_same(m.labels, want.labels);
  expect_close(m.centres, want.centres, 1e-12);
  EXPECT_NEAR(m.inertia / want.inertia, 1, 1e-12);
  EXPECT_EQ(m.iterations, want.iterations);
}

TEST(KPod, FindsClustersWithAThirdMissing) {
  const Holed data = holed(1000, 10, 5, 0.35, 8, DType::f32);
  KPodOptions o;
  o.k = 5;
  o.n_init = 3;
  const KPod m = kpod(data.x, o);
  EXPECT_GT(accuracy(data.truth, m.labels), 0.99);
  expect_same(predict(m, data.x), m.labels);
  const Tensor filled = fill_holes(m, data.x);
  for (int64_t e = 0; e < filled.numel(); e++) {
    ASSERT_TRUE(std::isfinite(filled.data<float>()[e]));
    if (!std::isnan(data.x.data<float>()[e])) {
      ASSERT_EQ(filled.data<float>()[e], data.x.data<float>()[e]);
    }
  }
}

TEST(KPod, RowsOfHolesAloneHaveNoLabel) {
  Tensor x = holed(60, 3, 2, 0.1, 9, DType::f32).x;
  for (int64_t j = 0; j < 3; j++) x.data<float>()[5 * 3 + j] = float(kNan);
  const KPod m = kpod(x, {.k = 2});
  EXPECT_EQ(m.labels.data<int32_t>()[5], -1);
  EXPECT_EQ(predict(m, x).data<int32_t>()[5], -1);
}

TEST(KPod, SameBitsAtAnyThreadCount) {
  const Tensor x = holed(3000, 6, 4, 0.3, 10, DType::f32).x;
  Tensor w = Tensor::empty({3000}, DType::f64);
  for (int64_t i = 0; i < 3000; i++) w.data<double>()[i] = 0.1 + double(i % 7) / 9;
  expect_same_at_any_thread_count([&] {
    const KPod m = kpod(x, {.k = 9, .n_init = 2}, w);
    std::vector<double> out = m.centres.to_vector<double>();
    for (int32_t l : m.labels.to_vector<int32_t>()) out.push_back(l);
    out.push_back(m.inertia);
    return out;
  });
}

TEST(KPod, RefusesBadInput) {
  Tensor x = holed(10, 2, 2, 0, 11, DType::f32).x;
  expect_error("1 <= k <= n = 10", [&] { kpod(x, {.k = 11}); });
  expect_error("n_init", [&] { kpod(x, {.k = 2, .n_init = 0}); });
  x.data<float>()[3] = std::numeric_limits<float>::infinity();
  expect_error("an infinity in row 1, column 1", [&] { kpod(x, {.k = 2}); });
  x.data<float>()[3] = 0;
  const KPod m = kpod(x, {.k = 2});
  expect_error("columns and dtype", [&] { predict(m, Tensor::zeros({2, 3})); });
  for (int64_t i = 0; i < 10; i++) x.data<float>()[2 * i] = float(kNan);
  expect_error("nothing but NaN in column 0", [&] { kpod(x, {.k = 2}); });
  x.data<float>()[0] = 1;
  for (int64_t i = 1; i < 10; i++) x.data<float>()[2 * i + 1] = float(kNan);
  expect_error("k = 2 rows that have a value and a weight; got 1", [&] { kpod(x, {.k = 2}); });
}

}  // namespace clade::cluster

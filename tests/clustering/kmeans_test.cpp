#include "clustering/centroid/kmeans.h"

#include <gtest/gtest.h>

#include <set>

#include "clustering/centroid/assign.h"
#include "clustering/centroid/lloyd.h"
#include "clustering/centroid/seeding.h"
#include "kernels/distance/distance.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

using Init = KMeansOptions::Init;

Tensor normal(int64_t n, int64_t d, uint64_t seed, DType dtype = DType::f32) {
  Random rng(seed);
  return randn({n, d}, rng, dtype);
}

// Ten tight clusters on a line; the best clustering is plain to see.
Tensor ten_clusters(int64_t n) {
  Tensor x = normal(n, 2, 77);
  for (int64_t i = 0; i < n; i++) {
    x.data<float>()[2 * i] = x.data<float>()[2 * i] * 0.1f + float(i % 10) * 20;
    x.data<float>()[2 * i + 1] *= 0.1f;
  }
  return x;
}

std::vector<double> everything(const KMeans& m) {
  std::vector<double> out = m.centres.to_vector<double>();
  for (int32_t l : m.labels.to_vector<int32_t>()) out.push_back(l);
  out.push_back(m.inertia);
  out.push_back(m.iterations);
  return out;
}

}  // namespace

class KMeansGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(KMeansGolden, EqualsScikitLearnFromGivenCentres) {
  std::string kind = GetParam(), name = "kmeans_" + kind;
  KMeansOptions o;
  o.k = 6;
  o.init = Init::given;
  o.centres = golden(name + "_start");
  if (kind == "strict") o.tol = 0;
  if (kind == "short") o.max_iter = 3;
  Tensor weights = kind == "weighted" ? golden("kmeans_weights") : Tensor();
  for (DType dtype : {DType::f64, DType::f32}) {
    Tensor x = golden("kmeans_x").to(dtype);
    KMeans m = kmeans(x, o, weights);
    double tolerance = dtype == DType::f64 ? 1e-12 : 1e-5;
    expect_close(m.centres, golden(name + "_centres"), tolerance);
    expect_same(m.labels, golden(name + "_labels"));
    Tensor inertia = golden(name + "_inertia");
    EXPECT_NEAR(m.inertia / inertia.data<double>()[0], 1, tolerance);
    EXPECT_EQ(m.iterations, int(inertia.data<double>()[1]));
    EXPECT_EQ(m.converged, kind != "short");
    expect_same(predict(m, x), m.labels);
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, KMeansGolden,
                         ::testing::Values("plain", "weighted", "lost", "strict", "short"));

// Groups that lie 1 apart at 1e5 from the middle: products of f32 cannot tell them apart.
TEST(KMeans, EachPointIsAtItsNearestCentreThoughProductsCancel) {
  const int64_t n = 1200;
  Tensor x = normal(n, 2, 5);
  for (int64_t i = 0; i < n; i++) {
    float* row = x.data<float>() + 2 * i;
    row[0] = row[0] * 0.02f + (i % 2 ? 1e5f : -1e5f) + float(i / 2 % 3);
    row[1] *= 0.02f;
  }
  const KMeans m = kmeans(x, {.k = 6});
  const Tensor labels[] = {m.labels, predict(m, x)};
  for (const Tensor& l : labels)
    for (int64_t i = 0; i < n; i++) {
      auto distance = [&](int64_t c) {
        return kernels::direct_squared_distance(x.data<float>() + 2 * i,
                                                m.centres.data<float>() + 2 * c, 2);
      };
      for (int64_t c = 0; c < 6; c++)
        ASSERT_LE(distance(l.data<int32_t>()[i]), distance(c) + 1e-4) << "row " << i;
    }
  EXPECT_LT(m.inertia, 5);  // all six groups were found
}

// Lloyd's iteration without bounds, tiles or moves: the shortest program that is right.
struct Plain {
  std::vector<int32_t> labels;
  std::vector<double> centres;
  int iterations = 0;
};

Plain plain_lloyd(const Tensor& x, const Tensor& start, const std::vector<double>& w) {
  const int64_t n = x.size(0), d = x.size(1), k = start.size(0);
  const std::vector<double> v = x.to_vector<double>();
  Plain p{std::vector<int32_t>(size_t(n), -1), start.to_vector<double>()};
  for (bool changed = true; changed && p.iterations < 300; p.iterations++) {
    changed = false;
    std::vector<double> sum(size_t(k * d)), weight(static_cast<size_t>(k));
    for (int64_t i = 0; i < n; i++) {
      double least = 1e300;
      int32_t best = 0;
      for (int64_t c = 0; c < k; c++) {
        const double squared =
            kernels::direct_squared_distance(v.data() + i * d, p.centres.data() + c * d, d);
        if (squared < least) least = squared, best = int32_t(c);
      }
      changed |= p.labels[size_t(i)] != best;
      p.labels[size_t(i)] = best;
      weight[size_t(best)] += w[size_t(i)];
      for (int64_t j = 0; j < d; j++)
        sum[size_t(best * d + j)] += w[size_t(i)] * v[size_t(i * d + j)];
    }
    for (size_t e = 0; e < sum.size(); e++)
      if (weight[e / size_t(d)] > 0) p.centres[e] = sum[e] / weight[e / size_t(d)];
  }
  return p;
}

// Bounds, tiles and moved sums change nothing: shapes on both sides of every block size, and data
// on a coarse grid, where many points lie as near to one centre as to another.
TEST(KMeans, SkippedPointsChangeNothing) {
  struct Case {
    int64_t n, d, k;
    bool grid;
  };
  for (const Case& c : {Case{1500, 2, 5, true}, Case{900, 3, 30, false}, Case{700, 150, 9, false},
                        Case{600, 40, 20, false}, Case{1300, 2, 300, false}, Case{1100, 1, 3, true},
                        Case{300, 129, 16, true}}) {
    Tensor x = normal(c.n, c.d, uint64_t(c.n), DType::f64);
    for (int64_t e = 0; c.grid && e < x.numel(); e++)
      x.data<double>()[e] = std::round(x.data<double>()[e] * 8) / 8;  // sums are exact
    std::vector<double> w;
    Random rng(3);
    for (int64_t i = 0; i < c.n; i++) w.push_back(double(1 + rng.below(3)));
    KMeansOptions o;
    o.k = c.k;
    o.init = Init::given;
    o.tol = 0;
    o.centres = x.slice(0, 0, c.k);
    const KMeans m = kmeans(x, o, Tensor::from(w, {c.n}));
    const Plain want = plain_lloyd(x, o.centres, w);
    EXPECT_EQ(m.labels.to_vector<int32_t>(), want.labels) << c.n;
    expect_close(m.centres, Tensor::from(want.centres, {c.k, c.d}), 1e-11);
    EXPECT_EQ(m.iterations, want.iterations) << c.n;
  }
}

TEST(KMeans, TransformAndScore) {
  const Tensor x = normal(300, 6, 12, DType::f64), w = Tensor::full({300}, 2.0, DType::f64);
  const KMeans m = kmeans(x, {.k = 5});
  const Tensor far = transform(m, x);
  double inertia = 0;
  for (int64_t i = 0; i < 300; i++) {
    double least = 1e300;
    for (int64_t c = 0; c < 5; c++) {
      double sum = 0;
      for (int64_t j = 0; j < 6; j++) sum += std::pow(x.at({i, j}) - m.centres.at({c, j}), 2);
      ASSERT_NEAR(far.at({i, c}), std::sqrt(sum), 1e-12);
      least = std::min(least, sum);
    }
    inertia += least;
  }
  EXPECT_NEAR(score(m, x), -inertia, 1e-9);
  EXPECT_NEAR(score(m, x, w), -2 * inertia, 1e-9);
  EXPECT_NEAR(m.inertia, inertia, 1e-9);
}

// A row's label does not depend on the rows that come with it.
TEST(KMeans, PredictsRowByRow) {
  Tensor x = ten_clusters(300);
  for (int64_t i = 0; i < x.numel(); i++) x.data<float>()[i] += 1e4f;
  const KMeans m = kmeans(x, {.k = 10});
  const Tensor all = predict(m, x);
  for (int64_t i = 0; i < 300; i += 7)
    EXPECT_EQ(predict(m, x.slice(0, i, i + 1)).data<int32_t>()[0], all.data<int32_t>()[i]);
}

TEST(KMeans, ParallelSeedsAreAsGoodAsSerialOnes) {
  const Tensor x = normal(4000, 4, 15);
  double serial = 0, parallel = 0;
  for (uint64_t seed = 0; seed < 5; seed++) {
    KMeansOptions o;
    o.k = 60;
    o.seed = seed;
    serial += kmeans(x, o).inertia;
    o.init = Init::parallel;
    parallel += kmeans(x, o).inertia;
  }
  EXPECT_LT(parallel, 1.03 * serial);
}

TEST(KMeans, FindsSeparatedClusters) {
  for (Init init : {Init::plus_plus, Init::parallel, Init::random}) {
    KMeansOptions o;
    o.k = 10;
    o.init = init;
    o.n_init = init == Init::random ? 60 : 1;  // greedy k-means++ needs no second start here
    KMeans m = kmeans(ten_clusters(1000), o);
    EXPECT_LT(m.inertia, 30);
    EXPECT_TRUE(m.converged);
    std::vector<int32_t> l = m.labels.to_vector<int32_t>();
    for (size_t i = 10; i < l.size(); i++) ASSERT_EQ(l[i], l[i - 10]);
  }
}

TEST(KMeans, LabelsAndInertiaFitTheCentres) {
  Tensor x = normal(3000, 5, 1);
  KMeansOptions o;
  o.k = 17;
  KMeans m = kmeans(x, o);
  std::vector<double> v = x.to_vector<double>(), c = m.centres.to_vector<double>();
  double inertia = 0;
  for (size_t i = 0; i < 3000; i++) {
    double best = 1e300, own = 0;
    for (size_t k = 0; k < 17; k++) {
      double sum = 0;
      for (size_t j = 0; j < 5; j++) sum += std::pow(v[i * 5 + j] - c[k * 5 + j], 2);
      best = std::min(best, sum);
      if (int32_t(k) == m.labels.data<int32_t>()[i]) own = sum;
    }
    ASSERT_NEAR(own, best, 1e-5);
    inertia += own;
  }
  EXPECT_NEAR(m.inertia, inertia, 1e-3);
}

TEST(KMeans, MoreStartsAreNeverWorse) {
  Tensor x = normal(500, 4, 2);
  KMeansOptions o;
  o.k = 8;
  double one = kmeans(x, o).inertia;
  o.n_init = 10;
  EXPECT_LE(kmeans(x, o).inertia, one);
}

TEST(KMeans, FarFromTheOrigin) {
  Tensor x = ten_clusters(500);
  for (int64_t i = 0; i < x.numel(); i++) x.data<float>()[i] += 1e5f;
  KMeansOptions o;
  o.k = 10;
  EXPECT_LT(kmeans(x, o).inertia, 25);
}

TEST(KMeans, OneClusterIsTheMean) {
  Tensor x = normal(100, 3, 3, DType::f64);
  KMeansOptions o;
  o.k = 1;
  KMeans m = kmeans(x, o);
  for (int64_t j = 0; j < 3; j++) {
    double mean = 0;
    for (int64_t i = 0; i < 100; i++) mean += x.at({i, j}) / 100;
    EXPECT_NEAR(m.centres.at({0, j}), mean, 1e-14);
  }
}

TEST(KMeans, DegenerateData) {
  for (Init init : {Init::plus_plus, Init::parallel, Init::random}) {
    KMeansOptions o;
    o.k = 4;
    o.init = init;
    KMeans same = kmeans(Tensor::full({20, 3}, 0.3), o);  // duplicates only
    EXPECT_EQ(same.inertia, 0);
    for (double c : same.centres.to_vector<double>()) EXPECT_NEAR(c, 0.3, 1e-7);

    std::vector<float> two;  // two distinct points, four clusters
    for (int i = 0; i < 20; i++) two.push_back(float(i % 2));
    KMeans pair = kmeans(Tensor::from(two, {20, 1}), o);
    EXPECT_NEAR(pair.inertia, 0, 1e-10);

    KMeans all = kmeans(normal(4, 2, 4), o);  // k = n
    EXPECT_NEAR(all.inertia, 0, 1e-10);
    std::vector<int32_t> l = all.labels.to_vector<int32_t>();
    EXPECT_EQ(std::set<int32_t>(l.begin(), l.end()).size(), 4u);
  }
}

TEST(KMeans, WeightsCountLikeRepeatedRows) {
  Tensor x = normal(60, 2, 5, DType::f64);
  std::vector<double> repeated, w;
  for (int64_t i = 0; i < 60; i++) {
    w.push_back(double(i % 3));
    for (int64_t r = 0; r < i % 3; r++)
      for (int64_t j = 0; j < 2; j++) repeated.push_back(x.at({i, j}));
  }
  KMeansOptions o;
  o.k = 3;
  o.init = Init::given;
  o.tol = 0;
  o.centres = x.slice(0, 0, 3);
  KMeans a = kmeans(x, o, Tensor::from(w, {60}));
  KMeans b = kmeans(Tensor::from(repeated, {60, 2}), o);
  expect_close(a.centres, b.centres, 1e-12);
  EXPECT_NEAR(a.inertia, b.inertia, 1e-10);
}

// Some end early, some at max_iter, one with an empty cluster to fill.
TEST(Lloyd, StartsGoTogetherAsEachAlone) {
  const Tensor x = normal(3000, 5, 31);
  const std::vector<double> norms = half_squared_norms(x);
  const LloydData data{x, norms, {}};
  std::vector<Tensor> starts;
  for (int64_t s = 0; s < 5; s++) starts.push_back(x.slice(0, 7 * s, 7 * s + 6).clone());
  for (int64_t j = 0; j < 5; j++) starts[4].data<float>()[j] = 1e6f;
  const std::vector<KMeans> together = lloyd(data, starts, 40, 1e-3, {});
  ASSERT_EQ(together.size(), starts.size());
  std::set<int> lengths;
  for (size_t s = 0; s < starts.size(); s++) {
    const KMeans alone = lloyd(data, {starts[s]}, 40, 1e-3, {})[0];
    EXPECT_EQ(everything(together[s]), everything(alone));
    EXPECT_EQ(together[s].converged, alone.converged);
    lengths.insert(alone.iterations);
  }
  EXPECT_GT(lengths.size(), 1u);
}

TEST(Seeding, StartsTogetherFindWhatOneFinds) {
  const Tensor x = ten_clusters(1000);
  std::vector<Random> rngs;
  for (uint64_t seed = 0; seed < 6; seed++) rngs.push_back(Random(seed));
  for (const std::vector<int64_t>& rows : plus_plus_rows(x, 10, {}, rngs)) {
    std::set<int64_t> clusters;
    for (int64_t row : rows) clusters.insert(row % 10);
    EXPECT_EQ(clusters.size(), 10u);
  }
  for (size_t s = 0; s < rngs.size(); s++) {  // as many numbers were drawn, and other ones
    Random alone(s);
    plus_plus_rows(x, 10, {}, alone);
    EXPECT_EQ(rngs[s].uniform(), alone.uniform());
  }
}

// Squares of such values leave the range of f32; the answer is that of the same rows at size 1.
TEST(KMeans, SizeOfTheValuesDoesNotMatter) {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = normal(500, 30, 32, dtype);
    KMeansOptions o;
    o.k = 4;
    o.n_init = 2;
    const KMeans want = kmeans(x, o);
    for (int power : {-100, -60, -40, 48, 61, 64, 110}) {
      if (dtype == DType::f64) power *= 4;
      SCOPED_TRACE(power);
      Tensor scaled = x.clone();
      dispatch_floating(dtype, [&](auto zero) {
        using T = decltype(zero);
        for (int64_t e = 0; e < x.numel(); e++)
          scaled.data<T>()[e] = std::ldexp(x.data<T>()[e], power);
      });
      const KMeans got = kmeans(scaled, o);
      expect_same(got.labels, want.labels);
      EXPECT_EQ(got.iterations, want.iterations);
      if (std::abs(2 * power) < 1000) {
        EXPECT_NEAR(std::ldexp(got.inertia, -2 * power) / want.inertia, 1, 1e-12);
      }
      expect_same(predict(got, scaled), got.labels);
    }
  }
}

TEST(KMeans, FarOutliersAreAClusterOfTheirOwn) {
  for (float size : {1e15f, 1e19f, 1e30f, 1e36f}) {
    Tensor x = normal(300, 4, 33);
    for (int64_t i : {3, 77, 200})
      for (int64_t j = 0; j < 4; j++) x.data<float>()[i * 4 + j] = size;
    KMeansOptions o;
    o.k = 2;
    const std::vector<int32_t> labels = kmeans(x, o).labels.to_vector<int32_t>();
    EXPECT_EQ(std::count(labels.begin(), labels.end(), labels[3]), 3) << size;
    EXPECT_EQ(labels[77], labels[3]);
    EXPECT_EQ(labels[200], labels[3]);
  }
}

TEST(Seeding, FirstRowIsDrawnByWeight) {
  const Tensor x = normal(3, 2, 30);
  const Tensor w = Tensor::from({1.0, 0.0, 3.0}, {3});
  int count[3] = {};
  for (uint64_t seed = 0; seed < 2000; seed++) {
    Random rng(seed);
    count[plus_plus_rows(x, 1, w, rng)[0]]++;
  }
  EXPECT_NEAR(count[0], 500, 80);
  EXPECT_EQ(count[1], 0);
}

TEST(Seeding, WeightlessRowsAreNotDrawn) {
  Tensor x = normal(50, 2, 6), w = Tensor::zeros({50}, DType::f64);
  for (int64_t i = 0; i < 50; i += 5) w.data<double>()[i] = 1;
  for (uint64_t seed = 0; seed < 20; seed++) {
    Random rng(seed);
    for (int64_t row : plus_plus_rows(x, 10, w, rng)) EXPECT_EQ(row % 5, 0);
    for (int64_t row : parallel_rows(x, 4, w, rng)) EXPECT_EQ(row % 5, 0);
    std::vector<int64_t> rows = random_rows(50, 10, w, rng);
    EXPECT_EQ(std::set<int64_t>(rows.begin(), rows.end()).size(), 10u);
    for (int64_t row : rows) EXPECT_EQ(row % 5, 0);
  }
}

TEST(KMeans, SameBitsAtAnyThreadCountAndPerSeed) {
  Tensor x = normal(5000, 7, 7);
  for (Init init : {Init::plus_plus, Init::parallel, Init::random}) {
    KMeansOptions o;
    o.k = 12;
    o.init = init;
    o.n_init = 2;
    o.max_iter = 5;
    o.seed = 5;
    expect_same_at_any_thread_count([&] { return everything(kmeans(x, o)); });
    KMeans five = kmeans(x, o);
    o.seed = 6;
    EXPECT_NE(everything(five), everything(kmeans(x, o)));
  }
}

TEST(KMeans, StridedInput) {
  Tensor x = normal(3, 90, 8).transpose(0, 1);
  KMeansOptions o;
  o.k = 4;
  EXPECT_EQ(everything(kmeans(x, o)), everything(kmeans(x.contiguous(), o)));
}

TEST(KMeans, RefusesBadInput) {
  Tensor x = normal(6, 2, 9);
  auto with = [&](auto change, const Tensor& w = {}) {
    KMeansOptions o;
    o.k = 3;
    change(o);
    return message_of([&] { kmeans(x, o, w); });
  };
  auto plain = [](KMeansOptions&) {};
  EXPECT_EQ(with([](auto& o) { o.k = 7; }),
            "kmeans: expected 1 <= k <= n = 6; got k = 7; ask for fewer clusters");
  EXPECT_NE(with([](auto& o) { o.k = 0; }).find("k = 0"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.n_init = 0; }).find("n_init"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.tol = std::nan(""); }).find("tol >= 0"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.init = Init::given; }).find("given centres (k, d) = [3, 2]"),
            std::string::npos);
  EXPECT_NE(with(plain, Tensor::zeros({5})).find("weights (n) = [6]"), std::string::npos);
  EXPECT_NE(with(plain, Tensor::zeros({6})).find("only zeros"), std::string::npos);
  EXPECT_NE(with(plain, Tensor::full({6}, -1)).find("got -1 in row 0"), std::string::npos);
  KMeansOptions o;
  o.k = 2;
  KMeans m = kmeans(x, o);
  expect_error("columns and dtype", [&] { predict(m, Tensor::zeros({2, 3})); });
  x.data<float>()[3] = std::nanf("");
  expect_error("kmeans: expected finite values in x; got NaN in row 1, column 1",
               [&] { kmeans(x, o); });
}

TEST(KMeans, CanBeCancelled) {
  Progress stop{[](void*, const char*, int64_t, int64_t) { return false; }, nullptr};
  EXPECT_THROW(kmeans(normal(50, 2, 10), {}, {}, stop), Cancelled);
}

}  // namespace clade::cluster

// Metrics against scikit-learn (goldens) and against programs too slow to be wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "clustering/metrics/accuracy.h"
#include "clustering/metrics/assignment.h"
#include "clustering/metrics/information.h"
#include "clustering/metrics/pairs.h"
#include "clustering/metrics/silhouette.h"
#include "clustering/metrics/trustworthiness.h"
#include "tensor/random.h"
#include "tests/clustering/golden.h"

namespace clade::cluster {
namespace {

Tensor labels(const std::vector<int32_t>& values) {
  return Tensor::from(values, {int64_t(values.size())});
}

// The order of scores() in make_clustering.py.
std::vector<double> all_scores(const Tensor& t, const Tensor& p) {
  std::vector<double> s = {accuracy(t, p),      purity(t, p),          rand_index(t, p),
                           adjusted_rand(t, p), fowlkes_mallows(t, p), mutual_information(t, p)};
  const Mean means[] = {Mean::arithmetic, Mean::geometric, Mean::min, Mean::max};
  for (Mean m : means) s.push_back(normalized_mutual_information(t, p, m));
  for (Mean m : means) s.push_back(adjusted_mutual_information(t, p, m));
  VMeasure v = v_measure(t, p);
  for (double e : {v.homogeneity, v.completeness, v.v}) s.push_back(e);
  return s;
}

int64_t cheapest_by_trying_all(const std::vector<int64_t>& cost, int64_t rows, int64_t columns) {
  std::vector<int64_t> order(static_cast<size_t>(columns));
  std::iota(order.begin(), order.end(), int64_t{0});
  int64_t best = INT64_MAX;
  do {
    int64_t sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += cost[size_t(i * columns + order[size_t(i)])];
    best = std::min(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

}  // namespace

class Scores : public ::testing::TestWithParam<const char*> {};

TEST_P(Scores, EqualScikitLearn) {
  std::string name = text("labels_", GetParam());
  Tensor want = golden(name + "_scores");
  std::vector<double> got = all_scores(golden(name + "_truth"), golden(name + "_predicted"));
  ASSERT_EQ(int64_t(got.size()), want.numel());
  for (size_t i = 0; i < got.size(); i++)
    EXPECT_NEAR(got[i], want.data<double>()[i], 1e-12) << "score " << i;
}

INSTANTIATE_TEST_SUITE_P(Goldens, Scores,
                         ::testing::Values("good", "random", "more_clusters", "fewer_clusters",
                                           "noise", "skewed", "tiny", "same", "one_cluster",
                                           "one_class", "one_each", "singletons"));

TEST(Contingency, CountsEveryPair) {
  Contingency c = contingency("test", labels({5, 5, -2, 7, 5}), labels({1, 0, 1, 0, 1}));
  EXPECT_EQ(c.n, 5);
  EXPECT_EQ(c.row_labels, (std::vector<int32_t>{-2, 5, 7}));
  EXPECT_EQ(c.column_labels, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(c.row_sums, (std::vector<int64_t>{1, 3, 1}));
  EXPECT_EQ(c.column_sums, (std::vector<int64_t>{2, 3}));
  ASSERT_EQ(c.cells.size(), 4u);
  EXPECT_EQ(c.cells[2].row, 1);
  EXPECT_EQ(c.cells[2].column, 1);
  EXPECT_EQ(c.cells[2].count, 2);
}

// Labels far apart are sorted, labels side by side are counted; many clusters of few points make a
// table too large to count in.
TEST(Contingency, CountsAndSortsAlike) {
  for (const int64_t kinds : {3, 40, 3000}) {
    Random rng{uint64_t(kinds)};
    std::vector<int32_t> truth, predicted, far;
    for (int i = 0; i < 4000; i++) {
      truth.push_back(int32_t(rng.below(kinds)) - 1);
      predicted.push_back(int32_t(rng.below(kinds)));
      far.push_back(truth.back() * 700000);
    }
    const Contingency a = contingency("test", labels(truth), labels(predicted));
    const Contingency b = contingency("test", labels(far), labels(predicted));
    EXPECT_EQ(a.row_sums, b.row_sums);
    EXPECT_EQ(a.column_labels, b.column_labels);
    std::map<std::pair<int32_t, int32_t>, int64_t> counted;
    for (size_t i = 0; i < truth.size(); i++) counted[{truth[i], predicted[i]}]++;
    ASSERT_EQ(a.cells.size(), counted.size());
    ASSERT_EQ(b.cells.size(), counted.size());
    size_t at = 0;
    for (const auto& [pair, count] : counted) {
      for (const Contingency* table : {&a, &b}) {
        const Contingency::Cell& cell = table->cells[at];
        const int32_t row = table->row_labels[size_t(cell.row)] / (table == &b ? 700000 : 1);
        EXPECT_EQ(row, pair.first);
        EXPECT_EQ(table->column_labels[size_t(cell.column)], pair.second);
        EXPECT_EQ(cell.count, count);
      }
      at++;
    }
  }
}

TEST(Contingency, RefusesBadLabels) {
  Tensor good = labels({0, 1, 2});
  expect_error("accuracy: expected as many predicted labels as true ones, 3; got 2", [&] {
    accuracy(good, labels({0, 1}));
  });
  expect_error("true labels (n) of i32", [&] { accuracy(Tensor::zeros({3}), good); });
  expect_error("i32 [3, 1]", [&] { purity(good, Tensor::zeros({3, 1}, DType::i32)); });
  expect_error("n >= 1", [&] { adjusted_rand(labels({}), labels({})); });
  expect_error("undefined", [&] { v_measure(Tensor(), good); });
}

TEST(Assignment, CheapestOfAllPermutations) {
  Random rng(1);
  for (int trial = 0; trial < 60; trial++) {
    int64_t rows = 1 + rng.below(6), columns = rows + rng.below(3);
    std::vector<int64_t> cost(size_t(rows * columns));
    for (int64_t& c : cost) c = rng.below(trial % 2 ? 1000 : 4) - 2;  // half of them full of ties
    std::vector<int64_t> column_of = minimum_assignment(cost, rows, columns);
    int64_t sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += cost[size_t(i * columns + column_of[size_t(i)])];
    EXPECT_EQ(sum, cheapest_by_trying_all(cost, rows, columns));

    std::vector<int64_t> turned(cost.size());  // more rows than columns
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++)
        turned[size_t(j * rows + i)] = cost[size_t(i * columns + j)];
    std::vector<int64_t> row_of = minimum_assignment(turned, columns, rows);
    int64_t turned_sum = 0, left_over = 0;
    for (int64_t j = 0; j < columns; j++) {
      if (row_of[size_t(j)] < 0)
        left_over++;
      else
        turned_sum += turned[size_t(j * rows + row_of[size_t(j)])];
    }
    EXPECT_EQ(turned_sum, sum);
    EXPECT_EQ(left_over, columns - rows);
  }
}

TEST(Accuracy, MatchesColumnsWithRows) {
  Contingency table = contingency("test", labels({0, 0, 1, 1, 1}), labels({8, 8, 9, 9, 4}));
  EXPECT_EQ(match_columns(table), (std::vector<int32_t>{-1, 0, 1}));  // clusters 4, 8, 9
}

TEST(NoiseAccuracy, ThreeReadings) {
  // Class 2 is noise altogether; one point of class 0 is noise too.
  Tensor truth = labels({0, 0, 0, 0, 1, 1, 1, 2, 2, 2});
  Tensor predicted = labels({4, 4, 4, -1, 7, 7, 4, -1, -1, -1});
  NoiseAccuracy a = noise_accuracy(truth, predicted, labels({4, 4, 4, 4, 7, 7, 4, 5, 5, 4}));
  EXPECT_DOUBLE_EQ(a.labelled_fraction, 0.6);
  EXPECT_DOUBLE_EQ(a.labelled, 5.0 / 6);
  EXPECT_DOUBLE_EQ(a.strict, 0.5);
  EXPECT_DOUBLE_EQ(a.as_cluster, 0.8);  // the noise wins class 2
  EXPECT_DOUBLE_EQ(a.soft, 0.8);
  EXPECT_DOUBLE_EQ(noise_accuracy(truth, predicted).soft, 0.5);
  NoiseAccuracy none = noise_accuracy(truth, Tensor::full({10}, -1, DType::i32));
  EXPECT_EQ(none.labelled, 0);
  EXPECT_EQ(none.strict, 0);
  EXPECT_DOUBLE_EQ(none.as_cluster, 0.4);
}

TEST(AdjustedMutualInformation, ExpectationKeepsItsDigitsAtSize) {
  // 200,000 points in 4 x 5 clusters of unequal sizes. The reference sums all terms of the
  // hypergeometric mean with long double logarithms of factorials.
  std::vector<int64_t> a = {20000, 30000, 50000, 100000}, b = {1000, 9000, 40000, 60000, 90000};
  Contingency table;
  table.n = 200000;
  table.row_sums = a, table.column_sums = b;
  auto log_factorial = [](int64_t m) { return lgammal((long double)(m) + 1); };
  long double want = 0, n = 200000;
  for (int64_t ai : a)
    for (int64_t bj : b)
      for (int64_t m = std::max<int64_t>(1, ai + bj - table.n); m <= std::min(ai, bj); m++) {
        long double log_p = log_factorial(ai) + log_factorial(bj) + log_factorial(table.n - ai) +
                            log_factorial(table.n - bj) - log_factorial(table.n) -
                            log_factorial(m) - log_factorial(ai - m) - log_factorial(bj - m) -
                            log_factorial(table.n - ai - bj + m);
        long double mm = (long double)(m);
        want += expl(log_p) * mm / n * logl(n * mm / ((long double)(ai) * (long double)(bj)));
      }
  EXPECT_NEAR(expected_mutual_information(table) / double(want), 1, 1e-10);
}

TEST(Silhouette, EqualsScikitLearn) {
  Tensor x = golden("silhouette_x"), l = golden("silhouette_labels");
  Tensor want = golden("silhouette_samples");
  expect_close(silhouette_samples(x, l), want, 1e-12);
  expect_close(silhouette_samples(x.to(DType::f64), l), want, 1e-12);
  double mean = 0;
  for (double s : want.to_vector<double>()) mean += s / double(want.numel());
  EXPECT_NEAR(silhouette(x, l), mean, 1e-12);
}

// More f32 rows than are computed in f64: blobs, tight blobs and duplicates, beside the f64 answer.
TEST(Silhouette, LargeFloatsAreGood) {
  Random rng(8);
  const int64_t n = 4500, d = 20;
  Tensor x = randn({n, d}, rng);
  std::vector<int32_t> l;
  for (int64_t i = 0; i < n; i++) {
    const int64_t c = i % 7;
    l.push_back(int32_t(c));
    float* row = x.data<float>() + i * d;
    for (int64_t j = 0; j < d; j++)
      row[j] = (c == 0   ? 1.0f
                : c == 1 ? 0.0f
                : c == 2 ? 0.001f
                         : row[j]) +
               float(c * j % 5) * 3 + 100;
  }
  expect_close(silhouette_samples(x, labels(l)), silhouette_samples(x.to(DType::f64), labels(l)),
               5e-6);
}

// 5,800 rows in pairs: too many sums to keep, so they are added up row by row. In one column the
// answer is known: a pair is 1 apart and 9 from the next, the ends of the line have one neighbour.
// f32 products: where few pairs are near, where nearly all of a cluster are, and with so many
// clusters that each row looks at all others.
TEST(Silhouette, SingleAgreesWithDouble) {
  for (auto [clusters, spread] : {std::pair<int64_t, double>{8, 1}, {8, 0.01}, {2900, 1}}) {
    const int64_t n = 6000, d = 6;
    Random rng(9);
    const Tensor centres = randn({clusters, d}, rng);
    Tensor x = randn({n, d}, rng);
    std::vector<int32_t> l;
    for (int64_t i = 0; i < n; i++) {
      l.push_back(int32_t(i % clusters));
      for (int64_t j = 0; j < d; j++)
        x.data<float>()[i * d + j] = float(spread) * x.data<float>()[i * d + j] +
                                     3 * centres.data<float>()[l.back() * d + j];
    }
    const Tensor single = silhouette_samples(x, labels(l));
    expect_close(single, silhouette_samples(x.to(DType::f64), labels(l)), 5e-6);
    expect_same_at_any_thread_count(
        [&] { return silhouette_samples(x, labels(l)).to_vector<double>(); });
  }
}

TEST(Silhouette, ManyClustersAndAnyMagnitude) {
  const int64_t n = 5800;
  for (double unit : {1e-250, 1e250}) {
    Tensor x = Tensor::empty({n, 1}, DType::f64);
    std::vector<int32_t> l;
    for (int64_t i = 0; i < n; i++) {
      x.data<double>()[i] = double(i / 2 * 10 + i % 2) * unit;
      l.push_back(int32_t(i / 2));
    }
    const std::vector<double> s = silhouette_samples(x, labels(l)).to_vector<double>();
    for (int64_t i = 0; i < n; i++) {
      const bool inner = (i % 2 == 0 && i > 0) || (i % 2 == 1 && i < n - 1);
      const double b = inner ? 9.5 : 10.5;
      ASSERT_NEAR(s[size_t(i)], (b - 1) / b, 1e-7) << i << " " << unit;
    }
  }
}

TEST(Silhouette, DegenerateInput) {
  Tensor same = Tensor::full({6, 2}, 3);
  EXPECT_EQ(silhouette(same, labels({0, 0, 1, 1, 2, 2})), 0);
  expect_error("2 to n - 1 = 5", [&] { silhouette(same, labels({1, 1, 1, 1, 1, 1})); });
  expect_error("2 to n - 1 = 5", [&] { silhouette(same, labels({1, 2, 3, 4, 5, 6})); });
  expect_error("one label for each of the 6 rows", [&] { silhouette(same, labels({1, 2})); });
}

TEST(Trustworthiness, EqualsScikitLearn) {
  Tensor x = golden("silhouette_x"), embedding = golden("trustworthiness_embedding");
  Tensor want = golden("trustworthiness");
  const int64_t k[] = {1, 5, 15, 100};
  for (int i = 0; i < 4; i++)
    EXPECT_NEAR(trustworthiness(x, embedding, k[i]), want.data<double>()[i], 1e-12);
  EXPECT_EQ(trustworthiness(x, x, 5), 1);
  EXPECT_EQ(trustworthiness(Tensor::full({30, 2}, 1), Tensor::full({30, 3}, 1), 5), 1);
  expect_error("1 <= k < n / 2 for n = 300", [&] { trustworthiness(x, embedding, 150); });
  expect_error("embedding", [&] { trustworthiness(x, embedding.slice(0, 0, 9)); });
  expect_error("continuity: expected 1 <= k", [&] { continuity(x, embedding, 0); });
}

// Ranks by sorting (distance, index), on a grid full of ties and duplicates.
TEST(Trustworthiness, EqualsSorting) {
  Random rng(12);
  const int64_t n = 700, k = 9;
  std::vector<float> values;
  for (int64_t i = 0; i < n * 3; i++) values.push_back(float(rng.below(5)));
  for (DType dtype : {DType::f32, DType::f64}) {
    Tensor x = Tensor::from(values, {n, 3}).to(dtype), y = randn({n, 2}, rng).to(dtype);
    auto ranks = [&](const Tensor& t, int64_t i) {
      std::vector<std::pair<double, int64_t>> order;
      std::vector<int64_t> rank(size_t(n), 0);
      const std::vector<double> v = t.to_vector<double>();
      const int64_t d = t.size(1);
      for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t c = 0; c < d; c++) {
          const double diff = v[size_t(i * d + c)] - v[size_t(j * d + c)];
          sum += diff * diff;
        }
        if (j != i) order.push_back({sum, j});
      }
      std::sort(order.begin(), order.end());
      for (size_t r = 0; r < order.size(); r++) rank[size_t(order[r].second)] = int64_t(r) + 1;
      return rank;
    };
    double trust = 0, continues = 0;
    for (int64_t i = 0; i < n; i++) {
      const std::vector<int64_t> in_x = ranks(x, i), in_y = ranks(y, i);
      for (size_t j = 0; j < size_t(n); j++) {
        if (int64_t(j) == i) continue;
        if (in_y[j] <= k) trust += double(std::max<int64_t>(0, in_x[j] - k));
        if (in_x[j] <= k) continues += double(std::max<int64_t>(0, in_y[j] - k));
      }
    }
    const double pairs = double(n) * double(k) * double(2 * n - 3 * k - 1);
    EXPECT_NEAR(trustworthiness(x, y, k), 1 - 2 * trust / pairs, 1e-15);
    EXPECT_NEAR(continuity(x, y, k), 1 - 2 * continues / pairs, 1e-15);
  }
}

TEST(Metrics, SameBitsAtAnyThreadCount) {
  Random rng(4);
  Tensor x = randn({700, 6}, rng), y = randn({700, 2}, rng);
  std::vector<int32_t> l;
  for (int i = 0; i < 700; i++) l.push_back(int32_t(rng.below(9)));
  expect_same_at_any_thread_count([&] {
    std::vector<double> out = silhouette_samples(x, labels(l)).to_vector<double>();
    out.push_back(trustworthiness(x, y, 7));
    return out;
  });
}

// 4 of class 0 and 6 others: cluster 5 is class 0's, with one stranger, and one of it is elsewhere.
TEST(OneClassAccuracy, CountsInliersAndOthers) {
  const Tensor truth = Tensor::from<int32_t>({0, 0, 0, 0, 1, 1, 1, 2, 2, 2}, {10});
  const Tensor found = Tensor::from<int32_t>({5, 5, 5, 7, 7, 7, 7, 5, 6, 6}, {10});
  const OneClassAccuracy a = one_class_accuracy(truth, found);
  EXPECT_DOUBLE_EQ(a.accuracy, 0.8);
  EXPECT_DOUBLE_EQ(a.baseline, 0.6);
}

}  // namespace clade::cluster

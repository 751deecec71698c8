#include "clustering/metrics/information.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace clade::cluster {
namespace {

double entropy(const std::vector<int64_t>& sums, int64_t n) {
  if (sums.size() == 1) return 0;
  double h = 0;
  for (int64_t s : sums) h -= double(s) / double(n) * (std::log(double(s)) - std::log(double(n)));
  return h;
}

double mean_of(double a, double b, Mean mean) {
  switch (mean) {
    case Mean::geometric: return std::sqrt(a * b);
    case Mean::min: return std::min(a, b);
    case Mean::max: return std::max(a, b);
    case Mean::arithmetic: break;
  }
  return (a + b) / 2;
}

// sum_m P(m) (m / n) ln(n m / (a b)) with m hypergeometric: a of n points marked, b drawn.
//
// P is followed by the ratio of its neighbours,
//   P(m + 1) / P(m) = (a - m)(b - m) / ((m + 1)(n - a - b + m + 1)),
// from its mode to both sides until it is negligible, and divided by its sum. No factorial is
// computed: the logarithm of n! carries an error of 1e-16 n ln n, which its exponential would show.
double expected_term(int64_t a, int64_t b, int64_t n) {
  int64_t low = std::max<int64_t>(0, a + b - n), high = std::min(a, b);
  int64_t mode =
      std::clamp(int64_t((double(a) + 1) * (double(b) + 1) / (double(n) + 2)), low, high);
  double total = 0, sum = 0;
  auto add = [&](int64_t m, double p) {
    total += p;
    double count = double(m), expected = double(a) * double(b) / double(n);
    if (m > 0) sum += p * (count / double(n)) * std::log(count / expected);
  };
  constexpr double kNegligible = 1e-25;  // of the mode; P falls faster than any power beyond it
  double p = 1;
  add(mode, p);
  for (int64_t m = mode; m < high && p > kNegligible; m++) {
    p *= double(a - m) / double(m + 1) * (double(b - m) / double(n - a - b + m + 1));
    add(m + 1, p);
  }
  p = 1;
  for (int64_t m = mode; m > low && p > kNegligible; m--) {
    p *= double(m) / double(a - m + 1) * (double(n - a - b + m) / double(b - m + 1));
    add(m - 1, p);
  }
  return sum / total;
}

// The distinct values of `sums`, ascending, with how often each occurs.
std::vector<std::pair<int64_t, double>> tally(std::vector<int64_t> sums) {
  std::sort(sums.begin(), sums.end());
  std::vector<std::pair<int64_t, double>> out;
  for (int64_t s : sums) {
    if (out.empty() || out.back().first != s) out.emplace_back(s, 0.0);
    out.back().second++;
  }
  return out;
}

// x moved away from 0 to at least one unit of roundoff, keeping its sign: where mean and
// expectation coincide the quotient of two such is 1 or finite (scikit-learn does the same).
double away_from_zero(double x) {
  constexpr double eps = std::numeric_limits<double>::epsilon();
  return x < 0 ? std::min(x, -eps) : std::max(x, eps);
}

}  // namespace

double mutual_information(const Contingency& table) {
  if (table.row_sums.size() == 1 || table.column_sums.size() == 1) return 0;
  double n = double(table.n), sum = 0;
  for (const Contingency::Cell& cell : table.cells) {
    double a = double(table.row_sums[size_t(cell.row)]);
    double b = double(table.column_sums[size_t(cell.column)]), count = double(cell.count);
    sum += count / n * (std::log(count) - std::log(a) - std::log(b) + std::log(n));
  }
  return std::max(sum, 0.0);
}

double expected_mutual_information(const Contingency& table) {
  if (table.row_sums.size() == 1 || table.column_sums.size() == 1) return 0;
  // The term depends on the sizes alone, and sizes repeat: each distinct pair is computed once.
  auto rows = tally(table.row_sums), columns = tally(table.column_sums);
  double sum = 0;
  for (auto [a, times_a] : rows)
    for (auto [b, times_b] : columns) sum += times_a * times_b * expected_term(a, b, table.n);
  return sum;
}

double normalized_mutual_information(const Contingency& table, Mean mean) {
  if (table.row_sums.size() == 1 && table.column_sums.size() == 1) return 1;
  double mi = mutual_information(table);
  if (mi == 0) return 0;  // and one entropy, hence the mean, may be 0 too
  return mi / mean_of(entropy(table.row_sums, table.n), entropy(table.column_sums, table.n), mean);
}

double adjusted_mutual_information(const Contingency& table, Mean mean) {
  if (table.row_sums.size() == 1 && table.column_sums.size() == 1) return 1;
  if (table.row_sums.size() == 1 || table.column_sums.size() == 1) return 0;
  double expected = expected_mutual_information(table);
  double most =
      mean_of(entropy(table.row_sums, table.n), entropy(table.column_sums, table.n), mean);
  return away_from_zero(mutual_information(table) - expected) / away_from_zero(most - expected);
}

VMeasure v_measure(const Contingency& table) {
  double mi = mutual_information(table);
  double h_truth = entropy(table.row_sums, table.n);
  double h_predicted = entropy(table.column_sums, table.n);
  double homogeneity = h_truth > 0 ? mi / h_truth : 1;
  double completeness = h_predicted > 0 ? mi / h_predicted : 1;
  double sum = homogeneity + completeness;
  return {homogeneity, completeness, sum > 0 ? 2 * homogeneity * completeness / sum : 0};
}

}  // namespace clade::cluster

#include "clustering/metrics/separation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "clustering/linalg/matrix.h"
#include "clustering/linalg/sum_rows.h"

namespace clade::cluster {
namespace {

// Means, sizes and spreads of the clusters, which are numbered by rising labels.
struct Clusters {
  int64_t n, d, k;
  std::vector<double> centre;     // mean of all (d)
  std::vector<double> means;      // (k, d)
  std::vector<double> sizes;      // (k)
  std::vector<double> distances;  // (k): sums of the distances of points to their mean
  double within = 0;              // sum of their squares
};

Clusters describe(const char* op, const Tensor& x, const Tensor& labels) {
  const Tensor data = finite_matrix(op, x);
  Clusters c{data.size(0), data.size(1), 0, {}, {}, {}, {}, 0};
  if (!labels.defined() || !(labels.shape() == Shape{c.n}) || labels.dtype() != DType::i32)
    fail(op, text("labels (n) i32 = ", Shape{c.n}), text(labels));
  const std::vector<int32_t> given = labels.to_vector<int32_t>();
  std::map<int32_t, int64_t> number;
  for (int32_t label : given) number[label] = 0;
  for (auto& entry : number) entry.second = c.k++;
  if (c.k < 2 || c.k >= c.n)
    fail(op, text("2 to n - 1 = ", c.n - 1, " distinct labels"), text(c.k));
  std::vector<int64_t> of;
  c.sizes.assign(size_t(c.k), 0.0);
  for (int32_t label : given) of.push_back(number[label]), c.sizes[size_t(of.back())]++;

  c.centre = column_means(data);
  const int64_t d = c.d, k = c.k;
  dispatch_floating(data.dtype(), [&](auto zero) {
    const auto* rows = data.data<decltype(zero)>();
    c.means = sum_rows(c.n, k * d, [&](int64_t i, double* sum) {  // from the mean of all
      double* to = sum + of[size_t(i)] * d;
      for (int64_t j = 0; j < d; j++) to[j] += double(rows[i * d + j]) - c.centre[size_t(j)];
    });
    for (int64_t e = 0; e < k * d; e++)
      c.means[size_t(e)] = c.means[size_t(e)] / c.sizes[size_t(e / d)] + c.centre[size_t(e % d)];
    c.distances = sum_rows(c.n, k + 1, [&](int64_t i, double* sum) {
      const double* mean = c.means.data() + of[size_t(i)] * d;
      double squared = 0;
      for (int64_t j = 0; j < d; j++) {
        const double diff = double(rows[i * d + j]) - mean[j];
        squared += diff * diff;
      }
      sum[of[size_t(i)]] += std::sqrt(squared);
      sum[k] += squared;
    });
  });
  c.within = c.distances.back();
  c.distances.pop_back();
  return c;
}

double distance(const double* a, const double* b, int64_t d) {
  double squared = 0;
  for (int64_t j = 0; j < d; j++) squared += (a[j] - b[j]) * (a[j] - b[j]);
  return std::sqrt(squared);
}

}  // namespace

double davies_bouldin(const Tensor& x, const Tensor& labels) {
  const Clusters c = describe("davies_bouldin", x, labels);
  double sum = 0;
  for (int64_t a = 0; a < c.k; a++) {
    double worst = 0;
    for (int64_t b = 0; b < c.k; b++) {
      const double apart = distance(c.means.data() + a * c.d, c.means.data() + b * c.d, c.d);
      if (a == b || apart == 0) continue;
      worst = std::max(worst, (c.distances[size_t(a)] / c.sizes[size_t(a)] +
                               c.distances[size_t(b)] / c.sizes[size_t(b)]) /
                                  apart);
    }
    sum += worst / double(c.k);
  }
  return sum;
}

double calinski_harabasz(const Tensor& x, const Tensor& labels) {
  const Clusters c = describe("calinski_harabasz", x, labels);
  if (c.within == 0) return 1;
  double between = 0;
  for (int64_t a = 0; a < c.k; a++)
    between +=
        c.sizes[size_t(a)] * std::pow(distance(c.means.data() + a * c.d, c.centre.data(), c.d), 2);
  return between * double(c.n - c.k) / (c.within * double(c.k - 1));
}

}  // namespace clade::cluster

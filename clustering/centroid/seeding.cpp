#include "clustering/centroid/seeding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/centroid/assign.h"
#include "clustering/linalg/grain.h"
#include "kernels/distance/distance.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

// lowered[t * n + i] = min(closest[i], squared distance of row i to row candidates[t]). Where the
// products may have cancelled most of the distance it is summed directly.
void lower_distances(const Tensor& x, const std::vector<double>& half_norms,
                     const std::vector<int64_t>& candidates, const double* closest,
                     double* lowered) {
  int64_t n = x.size(0), d = x.size(1), trials = int64_t(candidates.size());
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* data = x.data<T>();
    const double error = 2 * product_error(d, x.dtype());
    Scratch<T> centres(trials * d);
    for (int64_t t = 0; t < trials; t++)
      std::copy_n(data + candidates[size_t(t)] * d, d, centres.data() + t * d);
    parallel_for(n, rows_per_chunk(d * trials, 256), [&](int64_t begin, int64_t end) {
      Scratch<T> products((end - begin) * trials);
      kernels::gemm_serial<T>(false, true, end - begin, trials, d, T(1), data + begin * d, d,
                              centres.data(), d, T(0), products.data(), trials);
      for (int64_t i = begin; i < end; i++)
        for (int64_t t = 0; t < trials; t++) {
          double halves = half_norms[size_t(i)] + half_norms[size_t(candidates[size_t(t)])];
          double squared = 2 * (halves - double(products[(i - begin) * trials + t]));
          if (!(squared > 32 * error * halves))
            squared = kernels::direct_squared_distance(data + i * d, centres.data() + t * d, d);
          lowered[t * n + i] = std::min(closest[i], squared);
        }
    });
  });
}

double weight_of(const Tensor& weights, int64_t i) {
  return weights.defined() ? weights.data<double>()[i] : 1.0;
}

// sum_i w_i D_i^2, in order.
double potential_of(const double* squared, int64_t n, const Tensor& weights) {
  return parallel_reduce(
      n, rows_per_chunk(1), 0.0,
      [&](int64_t begin, int64_t end) {
        double sum = 0;
        for (int64_t i = begin; i < end; i++) sum += weight_of(weights, i) * squared[i];
        return sum;
      },
      [](double a, double b) { return a + b; });
}

// `count` rows with probability w_i mass_i (mass 1 where null). All of no mass: uniform.
std::vector<int64_t> draw_rows(int64_t n, const double* mass, const Tensor& weights, int64_t count,
                               Random& rng) {
  std::vector<double> cumulative(static_cast<size_t>(n));
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    cumulative[size_t(i)] = sum += weight_of(weights, i) * (mass ? mass[i] : 1.0);
  std::vector<int64_t> rows;
  for (int64_t t = 0; t < count; t++) {
    double u = rng.uniform();
    auto at = std::upper_bound(cumulative.begin(), cumulative.end(), u * sum);
    int64_t row = sum > 0 ? int64_t(at - cumulative.begin()) : int64_t(u * double(n));
    rows.push_back(std::min(row, n - 1));
  }
  return rows;
}

}  // namespace

std::vector<int64_t> plus_plus_rows(const Tensor& x, int64_t k, const Tensor& weights, Random& rng,
                                    const Progress& progress) {
  int64_t n = x.size(0), trials = 2 + int64_t(std::log(double(k)));
  std::vector<double> half_norms = half_squared_norms(x);
  std::vector<double> closest(size_t(n), std::numeric_limits<double>::infinity());
  std::vector<double> lowered(static_cast<size_t>(trials * n));
  std::vector<int64_t> rows = draw_rows(n, nullptr, weights, 1, rng);
  lower_distances(x, half_norms, rows, closest.data(), lowered.data());
  std::copy_n(lowered.begin(), n, closest.begin());
  for (int64_t c = 1; c < k; c++) {
    progress("k-means++", c, k);
    std::vector<int64_t> candidates = draw_rows(n, closest.data(), weights, trials, rng);
    lower_distances(x, half_norms, candidates, closest.data(), lowered.data());
    int64_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t t = 0; t < trials; t++) {
      double potential = potential_of(lowered.data() + t * n, n, weights);
      if (potential < least) least = potential, best = t;
    }
    rows.push_back(candidates[size_t(best)]);
    std::copy_n(lowered.begin() + best * n, n, closest.begin());
  }
  return rows;
}

std::vector<int64_t> random_rows(int64_t n, int64_t k, const Tensor& weights, Random& rng) {
  // The k smallest of independent exponential waiting times, -ln(1 - u_i) / w_i (Efraimidis &
  // Spirakis, "Weighted random sampling with a reservoir", IPL 97, 2006).
  std::vector<std::pair<double, int64_t>> wait(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) {
    double time = -std::log1p(-rng.uniform()), w = weight_of(weights, i);
    wait[size_t(i)] = {w > 0 ? time / w : std::numeric_limits<double>::infinity(), i};
  }
  std::partial_sort(wait.begin(), wait.begin() + k, wait.end());
  std::vector<int64_t> rows;
  for (int64_t c = 0; c < k; c++) rows.push_back(wait[size_t(c)].second);
  return rows;
}

}  // namespace clade::cluster

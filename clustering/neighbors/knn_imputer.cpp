#include "clustering/neighbors/knn_imputer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

// Squared partial distances from row i to all rows; infinite where they share no column.
void distances_from(const double* x, int64_t i, int64_t n, int64_t d, double* out) {
  for (int64_t r = 0; r < n; r++) {
    double sum = 0;
    int64_t common = 0;
    for (int64_t j = 0; j < d; j++) {
      const double off = x[i * d + j] - x[r * d + j];
      if (std::isnan(off)) continue;
      sum += off * off, common++;
    }
    out[r] = common ? sum * double(d) / double(common) : kFar;
  }
}

}  // namespace

Tensor knn_impute(const Tensor& x, int64_t k, const Progress& progress) {
  if (x.rank() != 2 || !is_floating(x.dtype()))
    fail("knn_impute", "rows (n, d) of f32 or f64", text(x));
  if (k < 1) fail("knn_impute", "1 neighbour or more", text(k));
  const int64_t n = x.size(0), d = x.size(1);
  const Tensor wide = x.to(DType::f64).contiguous();
  const double* v = wide.data<double>();
  std::vector<double> mean(size_t(d), 0), count(size_t(d), 0);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < n; i++) {
    bool hole = false;
    for (int64_t j = 0; j < d; j++) {
      const double value = v[i * d + j];
      if (std::isinf(value))
        fail("knn_impute", "finite values or NaN", text(value, " in row ", i, ", column ", j));
      if (std::isnan(value))
        hole = true;
      else
        mean[size_t(j)] += value, count[size_t(j)]++;
    }
    if (hole) rows.push_back(i);
  }
  for (int64_t j = 0; j < d; j++) mean[size_t(j)] /= std::max(count[size_t(j)], 1.0);

  Tensor filled = wide.clone();
  constexpr int64_t kAtATime = 256;  // rows between two reports
  const int64_t holes = int64_t(rows.size());
  for (int64_t first = 0; first < holes; first += kAtATime) {
    progress("knn imputation", first, holes);
    parallel_for(std::min(kAtATime, holes - first), 4, [&](int64_t begin, int64_t end) {
      std::vector<double> distance(static_cast<size_t>(n));
      std::vector<int64_t> donors;
      for (int64_t r = first + begin; r < first + end; r++) {
        const int64_t i = rows[size_t(r)];
        distances_from(v, i, n, d, distance.data());
        for (int64_t j = 0; j < d; j++) {
          if (!std::isnan(v[i * d + j])) continue;
          donors.clear();
          for (int64_t other = 0; other < n; other++)
            if (!std::isnan(v[other * d + j]) && distance[size_t(other)] < kFar)
              donors.push_back(other);
          const auto kept = std::min<int64_t>(k, int64_t(donors.size()));
          std::partial_sort(donors.begin(), donors.begin() + kept, donors.end(),
                            [&](int64_t a, int64_t b) {
                              const double da = distance[size_t(a)], db = distance[size_t(b)];
                              return da != db ? da < db : a < b;
                            });
          double sum = 0;
          for (int64_t l = 0; l < kept; l++) sum += v[donors[size_t(l)] * d + j];
          filled.data<double>()[i * d + j] = kept ? sum / double(kept) : mean[size_t(j)];
        }
      }
    });
  }
  progress("knn imputation", holes, holes);
  return filled.to(x.dtype());
}

}  // namespace clade::cluster

#include "clustering/metrics/silhouette.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/matrix.h"
#include "clustering/metrics/contingency.h"
#include "clustering/metrics/distances.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kRows = 64, kColumns = 512;  // a tile of distances: 256 KiB
constexpr int64_t kWave = 8192;                // rows between two calls of progress

// Points sorted by cluster: cluster c is rows begin[c] .. begin[c + 1] of `order`.
struct Sorted {
  std::vector<int64_t> order, begin;
};

Sorted sort_by_cluster(const Tensor& labels, const std::vector<int32_t>& distinct) {
  std::vector<int32_t> label = labels.to_vector<int32_t>();
  Sorted s;
  for (size_t i = 0; i < label.size(); i++) s.order.push_back(int64_t(i));
  std::stable_sort(s.order.begin(), s.order.end(),
                   [&](int64_t a, int64_t b) { return label[size_t(a)] < label[size_t(b)]; });
  for (int32_t l : distinct) {
    auto first = std::partition_point(s.order.begin(), s.order.end(),
                                      [&](int64_t i) { return label[size_t(i)] < l; });
    s.begin.push_back(first - s.order.begin());
  }
  s.begin.push_back(int64_t(label.size()));
  return s;
}

// One point's value from the sums of its distances to each cluster.
double value_of(const double* sums, const std::vector<int64_t>& begin, size_t own) {
  double a = 0, b = std::numeric_limits<double>::infinity();
  for (size_t c = 0; c + 1 < begin.size(); c++) {
    int64_t size = begin[c + 1] - begin[c];
    if (c != own) {
      b = std::min(b, sums[c] / double(size));
    } else if (size == 1) {
      return 0;
    } else {
      a = sums[c] / double(size - 1);
    }
  }
  double larger = std::max(a, b);
  return larger > 0 ? (b - a) / larger : 0;
}

}  // namespace

Tensor silhouette_samples(const Tensor& x, const Tensor& labels, const Progress& progress) {
  Tensor data = finite_matrix("silhouette", x);
  std::vector<int32_t> distinct = contingency("silhouette", labels, labels).row_labels;
  int64_t n = data.size(0), k = int64_t(distinct.size());
  if (labels.numel() != n)
    fail("silhouette", text("one label for each of the ", n, " rows of x"), text(labels));
  if (k < 2 || k > n - 1)
    fail("silhouette", text("2 to n - 1 = ", n - 1, " distinct labels"), text(k));

  Sorted sorted = sort_by_cluster(labels, distinct);
  CentredRows rows(data, sorted.order);
  Tensor out = Tensor::empty({n}, DType::f64);
  auto block = [&](int64_t i0, int64_t i1) {
    Scratch<double> tile(kRows * kColumns);
    std::vector<double> sums(size_t((i1 - i0) * k), 0.0);
    for (int64_t j0 = 0; j0 < n; j0 += kColumns) {
      int64_t j1 = std::min(n, j0 + kColumns), width = j1 - j0;
      rows.squared_distances(i0, i1, j0, j1, tile.data());
      for (int64_t i = std::max(i0, j0); i < std::min(i1, j1); i++)
        tile[(i - i0) * width + i - j0] = 0;  // to itself
      size_t first = size_t(std::upper_bound(sorted.begin.begin(), sorted.begin.end(), j0) -
                            sorted.begin.begin() - 1);
      for (int64_t i = i0; i < i1; i++) {
        const double* squared = tile.data() + (i - i0) * width;
        int64_t j = j0;
        for (size_t c = first; j < j1; c++) {
          double sum = 0;
          for (int64_t stop = std::min(j1, sorted.begin[c + 1]); j < stop; j++)
            sum += std::sqrt(squared[j - j0]);
          sums[size_t((i - i0) * k) + c] += sum;
        }
      }
    }
    size_t own = 0;
    for (int64_t i = i0; i < i1; i++) {
      while (sorted.begin[own + 1] <= i) own++;
      out.data<double>()[sorted.order[size_t(i)]] =
          value_of(sums.data() + (i - i0) * k, sorted.begin, own);
    }
  };
  for (int64_t wave = 0; wave < n; wave += kWave) {
    progress("silhouette", wave, n);
    parallel_for(std::min(kWave, n - wave), kRows,
                 [&](int64_t begin, int64_t end) { block(wave + begin, wave + end); });
  }
  progress("silhouette", n, n);
  return out;
}

double silhouette(const Tensor& x, const Tensor& labels, const Progress& progress) {
  Tensor samples = silhouette_samples(x, labels, progress);
  double sum = 0;
  for (int64_t i = 0; i < samples.numel(); i++) sum += samples.data<double>()[i];
  return sum / double(samples.numel());
}

}  // namespace clade::cluster

// Ranks are found by counting: r(i, j) = 1 + the points closer to i than j is. So whole rows of
// distances are needed, but no row is ever sorted.
#include "clustering/metrics/trustworthiness.h"

#include <algorithm>
#include <limits>

#include "clustering/linalg/matrix.h"
#include "clustering/metrics/distances.h"
#include "clustering/neighbors/knn.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kRows = 16;    // rows of n distances held by a thread
constexpr int64_t kWave = 4096;  // rows between two calls of progress

// How many of the points come before j in the order (distance, index).
int64_t points_before(const double* distance, int64_t n, int64_t j) {
  double limit = distance[j];
  int64_t before = 0;
  for (int64_t l = 0; l < j; l++) before += distance[l] <= limit;
  for (int64_t l = j + 1; l < n; l++) before += distance[l] < limit;
  return before;
}

}  // namespace

double trustworthiness(const Tensor& x, const Tensor& embedding, int64_t k,
                       const Progress& progress) {
  Tensor data = finite_matrix("trustworthiness", x);
  Tensor low = finite_matrix("trustworthiness", embedding, "embedding");
  int64_t n = data.size(0);
  if (low.size(0) != n)
    fail("trustworthiness", text("an embedding of the ", n, " rows of x"), text(embedding));
  if (k < 1 || 2 * k >= n)
    fail("trustworthiness", text("1 <= k < n / 2 for n = ", n), text("k = ", k));

  Neighbors near = exact_knn(low, k, false, progress);
  CentredRows rows(data);
  auto block = [&](int64_t i0, int64_t i1) -> int64_t {
    Scratch<double> distances((i1 - i0) * n);
    rows.squared_distances(i0, i1, 0, n, distances.data());
    int64_t excess = 0;
    for (int64_t i = i0; i < i1; i++) {
      double* distance = distances.data() + (i - i0) * n;
      distance[i] = std::numeric_limits<double>::infinity();  // not its own neighbour
      for (int64_t m = 0; m < k; m++) {
        int64_t rank = 1 + points_before(distance, n, near.index.data<int32_t>()[i * k + m]);
        excess += std::max<int64_t>(0, rank - k);
      }
    }
    return excess;
  };
  int64_t excess = 0;
  for (int64_t wave = 0; wave < n; wave += kWave) {
    progress("trustworthiness", wave, n);
    excess += parallel_reduce(
        std::min(kWave, n - wave), kRows, int64_t{0},
        [&](int64_t begin, int64_t end) { return block(wave + begin, wave + end); },
        [](int64_t a, int64_t b) { return a + b; });
  }
  progress("trustworthiness", n, n);
  double pairs = double(n) * double(k) * double(2 * n - 3 * k - 1);
  return 1 - 2 * double(excess) / pairs;
}

}  // namespace clade::cluster

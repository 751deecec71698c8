#include "clustering/neighbors/knn.h"

#include <cmath>
#include <limits>

#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/tile_search.h"
#include "clustering/neighbors/tree_search.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::cluster {
namespace {

// Distances are f32: those of finite values must not be infinite there.
void check_distances_fit(const Tensor& queries, const Tensor& points) {
  double most = 0;
  for (const Tensor& t : {queries, points}) most = std::max(most, largest_magnitude(t));
  const double farthest = 2 * most * std::sqrt(double(points.size(1)));
  if (farthest > double(std::numeric_limits<float>::max()))
    fail("exact_knn", "distances below 3.4e38 (f32)", text("values up to ", most),
         "scale the data");
}

Neighbors search(const Tensor& queries, const Tensor& points, int64_t found, int64_t columns,
                 bool skip_self, KnnMethod method, const Progress& progress) {
  int64_t n = queries.size(0), m = points.size(0), d = points.size(1);
  if (m > std::numeric_limits<int32_t>::max())
    fail("exact_knn", "fewer than 2^31 points", text(m), "search in parts");
  double size = double(size_of(points.dtype()));
  profiler::Span span("exact_knn", 2.0 * double(n) * double(m) * double(d),
                      double(n + m) * double(d) * size);
  Neighbors out{Tensor::empty({n, columns}, DType::i32), Tensor::empty({n, columns}, DType::f32)};
  if (method == KnnMethod::automatic)
    method = points.size(1) <= kTreeColumns ? KnnMethod::tree : KnnMethod::tiles;
  (method == KnnMethod::tree ? tree_search : tile_search)(queries, points, skip_self, found,
                                                          columns, out.index.data<int32_t>(),
                                                          out.distance.data<float>(), progress);
  return out;
}

}  // namespace

Neighbors exact_knn(const Tensor& x, int64_t k, bool include_self, const Progress& progress,
                    KnnMethod method) {
  Tensor points = finite_matrix("exact_knn", x);
  check_distances_fit(points, points);
  int64_t n = points.size(0), most = include_self ? n : n - 1;
  if (k < 1 || k > most)
    fail("exact_knn",
         text("1 <= k <= ", most, " for ", n, include_self ? " rows" : " rows without self"),
         text("k = ", k), "ask for fewer neighbours");
  Neighbors out = search(points, points, include_self ? k - 1 : k, k, true, method, progress);
  if (include_self) {
    for (int64_t i = 0; i < n; i++) {
      out.index.data<int32_t>()[i * k] = int32_t(i);
      out.distance.data<float>()[i * k] = 0;
    }
  }
  return out;
}

Neighbors exact_knn(const Tensor& queries, const Tensor& points, int64_t k,
                    const Progress& progress, KnnMethod method) {
  Tensor q = finite_matrix("exact_knn", queries, "queries");
  Tensor p = finite_matrix("exact_knn", points, "points");
  if (q.size(1) != p.size(1) || q.dtype() != p.dtype())
    fail("exact_knn", text("queries with the columns and dtype of points ", p), text(queries));
  if (k < 1 || k > p.size(0))
    fail("exact_knn", text("1 <= k <= ", p.size(0), " points"), text("k = ", k),
         "ask for fewer neighbours");
  check_distances_fit(q, p);
  return search(q, p, k, k, false, method, progress);
}

Tensor unit_rows(const char* op, const Tensor& x, bool about_mean) {
  Tensor units = finite_matrix(op, x).clone();
  const int64_t n = units.size(0), d = units.size(1);
  dispatch_floating(units.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        T* row = units.data<T>() + i * d;
        double most = 0, mean = 0, sum = 0;  // of values / most: no square overflows
        for (int64_t j = 0; j < d; j++) most = std::max(most, std::abs(double(row[j])));
        if (most == 0)
          fail(op, "rows with a direction", text("row ", i, " is all zeros"), "leave it out");
        for (int64_t j = 0; about_mean && j < d; j++) mean += double(row[j]) / most / double(d);
        for (int64_t j = 0; j < d; j++) {
          const double v = double(row[j]) / most - mean;
          sum += v * v;
        }
        const double length = std::sqrt(sum);
        if (length <= double(d) * 0x1p-50)  // what rounding leaves of the mean
          fail(op, "rows with a direction", text("row ", i, " is constant"), "leave it out");
        for (int64_t j = 0; j < d; j++) row[j] = T((double(row[j]) / most - mean) / length);
      }
    });
  });
  return units;
}

void to_cosine(Tensor& distance) {
  float* d = distance.data<float>();
  for (int64_t i = 0; i < distance.numel(); i++) d[i] = float(double(d[i]) * double(d[i]) / 2);
}

Neighbors cosine_knn(const Tensor& x, int64_t k, bool include_self, const Progress& progress) {
  Neighbors out = exact_knn(unit_rows("cosine_knn", x), k, include_self, progress);
  to_cosine(out.distance);
  return out;
}

}  // namespace clade::cluster

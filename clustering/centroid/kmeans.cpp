#include "clustering/centroid/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/centroid/assign.h"
#include "clustering/centroid/lloyd.h"
#include "clustering/centroid/seeding.h"
#include "clustering/linalg/grain.h"
#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

// True when b is a with its labels renamed.
bool same_clustering(const Tensor& a, const Tensor& b, int64_t k) {
  std::vector<int32_t> name(size_t(k), -1);
  for (int64_t i = 0; i < a.numel(); i++) {
    int32_t& n = name[size_t(a.data<int32_t>()[i])];
    if (n == -1) n = b.data<int32_t>()[i];
    if (n != b.data<int32_t>()[i]) return false;
  }
  return true;
}

void check_options(const KMeansOptions& o, const Tensor& x) {
  int64_t n = x.size(0), d = x.size(1);
  if (o.k < 1 || o.k > n)
    fail("kmeans", text("1 <= k <= n = ", n), text("k = ", o.k), "ask for fewer clusters");
  if (o.n_init < 1 || o.max_iter < 1)
    fail("kmeans", "n_init and max_iter of at least 1", text(o.n_init, " and ", o.max_iter));
  if (!(o.tol >= 0)) fail("kmeans", "tol >= 0", text(o.tol));
  bool given = o.init == KMeansOptions::Init::given;
  if (given && (!o.centres.defined() || !(o.centres.shape() == Shape{o.k, d})))
    fail("kmeans", text("given centres (k, d) = ", Shape{o.k, d}), text(o.centres));
}

Tensor first_centres(const KMeansOptions& o, const NearOrigin& data, const Tensor& weights,
                     int start, const Progress& progress) {
  const Tensor& x = data.rows;
  Random rng = Random(o.seed).fork("k-means").fork(uint64_t(start));
  switch (o.init) {
    case KMeansOptions::Init::random:
      return gather_rows(x, random_rows(x.size(0), o.k, weights, rng));
    case KMeansOptions::Init::given:
      return data.move(finite_matrix("kmeans", o.centres, "centres").to(x.dtype()));
    case KMeansOptions::Init::parallel:
      return gather_rows(x, parallel_rows(x, o.k, weights, rng, progress));
    case KMeansOptions::Init::plus_plus: break;
  }
  return gather_rows(x, plus_plus_rows(x, o.k, weights, rng, progress));
}

}  // namespace

KMeans kmeans(const Tensor& x, const KMeansOptions& options, const Tensor& weights,
              const Progress& progress) {
  Tensor data = finite_matrix("kmeans", x);
  check_options(options, data);
  Tensor w = check_weights("kmeans", weights, data.size(0));
  profiler::Span span("kmeans");

  const NearOrigin near(data);
  const std::vector<double> norms = half_squared_norms(near.rows);
  const LloydData shared{near.rows, norms, w};
  int starts = options.init == KMeansOptions::Init::given ? 1 : options.n_init;
  KMeans best;
  for (int start = 0; start < starts; start++) {
    Tensor centres = first_centres(options, near, w, start, progress);
    KMeans found = lloyd(shared, centres, options.max_iter, options.tol * near.variance, progress);
    // A renamed clustering may have a slightly smaller inertia by rounding alone.
    if (start == 0 ||
        (found.inertia < best.inertia && !same_clustering(found.labels, best.labels, options.k)))
      best = found;
  }
  best.centres = near.move_back(best.centres);
  return best;
}

namespace {

// x as data for a model, checked.
Tensor check_fitted(const KMeans& model, const Tensor& x) {
  Tensor data = finite_matrix("kmeans predict", x);
  if (data.size(1) != model.centres.size(1) || data.dtype() != model.centres.dtype())
    fail("kmeans predict", text("x with the columns and dtype of the centres ", model.centres),
         text(x));
  return data;
}

}  // namespace

Tensor predict(const KMeans& model, const Tensor& x) {
  const Tensor data = check_fitted(model, x);
  const NearOrigin centres(model.centres.contiguous());  // the model alone decides, not other rows
  Tensor labels = Tensor::empty({data.size(0)}, DType::i32);
  nearest_centres(centres.move(data), centres.rows, labels.data<int32_t>());
  return labels;
}

Tensor transform(const KMeans& model, const Tensor& x) {
  const Tensor data = check_fitted(model, x), centres = model.centres.contiguous();
  const int64_t n = data.size(0), d = data.size(1), k = centres.size(0);
  Tensor out = Tensor::empty({n, k}, data.dtype());
  dispatch_floating(data.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, rows_per_chunk(k * d), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        for (int64_t c = 0; c < k; c++)
          out.data<T>()[i * k + c] = T(std::sqrt(kernels::direct_squared_distance(
              data.data<T>() + i * d, centres.data<T>() + c * d, d)));
    });
  });
  return out;
}

double score(const KMeans& model, const Tensor& x, const Tensor& weights) {
  const Tensor data = check_fitted(model, x), labels = predict(model, data);
  const Tensor w = check_weights("kmeans score", weights, data.size(0));
  const Tensor centres = model.centres.contiguous();
  const int64_t d = data.size(1);
  return -dispatch_floating(data.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return parallel_reduce(
        data.size(0), rows_per_chunk(d), 0.0,
        [&](int64_t begin, int64_t end) {
          double sum = 0;
          for (int64_t i = begin; i < end; i++)
            sum +=
                (w.defined() ? w.data<double>()[i] : 1.0) *
                kernels::direct_squared_distance(
                    data.data<T>() + i * d, centres.data<T>() + labels.data<int32_t>()[i] * d, d);
          return sum;
        },
        [](double a, double b) { return a + b; });
  });
}

}  // namespace clade::cluster

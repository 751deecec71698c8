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
  std::vector<int32_t> in_b(size_t(k), -1), in_a(size_t(k), -1);
  for (int64_t i = 0; i < a.numel(); i++) {
    const int32_t la = a.data<int32_t>()[i], lb = b.data<int32_t>()[i];
    int32_t &to = in_b[size_t(la)], &back = in_a[size_t(lb)];
    if (to == -1) to = lb;
    if (back == -1) back = la;
    if (to != lb || back != la) return false;
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

// The first centres of starts first <= start < last.
std::vector<Tensor> first_centres(const KMeansOptions& o, const NearOrigin& data,
                                  const Tensor& weights, int first, int last,
                                  const Progress& progress) {
  using Init = KMeansOptions::Init;
  const Tensor& x = data.rows;
  if (o.init == Init::given)
    return {data.move(finite_matrix("kmeans", o.centres, "centres").to(x.dtype()))};
  std::vector<Random> rngs;
  for (int start = first; start < last; start++)
    rngs.push_back(Random(o.seed).fork("k-means").fork(uint64_t(start)));
  std::vector<Tensor> centres;
  if (o.init == Init::plus_plus)
    for (const auto& rows : plus_plus_rows(x, o.k, weights, rngs, progress))
      centres.push_back(gather_rows(x, rows));
  else
    for (Random& rng : rngs)
      centres.push_back(gather_rows(x, o.init == Init::random
                                           ? random_rows(x.size(0), o.k, weights, rng)
                                           : parallel_rows(x, o.k, weights, rng, progress)));
  return centres;
}

// Starts that are tried together, so that a row is fetched from memory for all of them: no more
// than what they keep about a row, a number for each candidate of a centre, is as large as the row.
int starts_at_once(const KMeansOptions& o, int64_t d) {
  constexpr int kMost = 16;
  return int(std::clamp<int64_t>(d / plus_plus_trials(o.k), 1, kMost));
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
  const int at_once = starts_at_once(options, data.size(1));
  for (int start = 0; start < starts; start += at_once) {
    const std::vector<Tensor> centres =
        first_centres(options, near, w, start, std::min(starts, start + at_once), progress);
    // A renamed clustering may have a slightly smaller inertia by rounding alone.
    for (const KMeans& found :
         lloyd(shared, centres, options.max_iter, options.tol * near.variance, progress))
      if (!best.labels.defined() ||
          (found.inertia < best.inertia && !same_clustering(found.labels, best.labels, options.k)))
        best = found;
  }
  best.centres = near.move_back(best.centres);
  best.inertia /= near.scale * near.scale;
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

#include "clustering/centroid/mini_batch.h"

#include <algorithm>
#include <cmath>

#include "clustering/centroid/assign.h"
#include "clustering/centroid/cluster_sums.h"
#include "clustering/centroid/seeding.h"
#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "tensor/profiler.h"

namespace clade::cluster {
namespace {

constexpr const char* kOp = "mini_batch_kmeans";

void check_options(const MiniBatchOptions& o, const Tensor& x) {
  const int64_t n = x.size(0), d = x.size(1);
  if (o.k < 1 || o.k > n)
    fail(kOp, text("1 <= k <= n = ", n), text("k = ", o.k), "ask for fewer clusters");
  if (o.batch < 1 || o.max_iter < 1 || o.max_no_improvement < 0)
    fail(kOp, "batch and max_iter of at least 1, max_no_improvement >= 0",
         text(o.batch, ", ", o.max_iter, " and ", o.max_no_improvement));
  if (!(o.tol >= 0) || !(o.reassignment_ratio >= 0))
    fail(kOp, "tol and reassignment_ratio >= 0", text(o.tol, " and ", o.reassignment_ratio));
  if (o.init == KMeansOptions::Init::given &&
      (!o.centres.defined() || !(o.centres.shape() == Shape{o.k, d})))
    fail(kOp, text("given centres (k, d) = ", Shape{o.k, d}), text(o.centres));
}

// `count` rows drawn with replacement.
std::vector<int64_t> draw(int64_t count, int64_t n, Random& rng) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < count; i++) rows.push_back(rng.below(n));
  return rows;
}

Tensor first_centres(const MiniBatchOptions& o, const Tensor& x, const NearOrigin& near,
                     const Tensor& weights, Random& rng, const Progress& progress) {
  using Init = KMeansOptions::Init;
  if (o.init == Init::given)
    return near.move(finite_matrix(kOp, o.centres, "centres").to(x.dtype()));
  if (o.init == Init::random) return gather_rows(x, random_rows(x.size(0), o.k, weights, rng));
  const int64_t size = std::min(x.size(0), std::max(3 * o.batch, 3 * o.k));
  const Tensor sample = gather_rows(x, random_rows(x.size(0), size, weights, rng));
  return gather_rows(sample, o.init == Init::parallel
                                 ? parallel_rows(sample, o.k, {}, rng, progress)
                                 : plus_plus_rows(sample, o.k, {}, rng, progress));
}

// The rule that ends the loop: a mean of the batches' figures in which old ones fade.
struct Smoothed {
  double value = 0;
  bool started = false;
  void take(double next, double share) {
    value = started ? value * (1 - share) + next * share : next;
    started = true;
  }
};

double squared_shift(const Tensor& before, const Tensor& after) {
  const std::vector<double> a = before.to_vector<double>(), b = after.to_vector<double>();
  double sum = 0;
  for (size_t e = 0; e < a.size(); e++) sum += (a[e] - b[e]) * (a[e] - b[e]);
  return sum;
}

}  // namespace

OnlineKMeans::OnlineKMeans(const Tensor& centres)
    : centres_(finite_matrix("online k-means", centres, "centres").clone()),
      weight_(size_t(centres.size(0)), 0.0) {}

double OnlineKMeans::add(const Tensor& x, const Tensor& weights) {
  const Tensor data = finite_matrix("online k-means", x);
  const int64_t n = data.size(0), d = centres_.size(1), k = centres_.size(0);
  if (data.size(1) != d || data.dtype() != centres_.dtype())
    fail("online k-means", text("x with the columns and dtype of the centres ", centres_), text(x));
  const Tensor w = check_weights("online k-means", weights, n);
  const double* wi = w.defined() ? w.data<double>() : nullptr;
  std::vector<int32_t> labels(static_cast<size_t>(n));
  nearest_centres(data, centres_, labels.data());
  std::vector<Move> moves;
  for (int64_t i = 0; i < n; i++) moves.push_back({i, -1, labels[size_t(i)]});
  ClusterSums sums(k, d);
  sums.apply(data, wi, moves);
  double inertia = 0;
  dispatch_floating(data.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* centres = centres_.data<T>();
    for (int64_t i = 0; i < n; i++)
      inertia +=
          (wi ? wi[i] : 1.0) * kernels::direct_squared_distance(data.data<T>() + i * d,
                                                                centres + labels[size_t(i)] * d, d);
    for (int64_t c = 0; c < k; c++) {
      const double gained = sums.weight[size_t(c)];
      if (!(gained > 0)) continue;
      weight_[size_t(c)] += gained;
      for (int64_t j = 0; j < d; j++) {
        T& value = centres[c * d + j];
        value = T(double(value) +
                  (sums.points[size_t(c * d + j)] - gained * double(value)) / weight_[size_t(c)]);
      }
    }
  });
  return inertia;
}

void OnlineKMeans::reassign(const Tensor& x, double ratio, Random& rng) {
  const double limit = ratio * *std::max_element(weight_.begin(), weight_.end());
  std::vector<size_t> light;
  double least = std::numeric_limits<double>::infinity();  // of those that stay
  for (size_t c = 0; c < weight_.size(); c++)
    if (weight_[c] < limit)
      light.push_back(c);
    else
      least = std::min(least, weight_[c]);
  if (int64_t(light.size()) > x.size(0) / 2) light.resize(size_t(x.size(0) / 2));
  if (light.empty()) return;
  const std::vector<int64_t> rows = random_rows(x.size(0), int64_t(light.size()), {}, rng);
  for (size_t e = 0; e < light.size(); e++) {
    centres_.select(0, int64_t(light[e])).copy_(x.select(0, rows[e]));
    weight_[light[e]] = least;
  }
}

KMeans mini_batch_kmeans(const Tensor& x, const MiniBatchOptions& options, const Tensor& weights,
                         const Progress& progress) {
  const MiniBatchOptions& o = options;
  const Tensor data = finite_matrix(kOp, x);
  check_options(o, data);
  const Tensor w = check_weights(kOp, weights, data.size(0));
  profiler::Span span(kOp);
  const NearOrigin near(data);
  const Tensor& rows = near.rows;
  const int64_t n = rows.size(0), batch = std::min(o.batch, n);
  Random rng = Random(o.seed).fork(kOp);
  OnlineKMeans online(first_centres(o, rows, near, w, rng, progress));

  const int64_t steps = std::max<int64_t>(1, n / batch) * o.max_iter;
  const double share = std::min(1.0, 2.0 * double(batch) / double(n + 1));
  Smoothed inertia, shift;
  double least = std::numeric_limits<double>::infinity();
  int64_t since_reassigned = 0;
  int waited = 0;
  KMeans out;
  while (!out.converged && out.iterations < steps) {
    progress("mini-batch k-means", out.iterations, steps);
    out.iterations++;
    const std::vector<int64_t> drawn = draw(batch, n, rng);
    const Tensor part = gather_rows(rows, drawn);
    Tensor part_weights;
    double weight = double(batch);
    if (w.defined()) {
      part_weights = Tensor::empty({batch}, DType::f64);
      weight = 0;
      for (int64_t i = 0; i < batch; i++)
        weight += part_weights.data<double>()[i] = w.data<double>()[drawn[size_t(i)]];
      if (!(weight > 0)) continue;  // only rows that do not count
    }
    const Tensor before = online.centres().clone();
    const double found = online.add(part, part_weights) / weight;
    since_reassigned += batch;
    if (o.reassignment_ratio > 0 && since_reassigned >= 10 * o.k) {
      online.reassign(part, o.reassignment_ratio, rng);
      since_reassigned = 0;
    }
    if (out.iterations == 1) continue;  // what it tells is about the first centres
    inertia.take(found, share);
    shift.take(squared_shift(before, online.centres()), share);
    waited = inertia.value < least ? 0 : waited + 1;
    least = std::min(least, inertia.value);
    out.converged = (o.tol > 0 && shift.value <= o.tol * near.variance) ||
                    (o.max_no_improvement > 0 && waited >= o.max_no_improvement);
  }
  out.centres = online.centres();
  out.labels = Tensor::empty({n}, DType::i32);
  nearest_centres(rows, out.centres, out.labels.data<int32_t>());
  out.inertia = -score(out, rows, w) / (near.scale * near.scale);
  out.centres = near.move_back(out.centres);
  return out;
}

}  // namespace clade::cluster

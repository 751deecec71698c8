#include "clustering/centroid/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/centroid/assign.h"
#include "clustering/centroid/seeding.h"
#include "clustering/linalg/grain.h"
#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

// One Lloyd iteration's sums: the points of each cluster added up, before they are averaged.
struct Sums {
  std::vector<double> points, weight;  // (k, d), (k)
};

// One start on centred data. Everything that is summed over rows is f64.
class Lloyd {
 public:
  Lloyd(const Tensor& x, const Tensor& weights, const Tensor& centres)
      : x_(x),
        weights_(weights),
        centres_(centres.clone()),
        row_norms_(half_squared_norms(x)),
        labels_(Tensor::full({x.size(0)}, -1, DType::i32)) {}

  KMeans run(const KMeansOptions& options, double tol, const Progress& progress) {
    KMeans out;
    while (!out.converged && out.iterations < options.max_iter) {
      progress("k-means", out.iterations, options.max_iter);
      out.iterations++;
      std::vector<int32_t> before = labels_.to_vector<int32_t>();
      double moved = iterate();
      bool settled = std::equal(before.begin(), before.end(), labels_.data<int32_t>());
      out.converged = settled || moved <= tol;
      if (settled) centres_changed_ = false;
    }
    // The centres have moved since the last assignment, unless no label changed in it.
    if (centres_changed_) nearest_centres(x_, centres_, labels_.data<int32_t>());
    out.centres = centres_;
    out.labels = labels_;
    out.inertia = inertia();
    return out;
  }

 private:
  double weight(int64_t i) const { return weights_.defined() ? weights_.data<double>()[i] : 1.0; }

  // Assigns, moves the centres; returns the sum of their squared shifts.
  double iterate() {
    Sums sums = assign_and_sum();
    relocate_empty(&sums);
    centres_changed_ = true;
    return average(sums);
  }

  Sums assign_and_sum() {
    int64_t n = x_.size(0), d = x_.size(1), k = centres_.size(0);
    std::vector<double> centre_norms = half_squared_norms(centres_);
    const Nearest nearest{x_, row_norms_, centres_, centre_norms};
    int64_t grain = rows_per_chunk(k * d, (n + 63) / 64);  // at most 64 partial results
    auto block = [&](int64_t begin, int64_t end) {
      Sums part{std::vector<double>(size_t(k * d), 0.0), std::vector<double>(size_t(k), 0.0)};
      int32_t* labels = labels_.data<int32_t>();
      nearest.assign(begin, end, labels + begin);
      dispatch_floating(x_.dtype(), [&](auto zero) {
        const auto* x = x_.data<decltype(zero)>();
        for (int64_t i = begin; i < end; i++) add_point(x + i * d, weight(i), labels[i], 1, &part);
      });
      return part;
    };
    auto join = [](Sums a, const Sums& b) {
      if (a.weight.empty()) return b;
      for (size_t e = 0; e < a.points.size(); e++) a.points[e] += b.points[e];
      for (size_t c = 0; c < a.weight.size(); c++) a.weight[c] += b.weight[c];
      return a;
    };
    return parallel_reduce(n, grain, Sums{}, block, join);
  }

  template <class T>
  void add_point(const T* row, double w, int64_t cluster, double sign, Sums* sums) const {
    int64_t d = x_.size(1);
    double* to = sums->points.data() + cluster * d;
    for (int64_t j = 0; j < d; j++) to[j] += sign * w * double(row[j]);
    sums->weight[size_t(cluster)] += sign * w;
  }

  // Squared distance of each point to its own centre.
  std::vector<double> own_distances() const {
    int64_t n = x_.size(0), d = x_.size(1);
    std::vector<double> squared(static_cast<size_t>(n));
    dispatch_floating(x_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_for(n, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++)
          squared[size_t(i)] = kernels::direct_squared_distance(
              x_.data<T>() + i * d, centres_.data<T>() + labels_.data<int32_t>()[i] * d, d);
      });
    });
    return squared;
  }

  // Each cluster without weight takes over one of the points farthest from their centres.
  void relocate_empty(Sums* sums) {
    std::vector<int64_t> empty;
    for (size_t c = 0; c < sums->weight.size(); c++)
      if (sums->weight[c] == 0) empty.push_back(int64_t(c));
    if (empty.empty()) return;
    std::vector<double> squared = own_distances();
    std::vector<int64_t> order(squared.size());
    for (size_t i = 0; i < order.size(); i++) order[i] = int64_t(i);
    std::partial_sort(order.begin(), order.begin() + int64_t(empty.size()), order.end(),
                      [&](int64_t a, int64_t b) {
                        double da = squared[size_t(a)], db = squared[size_t(b)];
                        return da > db || (da == db && a < b);
                      });
    if (squared[size_t(order[0])] == 0) return;  // fewer distinct points than clusters
    dispatch_floating(x_.dtype(), [&](auto zero) {
      const auto* x = x_.data<decltype(zero)>();
      for (size_t e = 0; e < empty.size(); e++) {
        int64_t i = order[e];
        const auto* row = x + i * x_.size(1);
        add_point(row, weight(i), labels_.data<int32_t>()[i], -1, sums);
        add_point(row, weight(i), empty[e], 1, sums);
      }
    });
  }

  // Sums become means. A cluster that is still empty goes where the heaviest one is.
  double average(const Sums& sums) {
    int64_t k = centres_.size(0), d = centres_.size(1);
    int64_t heaviest =
        std::max_element(sums.weight.begin(), sums.weight.end()) - sums.weight.begin();
    double moved = 0;
    dispatch_floating(x_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t c = 0; c < k; c++) {
        int64_t from = sums.weight[size_t(c)] > 0 ? c : heaviest;
        for (int64_t j = 0; j < d; j++) {
          T mean = T(sums.points[size_t(from * d + j)] / sums.weight[size_t(from)]);
          T* centre = centres_.data<T>() + c * d + j;
          moved += (double(mean) - double(*centre)) * (double(mean) - double(*centre));
          *centre = mean;
        }
      }
    });
    return moved;
  }

  double inertia() const {
    std::vector<double> squared = own_distances();
    double sum = 0;
    for (size_t i = 0; i < squared.size(); i++) sum += weight(int64_t(i)) * squared[i];
    return sum;
  }

  Tensor x_, weights_, centres_;
  std::vector<double> row_norms_;
  Tensor labels_;
  bool centres_changed_ = true;
};

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

// As (n) f64, checked.
Tensor check_weights(const Tensor& weights, int64_t n) {
  if (!weights.defined()) return weights;
  if (!(weights.shape() == Shape{n}) || !is_floating(weights.dtype()))
    fail("kmeans", text("weights (n) = ", Shape{n}, " of f32 or f64"), text(weights));
  Tensor w = weights.to(DType::f64).contiguous();
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    double wi = w.data<double>()[i];
    if (!(wi >= 0) || std::isinf(wi))
      fail("kmeans", "finite weights >= 0", text(wi, " in row ", i));
    sum += wi;
  }
  if (!(sum > 0)) fail("kmeans", "a positive weight", "only zeros");
  return w;
}

// The rows of x that `rows` names.
Tensor gather(const Tensor& x, const std::vector<int64_t>& rows) {
  Tensor out = Tensor::empty({int64_t(rows.size()), x.size(1)}, x.dtype());
  for (size_t c = 0; c < rows.size(); c++) out.select(0, int64_t(c)).copy_(x.select(0, rows[c]));
  return out;
}

Tensor first_centres(const KMeansOptions& o, const Tensor& x, const std::vector<double>& mean,
                     const Tensor& weights, int start, const Progress& progress) {
  Random rng = Random(o.seed).fork("k-means").fork(uint64_t(start));
  switch (o.init) {
    case KMeansOptions::Init::random: return gather(x, random_rows(x.size(0), o.k, weights, rng));
    case KMeansOptions::Init::given:
      return centre_rows(finite_matrix("kmeans", o.centres, "centres").to(x.dtype()), mean);
    case KMeansOptions::Init::plus_plus: break;
  }
  return gather(x, plus_plus_rows(x, o.k, weights, rng, progress));
}

}  // namespace

KMeans kmeans(const Tensor& x, const KMeansOptions& options, const Tensor& weights,
              const Progress& progress) {
  Tensor data = finite_matrix("kmeans", x);
  check_options(options, data);
  Tensor w = check_weights(weights, data.size(0));
  profiler::Span span("kmeans");

  std::vector<double> mean = column_means(data);
  double variance = 0;
  for (double v : column_variances(data, mean)) variance += v / double(mean.size());
  Tensor centred = centre_rows(data, mean);
  int starts = options.init == KMeansOptions::Init::given ? 1 : options.n_init;
  KMeans best;
  for (int start = 0; start < starts; start++) {
    Tensor centres = first_centres(options, centred, mean, w, start, progress);
    KMeans found = Lloyd(centred, w, centres).run(options, options.tol * variance, progress);
    // A renamed clustering may have a slightly smaller inertia by rounding alone.
    if (start == 0 ||
        (found.inertia < best.inertia && !same_clustering(found.labels, best.labels, options.k)))
      best = found;
  }
  std::vector<double> back = mean;
  for (double& m : back) m = -m;
  best.centres = centre_rows(best.centres, back);
  return best;
}

Tensor predict(const KMeans& model, const Tensor& x) {
  Tensor data = finite_matrix("kmeans predict", x);
  if (data.size(1) != model.centres.size(1) || data.dtype() != model.centres.dtype())
    fail("kmeans predict", text("x with the columns and dtype of the centres ", model.centres),
         text(x));
  std::vector<double> mean = column_means(model.centres);
  Tensor labels = Tensor::empty({data.size(0)}, DType::i32);
  nearest_centres(centre_rows(data, mean), centre_rows(model.centres, mean),
                  labels.data<int32_t>());
  return labels;
}

}  // namespace clade::cluster

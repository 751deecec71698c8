// A key is sum_{j observed} (c_j^2 / 2 - x_j c_j), which orders the partial distances of a row: one
// product of lifted rows, [x, m] . [c, -c^2 / 2] with its sign changed, where m is 1 for what was
// observed and holes are 0. As a difference of large numbers it only proposes (assign.h): where the
// first two keys lie closer than the rounding of 2 d + 8 terms allows, all centres are measured.
#include "clustering/centroid/kpod.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/centroid/assign.h"
#include "clustering/centroid/cluster_sums.h"
#include "clustering/centroid/seeding.h"
#include "clustering/linalg/grain.h"
#include "clustering/linalg/matrix.h"
#include "clustering/linalg/sum_rows.h"
#include "kernels/distance/tiles.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 256;

// Sum of squared differences over the columns that x has.
template <class T>
double partial_distance(const T* x, const T* centre, int64_t d) {
  double sum = 0;
  for (int64_t j = 0; j < d; j++) {
    const double diff = double(x[j]) - double(centre[j]);
    sum += x[j] == x[j] ? diff * diff : 0.0;
  }
  return sum;
}

// The nearest centre of rows with holes; -1 for rows of nothing else.
template <class T>
class PartialNearest {
 public:
  PartialNearest(const T* centres, int64_t k, int64_t d)
      : centres_(centres),
        k_(k),
        d_(d),
        lifted_(k * 2 * d),
        zeros_(size_t(std::min(k, kTile)), T(0)) {
    for (int64_t c = 0; c < k; c++)
      for (int64_t j = 0; j < d; j++) {
        const T v = centres[c * d + j];
        lifted_[c * 2 * d + j] = v;
        lifted_[c * 2 * d + d + j] = -v * v / 2;
        most_ = std::max(most_, half_squared_norm(centres + c * d, d));
      }
  }

  void find(const T* rows, int64_t count, int32_t* labels) {
    Scratch<T> left(kTile * 2 * d_), products(kTile * std::min(k_, kTile));
    for (int64_t i = 0; i < count; i += kTile)
      find_tile(rows + i * d_, std::min(kTile, count - i), left.data(), products.data(),
                labels + i);
  }

 private:
  void find_tile(const T* rows, int64_t count, T* left, T* products, int32_t* labels) {
    T least[kTile], second[kTile];
    std::fill_n(least, count, std::numeric_limits<T>::infinity());
    std::fill_n(second, count, std::numeric_limits<T>::infinity());
    std::fill_n(labels, count, 0);
    for (int64_t i = 0; i < count; i++)
      for (int64_t j = 0; j < d_; j++) {
        const T v = rows[i * d_ + j];
        left[i * 2 * d_ + j] = v == v ? v : T(0);
        left[i * 2 * d_ + d_ + j] = T(v == v);
      }
    for (int64_t c = 0; c < k_; c += kTile) {
      const int64_t block = std::min(kTile, k_ - c);
      kernels::transposed_products(left, count, lifted_.data() + c * 2 * d_, block, 2 * d_,
                                   products);
      kernels::least_two(products, count, block, zeros_.data(), int32_t(c), least, labels, second);
    }
    const double u = double(std::numeric_limits<T>::epsilon()) / 2;
    const double error = double(2 * d_ + 8) * u;
    const double underflow = double(2 * d_ + 8) * double(std::numeric_limits<T>::min());
    for (int64_t i = 0; i < count; i++) {
      double observed = 0, half = 0;
      for (int64_t j = 0; j < d_; j++) {
        observed += double(left[i * 2 * d_ + d_ + j]);
        half += double(left[i * 2 * d_ + j]) * double(left[i * 2 * d_ + j]) / 2;
      }
      if (observed == 0)
        labels[i] = -1;
      else if (!(double(second[i]) - double(least[i]) >
                 2 * (error * (half + 2 * most_) + underflow)))
        labels[i] = nearest_of_all(rows + i * d_);
    }
  }

  int32_t nearest_of_all(const T* row) const {
    int32_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t c = 0; c < k_; c++) {
      const double squared = partial_distance(row, centres_ + c * d_, d_);
      if (squared < least) least = squared, best = int32_t(c);
    }
    return best;
  }

  const T* centres_;
  int64_t k_, d_;
  Scratch<T> lifted_;  // (k, 2 d): [c, -c^2 / 2]
  std::vector<T> zeros_;
  double most_ = 0;  // of ||c||^2 / 2
};

void partial_nearest(const Tensor& x, const Tensor& centres, int32_t* labels) {
  const int64_t d = x.size(1), k = centres.size(0);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    PartialNearest<T> search(centres.data<T>(), k, d);
    parallel_for(x.size(0), rows_per_chunk(2 * d * k, kTile), [&](int64_t begin, int64_t end) {
      search.find(x.data<T>() + begin * d, end - begin, labels + begin);
    });
  });
}

// Means of what each column has; throws where it has nothing.
std::vector<double> observed_means(const Tensor& x) {
  const int64_t n = x.size(0), d = x.size(1);
  std::vector<double> sums = dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    return sum_rows(n, 2 * d, [&](int64_t i, double* sum) {
      for (int64_t j = 0; j < d; j++) {
        const double v = double(data[i * d + j]);
        if (std::isnan(v)) continue;
        sum[j] += v;
        sum[d + j]++;
      }
    });
  });
  std::vector<double> mean(static_cast<size_t>(d));
  for (int64_t j = 0; j < d; j++) {
    if (sums[size_t(d + j)] == 0)
      fail("kpod", "a value in every column", text("nothing but NaN in column ", j),
           "leave the column out");
    mean[size_t(j)] = sums[size_t(j)] / sums[size_t(d + j)];
  }
  return mean;
}

// One start on centred data.
class Descent {
 public:
  Descent(const Tensor& x, const Tensor& weights, const Tensor& centres)
      : x_(x),
        w_(weights.defined() ? weights.data<double>() : nullptr),
        k_(centres.size(0)),
        d_(x.size(1)),
        sums_(k_, d_, true) {
    out_.centres = centres.clone();
    out_.labels = Tensor::full({x.size(0)}, -1, DType::i32);
  }

  KPod run(int max_iter, const Progress& progress) {
    while (!out_.converged && out_.iterations < max_iter) {
      progress("k-POD", out_.iterations, max_iter);
      out_.iterations++;
      const std::vector<Move> moves = assign();
      out_.converged = moves.empty();
      sums_.apply(x_, w_, moves);
      relocate_empty();
      average();
      out_.objectives.push_back(objective());
    }
    if (!out_.converged) {  // the centres have moved since
      assign();
      out_.objectives.back() = objective();
    }
    out_.inertia = out_.objectives.back();
    return out_;
  }

 private:
  std::vector<Move> assign() {
    const int64_t n = x_.size(0);
    std::vector<int32_t> found(static_cast<size_t>(n));
    partial_nearest(x_, out_.centres, found.data());
    std::vector<Move> moves;
    int32_t* labels = out_.labels.data<int32_t>();
    for (int64_t i = 0; i < n; i++)
      if (found[size_t(i)] != labels[i]) {
        moves.push_back({i, labels[i], found[size_t(i)]});
        labels[i] = found[size_t(i)];
      }
    return moves;
  }

  // w_i times the partial distance of each row to its centre, 0 for rows of holes.
  std::vector<double> own_distances() const {
    std::vector<double> own(size_t(x_.size(0)), 0.0);
    const int32_t* labels = out_.labels.data<int32_t>();
    dispatch_floating(x_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_for(x_.size(0), rows_per_chunk(d_), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++)
          if (labels[i] >= 0)
            own[size_t(i)] =
                (w_ ? w_[i] : 1.0) * partial_distance(x_.data<T>() + i * d_,
                                                      out_.centres.data<T>() + labels[i] * d_, d_);
      });
    });
    return own;
  }

  double objective() const {
    double sum = 0;
    for (double own : own_distances()) sum += own;
    return sum;
  }

  // Each empty cluster takes over the row farthest from its centre, if it is not there already.
  void relocate_empty() {
    std::vector<int32_t> empty;
    for (int64_t c = 0; c < k_; c++)
      if (sums_.members[size_t(c)] == 0) empty.push_back(int32_t(c));
    if (empty.empty()) return;
    std::vector<double> own = own_distances();
    std::vector<Move> moves;
    for (int32_t c : empty) {
      const int64_t row = std::max_element(own.begin(), own.end()) - own.begin();
      if (!(own[size_t(row)] > 0)) break;
      int32_t& label = out_.labels.data<int32_t>()[row];
      moves.push_back({row, label, c});
      label = c;
      own[size_t(row)] = 0;
      out_.converged = false;
    }
    sums_.apply(x_, w_, moves);
  }

  // What a cluster has seen nothing of becomes 0, the mean of the column.
  void average() {
    dispatch_floating(x_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* centre = out_.centres.data<T>();
      for (size_t e = 0; e < sums_.points.size(); e++)
        if (sums_.members[e / size_t(d_)] > 0)
          centre[e] = sums_.observed[e] > kNothing * sums_.weight[e / size_t(d_)]
                          ? T(sums_.points[e] / sums_.observed[e])
                          : T(0);
    });
  }

  static constexpr double kNothing = 1e-12;  // subtracted weights may leave as much

  const Tensor& x_;
  const double* w_;
  const int64_t k_, d_;
  ClusterSums sums_;
  KPod out_;
};

Tensor without_holes(const Tensor& x, double value) {
  Tensor out = x.clone();
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* data = out.data<T>();
    for (int64_t e = 0; e < out.numel(); e++)
      if (std::isnan(data[e])) data[e] = T(value);
  });
  return out;
}

void check_options(const KPodOptions& o, const Tensor& x) {
  const int64_t n = x.size(0), d = x.size(1);
  if (o.k < 1 || o.k > n)
    fail("kpod", text("1 <= k <= n = ", n), text("k = ", o.k), "ask for fewer clusters");
  if (o.n_init < 1 || o.max_iter < 1)
    fail("kpod", "n_init and max_iter of at least 1", text(o.n_init, " and ", o.max_iter));
  if (o.init == KMeansOptions::Init::given &&
      (!o.centres.defined() || !(o.centres.shape() == Shape{o.k, d})))
    fail("kpod", text("given centres (k, d) = ", Shape{o.k, d}), text(o.centres));
}

// Rows of holes alone start no cluster: their weight is 0.
Tensor seeding_weights(const Tensor& x, const Tensor& weights, int64_t k) {
  const int64_t n = x.size(0), d = x.size(1);
  Tensor out = weights.defined() ? weights.clone() : Tensor::full({n}, 1.0, DType::f64);
  int64_t rows = 0;
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    for (int64_t i = 0; i < n; i++) {
      const bool any = std::any_of(data + i * d, data + (i + 1) * d, [](auto v) { return v == v; });
      if (!any) out.data<double>()[i] = 0;
      rows += any && out.data<double>()[i] > 0;
    }
  });
  if (rows < k)
    fail("kpod", text("k = ", k, " rows that have a value and a weight"), text(rows),
         "ask for fewer clusters");
  return out;
}

Tensor first_centres(const KPodOptions& o, const Tensor& filled, const std::vector<double>& mean,
                     const Tensor& weights, int start, const Progress& progress) {
  using Init = KMeansOptions::Init;
  Random rng = Random(o.seed).fork("k-means").fork(uint64_t(start));
  switch (o.init) {
    case Init::given:
      return centre_rows(finite_matrix("kpod", o.centres, "centres").to(filled.dtype()), mean);
    case Init::random: return gather_rows(filled, random_rows(filled.size(0), o.k, weights, rng));
    case Init::parallel:
      return gather_rows(filled, parallel_rows(filled, o.k, weights, rng, progress));
    case Init::plus_plus: break;
  }
  return gather_rows(filled, plus_plus_rows(filled, o.k, weights, rng, progress));
}

Tensor check_fitted(const KPod& model, const Tensor& x) {
  Tensor data = matrix_with_holes("kpod predict", x);
  if (data.size(1) != model.centres.size(1) || data.dtype() != model.centres.dtype())
    fail("kpod predict", text("x with the columns and dtype of the centres ", model.centres),
         text(x));
  return data;
}

}  // namespace

// f32 squares of what is observed must stay in range.
static void require_squares(const Tensor& centred) {
  constexpr double kLargest = 1e15;
  if (centred.dtype() != DType::f32) return;
  const float* v = centred.data<float>();
  for (int64_t e = 0; e < centred.numel(); e++)
    if (std::abs(double(v[e])) > kLargest)
      fail("kpod", "values within 1e15 of their column's mean", text(v[e], " from it"),
           "scale the data");
}

KPod kpod(const Tensor& x, const KPodOptions& options, const Tensor& weights,
          const Progress& progress) {
  const Tensor data = matrix_with_holes("kpod", x);
  check_options(options, data);
  const Tensor w = check_weights("kpod", weights, data.size(0));
  profiler::Span span("kpod");
  std::vector<double> mean = observed_means(data);
  const Tensor centred = centre_rows(data, mean);
  require_squares(centred);
  const Tensor seeds = seeding_weights(centred, w, options.k);
  const int starts = options.init == KMeansOptions::Init::given ? 1 : options.n_init;
  KPod best;
  for (int start = 0; start < starts; start++) {
    const Tensor centres =
        first_centres(options, without_holes(centred, 0), mean, seeds, start, progress);
    KPod found = Descent(centred, w, centres).run(options.max_iter, progress);
    if (start == 0 || found.inertia < best.inertia) best = found;
  }
  for (double& m : mean) m = -m;
  best.centres = centre_rows(best.centres, mean);
  return best;
}

Tensor predict(const KPod& model, const Tensor& x) {
  const Tensor data = check_fitted(model, x);
  const std::vector<double> mean = column_means(model.centres);
  Tensor labels = Tensor::empty({data.size(0)}, DType::i32);
  partial_nearest(centre_rows(data, mean), centre_rows(model.centres, mean),
                  labels.data<int32_t>());
  return labels;
}

Tensor fill_holes(const KPod& model, const Tensor& x) {
  const Tensor data = check_fitted(model, x), labels = predict(model, x);
  const std::vector<double> mean = column_means(model.centres);
  const Tensor centres = model.centres.contiguous();
  const int64_t d = data.size(1);
  Tensor out = data.clone();
  dispatch_floating(data.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t e = 0; e < out.numel(); e++) {
      T& value = out.data<T>()[e];
      const int32_t label = labels.data<int32_t>()[e / d];
      if (std::isnan(value))
        value = label >= 0 ? centres.data<T>()[label * d + e % d] : T(mean[size_t(e % d)]);
    }
  });
  return out;
}

}  // namespace clade::cluster

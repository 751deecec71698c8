#include "clustering/centroid/assign.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/grain.h"
#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/tiles.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

// A tile of products: 256 rows by 256 centres, 256 KiB of f32, which the L2 cache holds.
constexpr int64_t kTile = 256;
constexpr double kFar = 4;           // squared mean over variance
constexpr int64_t kFewKeys = 65536;  // of rows looked at closely, in one product

// Bounds are kept in f32 and moved outwards by more than their rounding.
constexpr float kOutwards = 1.0f / (1 << 22);
float above(double distance) { return float(distance) * (1 + kOutwards); }
float below(double distance) {
  constexpr double kMost = double(std::numeric_limits<float>::max());
  return distance > kMost && std::isfinite(distance) ? float(kMost)
                                                     : float(distance) * (1 - kOutwards);
}

}  // namespace

// Where the answers for the rows of a tile go; upper and lower may be null.
template <class T>
struct NearestCentre<T>::Best {
  int32_t* labels;
  float *upper, *lower;

  Best from(int64_t i) const {
    return {labels + i, upper ? upper + i : nullptr, lower ? lower + i : nullptr};
  }
  void set(int64_t i, int32_t label, double own, double other) const {
    labels[i] = label;
    if (upper) upper[i] = above(std::sqrt(std::max(0.0, own)));
    if (lower) lower[i] = below(std::sqrt(std::max(0.0, other)));
  }
};

template <class T>
NearestCentre<T>::NearestCentre(const T* centres, int64_t k, int64_t d)
    : centres_(centres),
      k_(k),
      d_(d),
      error_(double(d + 8) * double(std::numeric_limits<T>::epsilon()) / 2),
      underflow_(double(d + 8) * double(std::numeric_limits<T>::min())),
      h_(static_cast<size_t>(k)),
      lifted_(static_cast<size_t>(k)) {
  for (int64_t j = 0; j < k; j++) {
    h_[size_t(j)] = half_squared_norm(centres + j * d, d);
    lifted_[size_t(j)] = T(h_[size_t(j)] * (1 - 2 * error_));
  }
}

template <class T>
void NearestCentre<T>::find(const T* rows, const double* g, int64_t count, int32_t* labels,
                            float* upper, float* lower) const {
  Scratch<T> products(kTile * std::min(kTile, k_));
  const Best best{labels, upper, lower};
  for (int64_t i = 0; i < count; i += kTile)
    find_tile(rows + i * d_, g + i, std::min(kTile, count - i), products.data(), best.from(i));
}

template <class T>
void NearestCentre<T>::find_tile(const T* rows, const double* g, int64_t count, T* products,
                                 const Best& best) const {
  T least[kTile], second[kTile];
  std::fill_n(least, count, std::numeric_limits<T>::infinity());
  std::fill_n(second, count, std::numeric_limits<T>::infinity());
  std::fill_n(best.labels, count, 0);
  for (int64_t j = 0; j < k_; j += kTile) {
    const int64_t block = std::min(kTile, k_ - j);
    kernels::transposed_products(rows, count, centres_ + j * d_, block, d_, products);
    kernels::least_two(products, count, block, lifted_.data() + j, int32_t(j), least, best.labels,
                       second);
  }
  std::vector<int32_t> doubtful;
  for (int64_t i = 0; i < count; i++) {
    // The true key of the first is at most `limit`, and no other's is below second - e g.
    const int32_t label = best.labels[i];
    const double slack = error_ * g[i] + underflow_;
    const double limit = double(least[i]) + 4 * error_ * h_[size_t(label)] + slack;
    if (double(second[i]) - slack > limit && std::isfinite(limit))
      best.set(i, label, 2 * (g[i] + limit), 2 * (g[i] + double(second[i]) - slack));
    else
      doubtful.push_back(int32_t(i));
  }
  if (!doubtful.empty()) find_exactly(rows, g, doubtful, best);
}

// Rows whose keys do not tell: all centres that can be the nearest are measured directly.
template <class T>
void NearestCentre<T>::find_exactly(const T* rows, const double* g,
                                    const std::vector<int32_t>& doubtful, const Best& best) const {
  const int64_t tile = std::clamp<int64_t>(kFewKeys / k_, 1, int64_t(doubtful.size()));
  Scratch<T> keys(tile * k_), gathered(tile * d_);
  Scratch<int32_t> close(k_);
  for (size_t i0 = 0; i0 < doubtful.size(); i0 += size_t(tile)) {
    const int64_t count = std::min(tile, int64_t(doubtful.size() - i0));
    for (int64_t i = 0; i < count; i++) {
      std::copy_n(rows + doubtful[i0 + size_t(i)] * d_, d_, gathered.data() + i * d_);
      std::copy(lifted_.begin(), lifted_.end(), keys.data() + i * k_);
    }
    kernels::gemm_serial<T>(false, true, count, k_, d_, T(-1), gathered.data(), d_, centres_, d_,
                            T(1), keys.data(), k_);
    for (int64_t i = 0; i < count; i++) {
      const int32_t row = doubtful[i0 + size_t(i)];
      const T* key = keys.data() + i * k_;
      const T least = kernels::smallest_key(key, k_);
      const double slack = error_ * g[row] + underflow_;
      kernels::find_at_most(key, k_, least, close.data());
      const double limit = double(least) + 4 * error_ * h_[size_t(close[0])] + 2 * slack;
      const T bound = T(limit + std::abs(limit) * double(std::numeric_limits<T>::epsilon()));
      int64_t candidates = kernels::find_at_most(key, k_, bound, close.data());
      if (!std::isfinite(double(bound)))  // products that left the range tell nothing
        for (candidates = 0; candidates < k_; candidates++) close[candidates] = int32_t(candidates);
      int32_t label = 0;
      double own = std::numeric_limits<double>::infinity(), other = own;
      for (int64_t c = 0; c < candidates; c++) {
        const double squared = kernels::direct_squared_distance(gathered.data() + i * d_,
                                                                centres_ + close[c] * d_, d_);
        if (squared < own)
          other = own, own = squared, label = close[c];
        else
          other = std::min(other, squared);
      }
      if (candidates < k_) other = std::min(other, 2 * (g[row] + double(bound) - slack));
      best.set(row, label, own, other);
    }
  }
}

template class NearestCentre<float>;
template class NearestCentre<double>;

double product_error(int64_t d, DType dtype) {
  const double epsilon = dtype == DType::f32 ? double(std::numeric_limits<float>::epsilon())
                                             : std::numeric_limits<double>::epsilon();
  return double(d + 8) * epsilon / 2;
}

Tensor centre_rows(const Tensor& x, const std::vector<double>& mean, double scale) {
  int64_t n = x.size(0), d = x.size(1);
  Tensor out = Tensor::empty({n, d}, x.dtype());
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* to = out.data<T>();
    const double* m = mean.data();
    parallel_for(n, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        for (int64_t i = begin; i < end; i++)
          for (int64_t j = 0; j < d; j++)
            to[i * d + j] = T((double(from[i * d + j]) - m[j]) * scale);
      });
    });
  });
  return out;
}

NearOrigin::NearOrigin(const Tensor& x) : mean(column_means(x)) {
  double total = 0, offset = 0;
  for (double v : column_variances(x, mean)) total += v;
  for (double m : mean) offset += m * m;
  if (!std::isfinite(total + offset))
    fail("k-means", "values whose squares f64 holds", "larger ones", "scale the data");
  moved = offset > kFar * total;
  if (!moved) std::fill(mean.begin(), mean.end(), 0.0);
  const double squared = moved ? total : total + offset;  // mean of the squared norms
  const bool f32 = x.dtype() == DType::f32;
  const double largest = f32 ? 1e30 : 1e290, smallest = f32 ? 1e-24 : 1e-280;
  if (squared > 0 && (squared * double(x.size(0)) > largest || squared < smallest))
    scale = std::exp2(-std::ilogb(std::sqrt(squared) * std::sqrt(double(x.size(0)))));
  variance = total / double(mean.size()) * scale * scale;
  rows = is_x() ? x : centre_rows(x, mean, scale);
}

Tensor NearOrigin::move(const Tensor& centres) const {
  return is_x() ? centres : centre_rows(centres, mean, scale);
}

Tensor NearOrigin::move_back(const Tensor& centres) const {
  if (is_x()) return centres;
  std::vector<double> back = mean;
  for (double& m : back) m = -m * scale;
  return centre_rows(centres, back, 1 / scale);
}

template <class T>
double half_squared_norm(const T* row, int64_t d) {
  constexpr int64_t kLanes = 16;
  double lane[kLanes] = {}, sum = 0;
  with_vectors([&] {
    int64_t j = 0;
    for (; j + kLanes <= d; j += kLanes)
      for (int64_t l = 0; l < kLanes; l++) lane[l] += double(row[j + l]) * double(row[j + l]);
    for (int64_t l = 0; j < d; j++, l++) lane[l] += double(row[j]) * double(row[j]);
    for (double l : lane) sum += l;
  });
  return sum / 2;
}

template double half_squared_norm<float>(const float*, int64_t);
template double half_squared_norm<double>(const double*, int64_t);

std::vector<double> half_squared_norms(const Tensor& x) {
  int64_t n = x.size(0), d = x.size(1);
  std::vector<double> half(static_cast<size_t>(n));
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(n, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) half[size_t(i)] = half_squared_norm(data + i * d, d);
    });
  });
  return half;
}

void nearest_centres(const Tensor& x, const Tensor& centres, int32_t* labels) {
  const int64_t n = x.size(0), d = x.size(1), k = centres.size(0);
  const std::vector<double> g = half_squared_norms(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const NearestCentre<T> search(centres.data<T>(), k, d);
    parallel_for(n, rows_per_chunk(d * k, kTile), [&](int64_t begin, int64_t end) {
      search.find(x.data<T>() + begin * d, g.data() + begin, end - begin, labels + begin);
    });
  });
}

}  // namespace clade::cluster

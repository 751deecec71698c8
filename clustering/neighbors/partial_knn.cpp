// Nearest neighbours of rows with holes. With zeros in place of what is missing and M the mask,
//
//   S = (X o X) M' + M (X o X)' - 2 X X',   c = M M',   partial distance^2 = d S / c
//
// S is one product of lifted rows of 3 d columns, [x^2, m, -2 x] . [m, y^2, y], in f64, and c one
// of d columns, exact. S cancels as every product form does: a sum of 3 d terms is off by at most
// e (|x|^2 + |y|^2), e = (3 d + 8) u (kernels/distance/tiles.h). So S less that is a lower bound,
// and rows are measured by direct sums in the order of their bounds until the next bound is above
// the k-th distance.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/knn.h"
#include "clustering/neighbors/partial_distance.h"
#include "clustering/neighbors/ranked.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kRows = 32, kSpare = 8;
// Rows between two looks at the progress: some seconds of one core.
int64_t rows_of_wave(int64_t n, int64_t d) {
  return std::clamp<int64_t>((int64_t{1} << 31) / (n * d) / kRows * kRows, kRows, 4096);
}

class PartialSearch {
 public:
  PartialSearch(const Tensor& x, int64_t min_common)
      : n_(x.size(0)),
        d_(x.size(1)),
        min_common_(min_common),
        x_(x),
        left_(n_ * 3 * d_),
        right_(n_ * 3 * d_),
        norm_(n_) {
    std::vector<double> mean(size_t(d_), 0), count(size_t(d_), 0);
    for (int64_t i = 0; i < n_; i++)
      for (int64_t j = 0; j < d_; j++)
        if (!std::isnan(at(i, j))) mean[size_t(j)] += at(i, j), count[size_t(j)]++;
    for (int64_t j = 0; j < d_; j++) mean[size_t(j)] /= std::max(count[size_t(j)], 1.0);
    parallel_for(n_, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double *l = left_.data() + i * 3 * d_, *r = right_.data() + i * 3 * d_;
        norm_[i] = 0;
        for (int64_t j = 0; j < d_; j++) {
          const bool there = !std::isnan(at(i, j));
          const double v = there ? at(i, j) - mean[size_t(j)] : 0;
          norm_[i] += v * v;
          l[j] = v * v, l[d_ + j] = there, l[2 * d_ + j] = -2 * v;
          r[j] = there, r[d_ + j] = v * v, r[2 * d_ + j] = v;
        }
      }
    });
  }

  // The k nearest of the rows begin .. end (at most kRows), themselves left out.
  void block(int64_t begin, int64_t end, int64_t k, std::vector<Ranked<double>>* nearest) {
    const int64_t rows = end - begin;
    Scratch<double> sum(rows * n_), common(rows * n_);
    kernels::gemm_serial<double>(false, true, rows, n_, 3 * d_, 1.0, left_.data() + begin * 3 * d_,
                                 3 * d_, right_.data(), 3 * d_, 0.0, sum.data(), n_);
    kernels::gemm_serial<double>(false, true, rows, n_, d_, 1.0, left_.data() + begin * 3 * d_ + d_,
                                 3 * d_, right_.data(), 3 * d_, 0.0, common.data(), n_);
    const double e = double(3 * d_ + 8) * 0x1p-53;
    std::vector<Ranked<double>> all;
    for (int64_t i = 0; i < rows; i++) {
      all.clear();
      for (int64_t j = 0; j < n_; j++) {
        const double c = common[i * n_ + j];
        if (j == begin + i || c < double(min_common_)) continue;
        const double error = e * (norm_[begin + i] + norm_[j]);
        all.push_back({std::max(0.0, sum[i * n_ + j] - error) / c, int32_t(j)});
      }
      rank(begin + i, k, all, nearest[i]);
    }
  }

 private:
  double at(int64_t i, int64_t j) const {
    return x_.dtype() == DType::f32 ? double(x_.data<float>()[i * d_ + j])
                                    : x_.data<double>()[i * d_ + j];
  }

  // `bounds`: a lower bound for each possible neighbour. In their order, until the next is too far.
  void rank(int64_t row, int64_t k, std::vector<Ranked<double>>& bounds,
            std::vector<Ranked<double>>& nearest) const {
    nearest.clear();
    size_t sorted = 0;
    for (size_t b = 0; b < bounds.size(); b++) {
      if (b == sorted) {  // the next few
        sorted = std::min(bounds.size(), std::max(sorted * 2, size_t(k + kSpare)));
        std::nth_element(bounds.begin() + std::ptrdiff_t(b),
                         bounds.begin() + std::ptrdiff_t(sorted) - 1, bounds.end());
        std::sort(bounds.begin() + std::ptrdiff_t(b), bounds.begin() + std::ptrdiff_t(sorted));
      }
      const bool full = int64_t(nearest.size()) == k;
      if (full && bounds[b].value * double(d_) > nearest.back().value * (1 + 0x1p-40)) break;
      const Ranked<double> r{partial_distance(row, bounds[b].index), bounds[b].index};
      if (full && !(r < nearest.back())) continue;
      if (full) nearest.pop_back();
      nearest.insert(std::upper_bound(nearest.begin(), nearest.end(), r), r);
    }
  }

  double partial_distance(int64_t a, int64_t b) const {
    return dispatch_floating(x_.dtype(), [&](auto zero) {
      const auto* rows = x_.data<decltype(zero)>();
      return partial_squared_distance(rows + a * d_, rows + b * d_, d_, 1);
    });
  }

  const int64_t n_, d_, min_common_;
  const Tensor x_;
  Scratch<double> left_, right_, norm_;
};

}  // namespace

Neighbors partial_knn(const Tensor& x, int64_t k, bool include_self, int64_t min_common,
                      const Progress& progress) {
  const Tensor rows = matrix_with_holes("partial_knn", x);
  const int64_t n = rows.size(0), d = rows.size(1), most = include_self ? n : n - 1;
  if (k < 1 || k > most)
    fail("partial_knn",
         text("1 <= k <= ", most, " for ", n, include_self ? " rows" : " rows without self"),
         text("k = ", k), "ask for fewer neighbours");
  if (min_common < 1 || min_common > d)
    fail("partial_knn", text("1 <= min_common <= ", d, " columns"), text(min_common));
  double largest = 0;
  for (double v : rows.to_vector<double>()) largest = std::abs(v) > largest ? std::abs(v) : largest;
  if (2 * largest * std::sqrt(double(d)) > double(std::numeric_limits<float>::max()))
    fail("partial_knn", "distances below 3.4e38 (f32)", text("values up to ", largest),
         "scale the data");
  Neighbors out{Tensor::full({n, k}, -1, DType::i32),
                Tensor::full({n, k}, std::numeric_limits<double>::infinity(), DType::f32)};
  int32_t* index = out.index.data<int32_t>();
  float* distance = out.distance.data<float>();
  const int64_t self = include_self ? 1 : 0;
  for (int64_t i = 0; i < n && include_self; i++) index[i * k] = int32_t(i), distance[i * k] = 0;
  if (k == self) return out;
  PartialSearch search(rows, min_common);
  const int64_t step = rows_of_wave(n, rows.size(1));
  for (int64_t wave = 0; wave < n; wave += step) {
    progress("nearest neighbours over holes", wave, n);
    parallel_for(std::min(step, n - wave), kRows, [&](int64_t begin, int64_t end) {
      std::vector<std::vector<Ranked<double>>> nearest(static_cast<size_t>(end - begin));
      search.block(wave + begin, wave + end, k - self, nearest.data());
      for (int64_t i = 0; i < end - begin; i++) {
        int64_t to = (wave + begin + i) * k + self;
        for (const Ranked<double>& r : nearest[size_t(i)])
          index[to] = r.index, distance[to++] = float(std::sqrt(r.value));
      }
    });
  }
  progress("nearest neighbours over holes", n, n);
  return out;
}

}  // namespace clade::cluster

// Ranks are found by counting: r(i, j) = 1 + the points that come before j in the order (distance,
// index) from i. No row of distances is kept, and none is sorted.
//
// Of a tile of keys (kernels/distance/tiles.h) most prove on which side of j they lie; the few in
// doubt are measured directly, in f64. So the ranks are exact, ties included.
#include "clustering/metrics/trustworthiness.h"

#include <algorithm>
#include <vector>

#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/image.h"
#include "clustering/neighbors/knn.h"
#include "clustering/neighbors/ranked.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/tiles.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

using kernels::kTileColumns;
using kernels::kTileRows;

constexpr int64_t kWave = 64 * kTileRows;  // rows between two calls of progress

// S: the data, and its images.
template <class S>
class Ranks {
 public:
  Ranks(const Tensor& x, ImagePlan plan, const int32_t* near, int64_t k)
      : n_(x.size(0)),
        d_(x.size(1)),
        k_(k),
        rows_(x.data<S>()),
        near_(near),
        plan_(std::move(plan)),
        bound_(d_),
        right_(n_ * (d_ + 1)),
        margin_(n_),
        half_(n_),
        slack_(n_) {
    parallel_for(n_, kTileRows, [&](int64_t begin, int64_t end) {
      images(begin, end, right_.data() + begin * (d_ + 1));
      for (int64_t i = begin; i < end; i++) {
        kernels::lift_right(right_.data() + i * (d_ + 1), d_, half_[i], bound_);
        margin_[i] = bound_.margin(half_[i]);
      }
    });
    most_slack_ = *std::max_element(slack_.data(), slack_.data() + n_);
  }

  // sum of max(0, r(i, j) - k) over the rows begin .. end, at most kTileRows, and their near j.
  int64_t excess(int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    Scratch<S> left(rows * (d_ + 1)), tile(kTileRows * kTileColumns);
    std::copy_n(right_.data() + begin * (d_ + 1), rows * (d_ + 1), left.data());
    std::vector<Limit> limits;
    for (int64_t i = begin; i < end; i++) {
      kernels::lift_left(left.data() + (i - begin) * (d_ + 1), d_);
      for (int64_t m = 0; m < k_; m++) {
        const int32_t j = near_[i * k_ + m];
        const double squared = distance(i, j), scaled = squared * plan_.scale * plan_.scale;
        const double slack = slack_[i] + most_slack_;
        limits.push_back({{squared, j},
                          bound_.limit(scaled, slack, half_[i]),
                          bound_.lower_limit(scaled, slack, half_[i]),
                          0});
      }
    }
    int32_t doubtful[kTileColumns];
    kernels::for_key_tiles(left.data(), rows, right_.data(), n_, d_ + 1, begin, tile.data(),
                           [&](int64_t j0, int64_t columns) {
                             for (int64_t l = 0; l < rows * k_; l++)
                               count(limits[size_t(l)], begin + l / k_,
                                     tile.data() + l / k_ * columns, j0, columns, doubtful);
                           });
    int64_t sum = 0;
    for (const Limit& l : limits) sum += std::max<int64_t>(0, l.before + 1 - k_);
    return sum;
  }

 private:
  struct Limit {
    Ranked<double> point;  // j and its squared distance from i
    S high, low;           // keys above and below are surely after and before it
    int64_t before;        // so many points
  };

  void images(int64_t begin, int64_t end, S* to) {
    make_images<S, S>(plan_, rows_ + begin * d_, end - begin,
                      {to, d_ + 1, half_.data() + begin, slack_.data() + begin, nullptr});
  }

  double distance(int64_t i, int64_t j) const {
    return kernels::direct_squared_distance(rows_ + i * d_, rows_ + j * d_, d_);
  }

  void count(Limit& limit, int64_t i, const S* keys, int64_t j0, int64_t columns,
             int32_t* doubtful) {
    const S* margin = margin_.data() + j0;
    const kernels::KeyCounts c = kernels::count_keys(keys, columns, margin, limit.high, limit.low);
    limit.before += c.at_most - c.in_doubt;
    const int64_t self = i - j0;
    if (self >= 0 && self < columns && keys[self] + margin[self] <= limit.low) limit.before--;
    if (c.in_doubt == 0) return;
    kernels::find_in_doubt(keys, columns, margin, limit.high, limit.low, doubtful);
    for (int64_t f = 0; f < c.in_doubt; f++) {
      const int64_t j = j0 + doubtful[f];
      if (j != i) limit.before += Ranked<double>{distance(i, j), int32_t(j)} < limit.point;
    }
  }

  const int64_t n_, d_, k_;
  const S* rows_;
  const int32_t* near_;
  const ImagePlan plan_;
  const kernels::KeyBound<S> bound_;
  Scratch<S> right_, margin_;
  Scratch<double> half_, slack_;
  double most_slack_ = 0;
};

// turned: the neighbours in x, their ranks in the embedding.
double kept(const char* op, const Tensor& x, const Tensor& embedding, bool turned, int64_t k,
            const Progress& progress) {
  Tensor data = finite_matrix(op, x), low = finite_matrix(op, embedding, "embedding");
  const int64_t n = data.size(0);
  if (low.size(0) != n) fail(op, text("an embedding of the ", n, " rows of x"), text(embedding));
  if (k < 1 || 2 * k >= n) fail(op, text("1 <= k < n / 2 for n = ", n), text("k = ", k));
  if (turned) std::swap(data, low);

  const Neighbors near = exact_knn(low, k, false, progress);
  int64_t excess = 0;
  dispatch_floating(data.dtype(), [&](auto zero) {
    Ranks<decltype(zero)> ranks(data, plain_images(op, data, data), near.index.data<int32_t>(), k);
    for (int64_t wave = 0; wave < n; wave += kWave) {
      progress(op, wave, n);
      excess += parallel_reduce(
          std::min(kWave, n - wave), kTileRows, int64_t{0},
          [&](int64_t begin, int64_t end) { return ranks.excess(wave + begin, wave + end); },
          [](int64_t a, int64_t b) { return a + b; });
    }
  });
  progress(op, n, n);
  const double pairs = double(n) * double(k) * double(2 * n - 3 * k - 1);
  return 1 - 2 * double(excess) / pairs;
}

}  // namespace

double trustworthiness(const Tensor& x, const Tensor& embedding, int64_t k,
                       const Progress& progress) {
  return kept("trustworthiness", x, embedding, false, k, progress);
}

double continuity(const Tensor& x, const Tensor& embedding, int64_t k, const Progress& progress) {
  return kept("continuity", x, embedding, true, k, progress);
}

}  // namespace clade::cluster

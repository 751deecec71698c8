// Exact nearest neighbours: products of images propose, direct differences decide, bounds prove.
//
//  1. Tiles of keys of the images (image.h) of a block of queries against all points.
//  2. A point waits in its query's list if its key allows it to be nearer than the k-th best point
//     measured so far. When a list is full its most promising points are measured, which lowers
//     that bound, and the list is cut back. So no list grows beyond its size, and nothing that
//     could be a neighbour is ever lost: there is no second pass.
//  3. At the end the rest is measured in the order of the keys until a key proves that nothing
//     further can be near enough. Where there is a second, longer image it is asked before a point
//     is measured.
//
// Measured means: the direct sum of squared differences in f64 over the original values. Ties are
// broken by index. So the answer is that of the definition, whatever was rounded on the way, and
// the same at any number of threads: a block of queries is one thread's.
#include "clustering/neighbors/tile_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "clustering/neighbors/image.h"
#include "clustering/neighbors/ranked.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/tiles.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

using kernels::kTileColumns;
using kernels::kTileRows;

constexpr int64_t kWave = 64 * kTileRows;  // queries between two calls of progress
constexpr const char* kStage = "exact nearest neighbours";

// S: the data; T: its images.
template <class S, class T>
class TileSearch {
 public:
  TileSearch(const Tensor& queries, const Tensor& points, bool skip_self, int64_t k,
             int64_t columns, int32_t* index, float* distance, ImagePlan plan)
      : n_(queries.size(0)),
        m_(points.size(0)),
        d_(points.size(1)),
        queries_(queries.data<S>()),
        points_(points.data<S>()),
        skip_self_(skip_self),
        k_(k),
        columns_(columns),
        index_(index),
        distance_(distance),
        plan_(std::move(plan)),
        key_bound_(plan_.columns()),
        width_(plan_.columns() + 1),
        capacity_(size_t(std::clamp<int64_t>(2 * plan_.expected, 4 * (k + 16), 4096 + 4 * k))),
        right_(m_ * width_),
        half_(m_),
        slack_(m_),
        second_(m_ * second_width()) {
    if (plan_.head) order_ = order_by_place(plan_, points, kTileRows);
  }

  void run(const Progress& progress) {
    lift_points();
    for (int64_t wave = 0; wave < n_; wave += kWave) {
      progress(kStage, wave, n_);
      parallel_for(std::min(kWave, n_ - wave), kTileRows,
                   [&](int64_t begin, int64_t end) { block(wave + begin, wave + end); });
    }
    progress(kStage, n_, n_);
  }

 private:
  struct Query {
    int64_t row;
    double half, slack;
    const float* second;
    T bound = std::numeric_limits<T>::infinity();               // keys above it are too far
    double farthest = std::numeric_limits<double>::infinity();  // second images above it are
    std::vector<Ranked<T>> waiting = {};
    std::vector<Ranked<double>> nearest = {};  // the k best measured, in order
  };

  int64_t second_width() const { return plan_.deep ? plan_.deep + 1 : 0; }

  void lift_points() {
    most_slack_ = parallel_reduce(
        m_, kTileRows, 0.0,
        [&](int64_t begin, int64_t end) {
          const int64_t count = end - begin;
          double *half = half_.data() + begin, *slack = slack_.data() + begin;
          Scratch<S> buffer(order_.empty() ? 0 : count * d_);
          make_images<S, T>(
              plan_, gather(points_, begin, end, buffer.data()), count,
              {right_.data() + begin * width_, width_, half, slack, second_of(begin)});
          for (int64_t i = 0; i < count; i++)
            kernels::lift_right(right_.data() + (begin + i) * width_, plan_.columns(), half[i],
                                key_bound_);
          return *std::max_element(slack, slack + count);
        },
        [](double a, double b) { return std::max(a, b); });
  }

  float* second_of(int64_t place) {
    return plan_.deep ? second_.data() + place * second_width() : nullptr;
  }

  // Points are named by their places in an order that keeps near ones together, so that a block's
  // queries meet their neighbours first and share the rows that they measure.
  int32_t row_at(int64_t place) const {
    return order_.empty() ? int32_t(place) : order_[size_t(place)];
  }

  // Rows as make_images wants them: those at places begin .. end of x.
  const S* gather(const S* x, int64_t begin, int64_t end, S* buffer) const {
    if (order_.empty()) return x + begin * d_;
    for (int64_t i = begin; i < end; i++)
      std::copy_n(x + row_at(i) * d_, d_, buffer + (i - begin) * d_);
    return buffer;
  }

  void block(int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    Scratch<T> left(rows * width_), tile(kTileRows * kTileColumns);
    Scratch<float> second(skip_self_ ? 0 : rows * second_width());
    std::vector<double> half(static_cast<size_t>(rows)), slack(static_cast<size_t>(rows));
    if (skip_self_) {  // their images are those of the points
      std::copy_n(right_.data() + begin * width_, rows * width_, left.data());
      std::copy_n(half_.data() + begin, rows, half.data());
      std::copy_n(slack_.data() + begin, rows, slack.data());
    } else {
      make_images<S, T>(
          plan_, queries_ + begin * d_, rows,
          {left.data(), width_, half.data(), slack.data(), plan_.deep ? second.data() : nullptr});
    }
    const float* seconds = skip_self_ ? second_of(begin) : second.data();
    std::vector<Query> queries;
    for (int64_t i = 0; i < rows; i++) {
      kernels::lift_left(left.data() + i * width_, plan_.columns());
      queries.push_back({skip_self_ ? row_at(begin + i) : begin + i, half[size_t(i)],
                         slack[size_t(i)] + most_slack_, seconds + i * second_width()});
      queries.back().waiting.reserve(capacity_ + kTileColumns);
    }
    int32_t found[kTileColumns];
    kernels::for_key_tiles(left.data(), rows, right_.data(), m_, width_, skip_self_ ? begin : 0,
                           tile.data(), [&](int64_t j0, int64_t width) {
                             for (int64_t i = 0; i < rows; i++) {
                               Query& q = queries[size_t(i)];
                               const T* keys = tile.data() + i * width;
                               const int64_t hits =
                                   kernels::find_at_most(keys, width, q.bound, found);
                               for (int64_t f = 0; f < hits; f++)
                                 if (!skip_self_ || j0 + found[f] != begin + i)
                                   q.waiting.push_back({keys[found[f]], int32_t(j0 + found[f])});
                               if (q.waiting.size() >= capacity_) cut(q);
                             }
                           });
    for (Query& q : queries) finish(q);
  }

  // Measures the most promising, k at a time, until the others that remain are half a list.
  void cut(Query& q) {
    while (q.waiting.size() > capacity_ / 2) {
      const auto rest = q.waiting.begin() + std::min(k_, int64_t(q.waiting.size()));
      std::nth_element(q.waiting.begin(), rest - 1, q.waiting.end());
      for (auto w = q.waiting.begin(); w != rest; ++w) measure(q, w->index);
      q.waiting.erase(std::remove_if(rest, q.waiting.end(),
                                     [&](const Ranked<T>& w) { return w.value > q.bound; }),
                      q.waiting.end());
      q.waiting.erase(q.waiting.begin(), rest);
    }
  }

  void finish(Query& q) {
    std::sort(q.waiting.begin(), q.waiting.end());
    for (const Ranked<T>& w : q.waiting) {
      if (w.value > q.bound) break;
      measure(q, w.index);
    }
    const int64_t at = q.row * columns_ + columns_ - k_;
    for (int64_t r = 0; r < k_; r++) {
      index_[at + r] = q.nearest[size_t(r)].index;
      distance_[at + r] = float(std::sqrt(q.nearest[size_t(r)].value));
    }
  }

  void measure(Query& q, int32_t place) {
    if (plan_.deep && q.farthest < std::numeric_limits<double>::infinity() &&
        double(kernels::rough_squared_distance(q.second, second_of(place), second_width())) >
            q.farthest)
      return;
    const int32_t point = row_at(place);
    const double squared =
        kernels::direct_squared_distance(queries_ + q.row * d_, points_ + point * d_, d_);
    const Ranked<double> r{squared, point};
    if (int64_t(q.nearest.size()) == k_) {
      if (!(r < q.nearest.back())) return;
      q.nearest.pop_back();
    }
    q.nearest.insert(std::upper_bound(q.nearest.begin(), q.nearest.end(), r), r);
    if (int64_t(q.nearest.size()) < k_) return;
    const double scaled = q.nearest.back().value * plan_.scale * plan_.scale;
    q.bound = key_bound_.limit(scaled, q.slack, q.half);
    const double far = std::sqrt(scaled) + q.slack;
    q.farthest = far * far * (1 + double(second_width() + 16) * 0x1p-22) + 0x1p-100;
  }

  const int64_t n_, m_, d_;
  const S *queries_, *points_;
  const bool skip_self_;
  const int64_t k_, columns_;
  int32_t* index_;
  float* distance_;
  const ImagePlan plan_;
  const kernels::KeyBound<T> key_bound_;
  const int64_t width_;              // of a lifted row
  const size_t capacity_;            // of a list of waiting points
  std::vector<int32_t> order_ = {};  // of the points; empty: as they are
  Scratch<T> right_;                 // lifted images of the points
  Scratch<double> half_, slack_;     // of each: half its squared norm, see Images
  Scratch<float> second_;            // their second images
  double most_slack_ = 0;
};

}  // namespace

void tile_search(const Tensor& queries, const Tensor& points, bool skip_self, int64_t k,
                 int64_t columns, int32_t* index, float* distance, const Progress& progress) {
  if (k == 0) return;
  ImagePlan plan = plan_images("exact_knn", queries, points, k);
  release_cached_memory();  // what the probe took: the search has other sizes
  auto run = [&](auto data, auto image) {
    TileSearch<decltype(data), decltype(image)>(queries, points, skip_self, k, columns, index,
                                                distance, std::move(plan))
        .run(progress);
  };
  if (points.dtype() == DType::f32)
    run(float{}, float{});
  else if (plan.head)
    run(double{}, float{});
  else
    run(double{}, double{});
}

}  // namespace clade::cluster

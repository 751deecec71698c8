// Exact kNN: matrix products choose candidates, direct differences decide, a bound proves it.
//
//   ||x - y||^2 = 2 (||x||^2 / 2 + key),   key = h - x.y,   h = ||y||^2 / 2
//
// Within a row x the order by key is the order by distance, and a tile of keys is one product:
// rows [-x, 1] times rows [y, h]. But key is a difference of large numbers: its rounding error can
// exceed the gaps between neighbours. So
//  1. the data is centred (smaller errors) and scaled by a power of two (no overflow);
//  2. the k + 8 smallest keys of a row are kept as candidates, ties broken by index;
//  3. candidates are ranked by direct sums of (x_j - y_j)^2 in f64 over the original values;
//  4. the row is proved: no key that was not kept can belong to one of the k neighbours. In a row
//     that cannot be proved (many near-equal distances) all points whose key allows it are ranked.
//
// The proof. A product of d + 1 terms of unit roundoff u, in any order, fused or not, is off by at
// most c (|x||y| + h) with c = (d + 8) u, the roundings of centring and of h included (Higham,
// Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). As 2 |x||y| <= |x|^2 + |y|^2,
// that is at most c (g + 2 h) with g = |x|^2 / 2: one part of the row and one of the column. The
// column's part is taken off h beforehand, so the computed key less c g never exceeds the true one.
//
// Tiles have fixed sizes and are visited in order by one thread a row block: same bits at any
// number of threads. A tile (128 x 512 f32 = 256 KiB) stays in the L2 cache between the product and
// the comparison with the rows' current (k + 8)-th keys.
#include "clustering/neighbors/knn.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "kernels/gemm/gemm.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTileQueries = 128, kTilePoints = 512;
constexpr int64_t kSpare = 8;         // candidates kept beyond k
constexpr int64_t kSegment = 32;      // keys compared at once
constexpr int64_t kWave = 128 * 128;  // queries between two calls of progress

template <class V>
struct Ranked {  // total order: value, then index
  V value;
  int32_t index;
  bool operator<(const Ranked& o) const {
    return value < o.value || (value == o.value && index < o.index);
  }
};

// The `keep` smallest of a stream of (key, index) with rising indices: an unsorted buffer of
// 2 keep, cut back to the smallest half whenever it is full.
template <class T>
class Smallest {
 public:
  void start(Ranked<T>* buffer, int64_t keep) {
    buffer_ = buffer, keep_ = keep, count_ = 0;
    bound_ = std::numeric_limits<T>::infinity();
  }
  void scan(const T* keys, int64_t count, int32_t first, int32_t self) {
    for (int64_t j0 = 0; j0 < count; j0 += kSegment) {
      int64_t j1 = std::min(count, j0 + kSegment);
      int hits = 0;
      for (int64_t j = j0; j < j1; j++) hits += keys[j] < bound_;
      if (hits == 0) continue;  // nearly always: the expected number of hits is keep ln(m / keep)
      for (int64_t j = j0; j < j1; j++)
        if (keys[j] < bound_ && first + j != self) push({keys[j], int32_t(first + j)});
    }
  }
  int64_t finish() {
    if (count_ > keep_) cut();
    return count_;
  }
  const Ranked<T>* begin() const { return buffer_; }
  // No key that was seen and not kept is below this; infinity when all were kept.
  T bound() const { return bound_; }

 private:
  void push(Ranked<T> r) {
    buffer_[count_++] = r;
    if (count_ == 2 * keep_) cut();
  }
  void cut() {
    std::nth_element(buffer_, buffer_ + keep_ - 1, buffer_ + count_);
    count_ = keep_;
    bound_ = buffer_[keep_ - 1].value;
  }

  Ranked<T>* buffer_ = nullptr;
  int64_t keep_ = 0, count_ = 0;
  T bound_ = 0;
};

// Centred, scaled copies as the product wants them: points as [y, h], queries as [-x, 1].
template <class T>
struct Frame {
  std::vector<T> mean;
  T scale;   // power of two
  double c;  // relative error of a key, see above

  // out[0 .. d) = sign (row - mean) scale; returns half its squared norm.
  double centre(const T* row, T sign, T* out) const {
    double norm = 0;
    for (size_t j = 0; j < mean.size(); j++) {
      out[j] = sign * ((row[j] - mean[j]) * scale);
      norm += double(out[j]) * double(out[j]);
    }
    return norm / 2;
  }

  // A point whose computed key is above this is farther than `farthest` (squared, unscaled) from a
  // row with half squared norm g. Beside the relative error, d + 8 terms may each have underflowed.
  double key_limit(double farthest, double g) const {
    double d = double(mean.size()), squared_scale = double(scale) * double(scale);
    double far = farthest * squared_scale + (d + 8) * double(std::numeric_limits<T>::min());
    return far / (2 * (1 - c)) - g * (1 - c);
  }
};

template <class T>
double largest_deviation(const Tensor& x, const std::vector<T>& mean) {
  int64_t d = x.size(1);
  const T* data = x.data<T>();
  return parallel_reduce(
      x.size(0), 1024, 0.0,
      [&](int64_t begin, int64_t end) {
        double most = 0;
        for (int64_t i = begin; i < end; i++)
          for (int64_t j = 0; j < d; j++)
            most = std::max(most, std::abs(double(data[i * d + j]) - double(mean[size_t(j)])));
        return most;
      },
      [](double a, double b) { return std::max(a, b); });
}

template <class T>
Frame<T> make_frame(const Tensor& queries, const Tensor& points) {
  std::vector<double> mean = column_means(points);
  Frame<T> frame{std::vector<T>(mean.begin(), mean.end()), 1, 0};
  double most =
      std::max(largest_deviation(points, frame.mean), largest_deviation(queries, frame.mean));
  double d = double(points.size(1));
  if (2 * most * std::sqrt(d) > double(std::numeric_limits<float>::max()))
    fail("exact_knn", "distances below 3.4e38 (f32)", text("values ", most, " from their mean"),
         "scale the data");
  int exponent = 0;
  std::frexp(most, &exponent);  // most = f 2^exponent with f in [0.5, 1), or 0
  // f32 cannot hold a larger factor than 2^127; data that small loses nothing by staying small.
  frame.scale = T(std::ldexp(1.0, std::clamp(-exponent, -126, 126)));
  frame.c = (d + 8) * double(std::numeric_limits<T>::epsilon()) / 2;
  return frame;
}

template <class T>
struct Search {
  const Tensor& queries;
  const Tensor& points;
  bool skip_self;   // queries are the points: row i is not its own candidate
  int64_t k;        // neighbours to find for each query
  int64_t columns;  // row length of the result; found neighbours fill its last k columns
  int32_t* index;
  float* distance;

  void run(const Progress& progress) {
    int64_t n = queries.size(0), m = points.size(0), d = points.size(1);
    if (k == 0) return;
    Frame<T> frame = make_frame<T>(queries, points);
    Scratch<T> lifted(m * (d + 1));
    parallel_for(m, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; j++) {
        T* row = lifted.data() + j * (d + 1);
        double h = frame.centre(points.data<T>() + j * d, T(1), row);
        row[d] = T(h * (1 - 2 * frame.c));
      }
    });
    for (int64_t wave = 0; wave < n; wave += kWave) {
      progress("exact nearest neighbours", wave, n);
      int64_t rows = std::min(kWave, n - wave);
      parallel_for(rows, kTileQueries, [&](int64_t begin, int64_t end) {
        block(frame, lifted.data(), wave + begin, wave + end);
      });
    }
    progress("exact nearest neighbours", n, n);
  }

  // One block of queries, begin <= i < end: candidates, ranks, proofs; then the unproved rows
  // again.
  void block(const Frame<T>& frame, const T* lifted, int64_t begin, int64_t end) {
    int64_t d = points.size(1), rows = end - begin, keep = k + kSpare;
    Scratch<T> left(rows * (d + 1)), tile(kTileQueries * kTilePoints);
    Scratch<Ranked<T>> buffers(rows * 2 * keep);
    std::vector<Smallest<T>> smallest(static_cast<size_t>(rows));
    std::vector<double> g(static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; i++) {
      T* row = left.data() + i * (d + 1);
      g[size_t(i)] = frame.centre(queries.data<T>() + (begin + i) * d, T(-1), row);
      row[d] = 1;
      smallest[size_t(i)].start(buffers.data() + i * 2 * keep, keep);
    }
    for_tiles(left.data(), rows, lifted, tile.data(), [&](int64_t i, int64_t j0, int64_t width) {
      smallest[size_t(i)].scan(tile.data() + i * width, width, int32_t(j0),
                               skip_self ? int32_t(begin + i) : -1);
    });

    std::vector<Unproved> unproved;
    std::vector<Ranked<double>> exact;
    for (int64_t i = 0; i < rows; i++) {
      Smallest<T>& s = smallest[size_t(i)];
      exact.clear();
      for (const Ranked<T>*r = s.begin(), *last = r + s.finish(); r != last; r++)
        exact.push_back(measure(begin + i, r->index));
      std::sort(exact.begin(), exact.end());
      write(begin + i, exact);
      double limit = frame.key_limit(exact[size_t(k - 1)].value, g[size_t(i)]);
      if (double(s.bound()) > limit) continue;
      std::copy_n(left.data() + i * (d + 1), d + 1,
                  left.data() + int64_t(unproved.size()) * (d + 1));
      unproved.push_back({begin + i, limit, {}});
    }
    for_tiles(left.data(), int64_t(unproved.size()), lifted, tile.data(),
              [&](int64_t i, int64_t j0, int64_t width) {
                Unproved& u = unproved[size_t(i)];
                const T* keys = tile.data() + i * width;
                for (int64_t j = 0; j < width; j++)
                  if (double(keys[j]) <= u.limit && !(skip_self && j0 + j == u.query))
                    u.exact.push_back(measure(u.query, int32_t(j0 + j)));
              });
    for (Unproved& u : unproved) {
      std::partial_sort(u.exact.begin(), u.exact.begin() + k, u.exact.end());
      write(u.query, u.exact);
    }
  }

  // A row whose candidates may have missed a neighbour, and the largest key that one could have.
  struct Unproved {
    int64_t query;
    double limit;
    std::vector<Ranked<double>> exact;
  };

  // Tiles of keys of `rows` lifted queries against all points; body(i, j0, width) reads row i of a
  // tile, which holds points j0 .. j0 + width.
  template <class Body>
  void for_tiles(const T* left, int64_t rows, const T* lifted, T* tile, Body&& body) const {
    int64_t m = points.size(0), d = points.size(1);
    for (int64_t j0 = 0; j0 < m && rows > 0; j0 += kTilePoints) {
      int64_t width = std::min(kTilePoints, m - j0);
      kernels::gemm_serial<T>(false, true, rows, width, d + 1, T(1), left, d + 1,
                              lifted + j0 * (d + 1), d + 1, T(0), tile, width);
      for (int64_t i = 0; i < rows; i++) body(i, j0, width);
    }
  }

  Ranked<double> measure(int64_t query, int32_t point) const {
    int64_t d = points.size(1);
    const T *q = queries.data<T>() + query * d, *p = points.data<T>() + point * d;
    return {kernels::direct_squared_distance(q, p, d), point};
  }

  void write(int64_t query, const std::vector<Ranked<double>>& sorted) {
    int64_t at = query * columns + columns - k;
    for (int64_t i = 0; i < k; i++) {
      index[at + i] = sorted[size_t(i)].index;
      distance[at + i] = float(std::sqrt(sorted[size_t(i)].value));
    }
  }
};

Neighbors search(const Tensor& queries, const Tensor& points, int64_t found, int64_t columns,
                 bool skip_self, const Progress& progress) {
  int64_t n = queries.size(0), m = points.size(0), d = points.size(1);
  if (m > std::numeric_limits<int32_t>::max())
    fail("exact_knn", "fewer than 2^31 points", text(m), "search in parts");
  double size = double(size_of(points.dtype()));
  profiler::Span span("exact_knn", 2.0 * double(n) * double(m) * double(d),
                      double(n + m) * double(d) * size);
  Neighbors out{Tensor::empty({n, columns}, DType::i32), Tensor::empty({n, columns}, DType::f32)};
  dispatch_floating(points.dtype(), [&](auto zero) {
    Search<decltype(zero)>{queries,
                           points,
                           skip_self,
                           found,
                           columns,
                           out.index.data<int32_t>(),
                           out.distance.data<float>()}
        .run(progress);
  });
  return out;
}

}  // namespace

Neighbors exact_knn(const Tensor& x, int64_t k, bool include_self, const Progress& progress) {
  Tensor points = finite_matrix("exact_knn", x);
  int64_t n = points.size(0), most = include_self ? n : n - 1;
  if (k < 1 || k > most)
    fail("exact_knn",
         text("1 <= k <= ", most, " for ", n, include_self ? " rows" : " rows without self"),
         text("k = ", k), "ask for fewer neighbours");
  Neighbors out = search(points, points, include_self ? k - 1 : k, k, true, progress);
  if (include_self) {
    for (int64_t i = 0; i < n; i++) {
      out.index.data<int32_t>()[i * k] = int32_t(i);
      out.distance.data<float>()[i * k] = 0;
    }
  }
  return out;
}

Neighbors exact_knn(const Tensor& queries, const Tensor& points, int64_t k,
                    const Progress& progress) {
  Tensor q = finite_matrix("exact_knn", queries, "queries");
  Tensor p = finite_matrix("exact_knn", points, "points");
  if (q.size(1) != p.size(1) || q.dtype() != p.dtype())
    fail("exact_knn", text("queries with the columns and dtype of points ", p), text(queries));
  if (k < 1 || k > p.size(0))
    fail("exact_knn", text("1 <= k <= ", p.size(0), " points"), text("k = ", k),
         "ask for fewer neighbours");
  return search(q, p, k, k, false, progress);
}

}  // namespace clade::cluster

// The sum of each row's distances to each cluster, tile by tile, and the values from it.
//
// Rows are sorted by cluster, so a row of a tile is a few runs of one cluster. A tile of distances
// serves twice: its row sums are parts of its rows' sums, its column sums of its columns'. So half
// of all pairs are computed. For that the rows are cut into m blocks, and the pairs of blocks (I,
// J) with I + J = r mod m make up round r, r = 0 .. m - 1: no block is in two pairs of a round, so
// the pairs of a round are computed side by side, and every sum is added up in the order of rounds.
// Where n times the number of clusters is too much to keep, each row looks at all others instead.
//
// Large f32 data is multiplied in f32. The product form ||x||^2 + ||y||^2 - 2 x.y cancels where x
// and y are near each other: pairs that cancel more than five bits are measured by the differences
// of the original values, or, where they are many in a tile, by products in f64.
#include "clustering/metrics/silhouette.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "clustering/linalg/matrix.h"
#include "clustering/metrics/contingency.h"
#include "clustering/neighbors/image.h"
#include "kernels/distance/distance.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kBlock = 512;   // rows of a block; rows and columns of a tile
constexpr int64_t kFewRows = 64;  // of a block of rows that look at all others
constexpr int64_t kSmall = 4096;  // up to so many rows all is f64
constexpr int64_t kKeptSums = 1 << 24;
constexpr double kNear = 1.0 / 32;  // of ||x||^2 + ||y||^2

// Points sorted by cluster: cluster c is places begin[c] .. begin[c + 1] of `order`.
struct Sorted {
  std::vector<int32_t> order, cluster;  // the row at a place, its cluster
  std::vector<int64_t> begin;
};

Sorted sort_by_cluster(const Tensor& labels, const std::vector<int32_t>& distinct) {
  const std::vector<int32_t> label = labels.to_vector<int32_t>();
  Sorted s;
  s.begin.assign(distinct.size() + 1, 0);
  std::vector<int32_t> cluster;
  for (int32_t l : label) {
    cluster.push_back(
        int32_t(std::lower_bound(distinct.begin(), distinct.end(), l) - distinct.begin()));
    s.begin[size_t(cluster.back()) + 1]++;
  }
  for (size_t c = 0; c < distinct.size(); c++) s.begin[c + 1] += s.begin[c];
  std::vector<int64_t> next(s.begin.begin(), s.begin.end() - 1);
  s.order.resize(label.size());
  s.cluster.resize(label.size());
  for (size_t i = 0; i < label.size(); i++) {
    const size_t place = size_t(next[size_t(cluster[i])]++);
    s.order[place] = int32_t(i);
    s.cluster[place] = cluster[i];
  }
  return s;
}

// One point's value from the sums of its distances to each cluster.
double value_of(const double* sums, const std::vector<int64_t>& begin, size_t own) {
  double a = 0, b = std::numeric_limits<double>::infinity();
  for (size_t c = 0; c + 1 < begin.size(); c++) {
    int64_t size = begin[c + 1] - begin[c];
    if (c != own) {
      b = std::min(b, sums[c] / double(size));
    } else if (size == 1) {
      return 0;
    } else {
      a = sums[c] / double(size - 1);
    }
  }
  double larger = std::max(a, b);
  return larger > 0 ? (b - a) / larger : 0;
}

// Whether ||x - y||^2 = `squared` lost bits in ||x||^2 + ||y||^2 = `both`.
template <class T>
bool is_near(T squared, T both) {
  return squared < T(kNear) * both;
}

// A row of products -2 x.y becomes squared distances; how many are near.
template <class T>
int64_t add_norms(int64_t count, T own, const T* norm, T* row) {
  int64_t near = 0;
  for (int64_t j = 0; j < count; j++) {
    const T both = own + norm[j], squared = row[j] + both;
    near += is_near(squared, both);
    row[j] = squared > 0 ? squared : 0;
  }
  return near;
}

// The sum of `count` roots, which are added to column[] one by one, too, where it is not null.
template <class T>
double sum_roots(int64_t count, const T* squared, double* column) {
  constexpr int64_t kLanes = 16;
  double lane[kLanes] = {}, total = 0;
  int64_t j = 0;
  if (column) {
    for (; j + kLanes <= count; j += kLanes)
      for (int64_t l = 0; l < kLanes; l++) {
        const double root = double(std::sqrt(squared[j + l]));
        lane[l] += root;
        column[j + l] += root;
      }
  } else {
    for (; j + kLanes <= count; j += kLanes)
      for (int64_t l = 0; l < kLanes; l++) lane[l] += double(std::sqrt(squared[j + l]));
  }
  for (; j < count; j++) {
    const double root = double(std::sqrt(squared[j]));
    total += root;
    if (column) column[j] += root;
  }
  if (count >= kLanes)
    for (double l : lane) total += l;
  return total;
}

// S: the data; T: what is multiplied.
template <class S, class T>
class Silhouette {
 public:
  Silhouette(const Tensor& x, Sorted sorted, ImagePlan plan)
      : x_(x),
        n_(x.size(0)),
        d_(x.size(1)),
        k_(int64_t(sorted.begin.size()) - 1),
        sorted_(std::move(sorted)),
        plan_(std::move(plan)),
        rows_(Tensor::empty({n_, d_}, dtype_of<T>)),
        norm_(n_) {
    parallel_for(n_, 128, [&](int64_t begin, int64_t end) {
      images<T>(begin, end, rows_.template data<T>() + begin * d_, norm_.data() + begin);
    });
  }

  Tensor run(const Progress& progress) {
    Tensor out = Tensor::empty({n_}, DType::f64);
    const int64_t blocks = (n_ + kBlock - 1) / kBlock;
    if (n_ * k_ > std::max(kKeptSums, n_ * d_ / 2)) {
      for (int64_t b = 0; b < blocks; b++) {
        progress("silhouette", b, blocks);
        const int64_t first = b * kBlock;
        parallel_for(end_of(b) - first, kFewRows, [&](int64_t begin, int64_t end) {
          std::vector<double> sums(size_t((end - begin) * k_), 0.0);
          for (int64_t j0 = 0; j0 < n_; j0 += kBlock)
            add_tile(first + begin, first + end, j0, std::min(n_, j0 + kBlock), sums.data(),
                     nullptr);
          values(first + begin, first + end, sums.data(), out.data<double>());
        });
      }
    } else {
      std::vector<double> sums(size_t(n_ * k_), 0.0);
      for (int64_t round = 0; round < blocks; round++) {
        progress("silhouette", round, blocks);
        parallel_for(blocks, 1, [&](int64_t i, int64_t) {
          const int64_t j = (round - i + blocks) % blocks;
          if (i <= j) add_blocks(i, j, sums.data());
        });
      }
      values(0, n_, sums.data(), out.data<double>());
    }
    progress("silhouette", blocks, blocks);
    return out;
  }

 private:
  int64_t end_of(int64_t block) const { return std::min(n_, (block + 1) * kBlock); }

  void values(int64_t begin, int64_t end, const double* sums, double* out) const {
    for (int64_t i = begin; i < end; i++)
      out[sorted_.order[size_t(i)]] =
          value_of(sums + (i - begin) * k_, sorted_.begin, size_t(sorted_.cluster[size_t(i)]));
  }

  const S* row_at(int64_t place) const { return x_.data<S>() + sorted_.order[size_t(place)] * d_; }

  // The rows at places begin .. end, centred and scaled, and their squared norms.
  template <class U>
  void images(int64_t begin, int64_t end, U* rows, U* norm) const {
    const int64_t count = end - begin;
    Scratch<S> gathered(count * d_);
    std::vector<double> half(static_cast<size_t>(count)), slack(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; i++)
      std::copy_n(row_at(begin + i), d_, gathered.data() + i * d_);
    make_images<S, U>(plan_, gathered.data(), count,
                      {rows, d_, half.data(), slack.data(), nullptr});
    for (int64_t i = 0; i < count; i++) norm[i] = U(2 * half[size_t(i)]);
  }

  // All pairs of two blocks; of a block with itself, each pair from both sides.
  void add_blocks(int64_t i, int64_t j, double* sums) {
    add_tile(i * kBlock, end_of(i), j * kBlock, end_of(j), sums + i * kBlock * k_,
             i == j ? nullptr : sums + j * kBlock * k_);
  }

  void add_tile(int64_t i0, int64_t i1, int64_t j0, int64_t j1, double* row_sums,
                double* column_sums) {
    const int64_t columns = j1 - j0;
    Tensor tile = Tensor::empty({i1 - i0, columns}, rows_.dtype());
    T *squared = tile.data<T>(), *norm = norm_.data();
    const int64_t near =
        squares(rows_.slice(0, i0, i1), norm + i0, rows_.slice(0, j0, j1), norm + j0, tile);
    if (near > 0 && sizeof(T) < sizeof(double)) {
      if (near > tile.numel() / 8)
        square_again(i0, i1, j0, j1, squared);
      else
        measure_near(i0, i1, j0, j1, squared);
    }
    for (int64_t i = std::max(i0, j0); i < std::min(i1, j1); i++)
      squared[(i - i0) * columns + i - j0] = 0;
    add_sums(squared, i0, i1, j0, j1, row_sums, column_sums);
  }

  // The squared distances of two blocks of rows, and how many pairs are near.
  template <class U>
  static int64_t squares(const Tensor& left, const U* left_norm, const Tensor& right,
                         const U* right_norm, Tensor& out) {
    kernels::gemm(kernels::Cpu{}, left.view(), right.transpose(0, 1).view(), out.view(), -2);
    const int64_t rows = out.size(0), columns = out.size(1);
    U* to = out.data<U>();
    int64_t near = 0;
    with_vectors([&] {
      for (int64_t i = 0; i < rows; i++)
        near += add_norms(columns, left_norm[i], right_norm, to + i * columns);
    });
    return near;
  }

  void square_again(int64_t i0, int64_t i1, int64_t j0, int64_t j1, T* to) const {
    auto block = [&](int64_t begin, int64_t end, Scratch<double>& norm) {
      Tensor rows = Tensor::empty({end - begin, d_}, DType::f64);
      images<double>(begin, end, rows.data<double>(), norm.data());
      return rows;
    };
    Scratch<double> left_norm(i1 - i0), right_norm(j1 - j0);
    const Tensor left = block(i0, i1, left_norm), right = block(j0, j1, right_norm);
    Tensor exact = Tensor::empty({i1 - i0, j1 - j0}, DType::f64);
    squares<double>(left, left_norm.data(), right, right_norm.data(), exact);
    for (int64_t e = 0; e < exact.numel(); e++) to[e] = T(exact.data<double>()[e]);
  }

  void measure_near(int64_t i0, int64_t i1, int64_t j0, int64_t j1, T* to) {
    for (int64_t i = i0; i < i1; i++)
      for (int64_t j = j0; j < j1; j++, to++)
        if (i != j && is_near(*to, norm_[i] + norm_[j]))
          *to = T(plan_.scale * plan_.scale *
                  kernels::direct_squared_distance(row_at(i), row_at(j), d_));
  }

  // Adds the tile's distances: of row i to cluster c to row_sums[(i - i0) k + c], and the same of
  // the columns.
  void add_sums(const T* tile, int64_t i0, int64_t i1, int64_t j0, int64_t j1, double* row_sums,
                double* column_sums) const {
    const int64_t columns = j1 - j0;
    const int32_t *cluster = sorted_.cluster.data(), first = cluster[j0], last = cluster[j1 - 1];
    double column[kBlock] = {};
    double* const each = column_sums ? column : nullptr;
    for (int64_t i = i0; i < i1; i++) {
      const T* row = tile + (i - i0) * columns;
      double* to = row_sums + (i - i0) * k_;
      with_vectors([&] {
        for (int64_t c = first, j = j0; c <= last; c++) {
          const int64_t end = std::min(j1, sorted_.begin[size_t(c) + 1]);
          to[c] += sum_roots(end - j, row + (j - j0), each ? each + (j - j0) : nullptr);
          j = end;
        }
      });
      if (!each || (i + 1 < i1 && cluster[i + 1] == cluster[i])) continue;
      for (int64_t j = 0; j < columns; j++) {
        column_sums[j * k_ + cluster[i]] += column[j];
        column[j] = 0;
      }
    }
  }

  const Tensor x_;
  const int64_t n_, d_, k_;
  const Sorted sorted_;
  const ImagePlan plan_;
  Tensor rows_;      // (n, d) centred and scaled, by place
  Scratch<T> norm_;  // their squared norms
};

}  // namespace

Tensor silhouette_samples(const Tensor& x, const Tensor& labels, const Progress& progress) {
  const Tensor data = finite_matrix("silhouette", x);
  const std::vector<int32_t> distinct = contingency("silhouette", labels, labels).row_labels;
  const int64_t n = data.size(0), k = int64_t(distinct.size());
  if (labels.numel() != n)
    fail("silhouette", text("one label for each of the ", n, " rows of x"), text(labels));
  if (k < 2 || k > n - 1)
    fail("silhouette", text("2 to n - 1 = ", n - 1, " distinct labels"), text(k));
  Sorted sorted = sort_by_cluster(labels, distinct);
  ImagePlan plan = plain_images("silhouette", data, data);
  auto run = [&](auto source, auto multiplied) {
    return Silhouette<decltype(source), decltype(multiplied)>(data, std::move(sorted),
                                                              std::move(plan))
        .run(progress);
  };
  if (data.dtype() == DType::f64) return run(double{}, double{});
  return n <= kSmall ? run(float{}, double{}) : run(float{}, float{});
}

double silhouette(const Tensor& x, const Tensor& labels, const Progress& progress) {
  Tensor samples = silhouette_samples(x, labels, progress);
  double sum = 0;
  for (int64_t i = 0; i < samples.numel(); i++) sum += samples.data<double>()[i];
  return sum / double(samples.numel());
}

}  // namespace clade::cluster

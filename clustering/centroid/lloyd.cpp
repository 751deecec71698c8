#include "clustering/centroid/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/centroid/assign.h"
#include "clustering/centroid/cluster_sums.h"
#include "clustering/linalg/grain.h"
#include "kernels/distance/distance.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kChunk = 1024;  // rows that one thread looks through for active ones
constexpr int64_t kTile = 256;    // active rows searched at once
constexpr int64_t kAhead = 8;     // rows fetched before they are needed
constexpr float kOutwards = 1 + 1.0f / (1 << 22), kInwards = 1 - 1.0f / (1 << 22);

// One start. Everything that is summed over rows is f64.
template <class T>
class Lloyd {
 public:
  Lloyd(const LloydData& data, const Tensor& centres)
      : data_(data),
        n_(data.x.size(0)),
        d_(data.x.size(1)),
        k_(centres.size(0)),
        x_(data.x.data<T>()),
        rough_error_(2 * product_error(d_, data.x.dtype())),
        underflow_(double(d_ + 8) * double(std::numeric_limits<T>::min())),
        w_(data.weights.defined() ? data.weights.data<double>() : nullptr),
        centres_(centres.clone()),
        labels_(Tensor::full({n_}, -1, DType::i32)),
        upper_(size_t(n_)),
        lower_(size_t(n_)),
        shift_(size_t(k_), 0.0f),
        sums_(k_, d_) {}

  KMeans run(int max_iter, double tol, const Progress& progress) {
    KMeans out;
    bool settled = false;
    while (!out.converged && out.iterations < max_iter) {
      progress("k-means", out.iterations, max_iter);
      out.iterations++;
      const std::vector<Move> moves = assign();
      settled = moves.empty();
      sums_.apply(data_.x, w_, moves);
      const double moved = average(with_empty_relocated());
      out.converged = settled || moved <= tol;
    }
    // The centres have moved since the last assignment, unless no label changed in it.
    if (!settled) assign();
    out.centres = centres_;
    out.labels = labels_;
    out.inertia = inertia();
    return out;
  }

 private:
  // Brings labels and bounds up to date; the rows whose label changed, rising.
  std::vector<Move> assign() {
    const NearestCentre<T> search(centres_.data<T>(), k_, d_);
    const int64_t chunks = (n_ + kChunk - 1) / kChunk;
    std::vector<std::vector<Move>> parts(static_cast<size_t>(chunks));
    parallel_for(n_, kChunk, [&](int64_t begin, int64_t end) {
      assign_chunk(search, begin, end, &parts[size_t(begin / kChunk)]);
    });
    first_ = false;
    std::vector<Move> moves;
    for (const auto& part : parts) moves.insert(moves.end(), part.begin(), part.end());
    return moves;
  }

  void assign_chunk(const NearestCentre<T>& search, int64_t begin, int64_t end,
                    std::vector<Move>* moves) {
    if (first_) {
      for (int64_t i = begin; i < end; i += kTile) {
        int64_t rows[kTile];
        const int64_t m = std::min(kTile, end - i);
        for (int64_t r = 0; r < m; r++) rows[r] = i + r;
        assign_tile(search, x_ + i * d_, rows, m, moves);
      }
      return;
    }
    int32_t doubtful[kChunk];
    const int64_t count = shift_bounds(begin, end, doubtful);
    Scratch<T> gathered(std::min(kTile, count) * d_);
    int64_t rows[kTile], m = 0;
    for (int64_t c = 0; c < count; c++) {
      const int64_t i = begin + doubtful[c];
      const T* row = x_ + i * d_;
      if (c + kAhead < count) fetch(x_ + (begin + doubtful[c + kAhead]) * d_);
      // Often the distance to the own centre, known anew, is proof enough.
      const double own = double(kernels::rough_squared_distance(
          row, centres_.data<T>() + labels_.data<int32_t>()[i] * d_, d_));
      upper_[size_t(i)] = float(std::sqrt(own * (1 + rough_error_) + underflow_)) * kOutwards;
      if (upper_[size_t(i)] < lower_[size_t(i)]) continue;
      std::copy_n(row, d_, gathered.data() + m * d_);
      rows[m++] = i;
      if (m == kTile) assign_tile(search, gathered.data(), rows, m, moves), m = 0;
    }
    if (m > 0) assign_tile(search, gathered.data(), rows, m, moves);
  }

  // Asks the cache for the beginning of a row; rows that are looked at lie far apart.
  void fetch(const T* row) const {
    for (int64_t j = 0; j < std::min<int64_t>(d_, 256 / int64_t(sizeof(T)));
         j += 64 / int64_t(sizeof(T)))
      __builtin_prefetch(row + j);
  }

  // The m <= kTile rows that lie in `tile` one after the other.
  void assign_tile(const NearestCentre<T>& search, const T* tile, const int64_t* rows, int64_t m,
                   std::vector<Move>* moves) {
    double g[kTile];
    int32_t found[kTile];
    float upper[kTile], lower[kTile];
    for (int64_t r = 0; r < m; r++) g[r] = data_.norms[size_t(rows[r])];
    search.find(tile, g, m, found, upper, lower);
    for (int64_t r = 0; r < m; r++) {
      int32_t& label = labels_.data<int32_t>()[rows[r]];
      if (label != found[r]) moves->push_back({rows[r], label, found[r]});
      label = found[r];
      upper_[size_t(rows[r])] = upper[r];
      lower_[size_t(rows[r])] = lower[r];
    }
  }

  // Moves the bounds of the rows begin <= i < end by the shifts; which of them (less begin) no
  // longer prove anything.
  int64_t shift_bounds(int64_t begin, int64_t end, int32_t* doubtful) {
    const int32_t* labels = labels_.data<int32_t>() + begin;
    float *upper = upper_.data() + begin, *lower = lower_.data() + begin;
    const float* shift = shift_.data();
    const float most = most_shift_, second = second_shift_;
    const int32_t farthest = farthest_;
    int64_t count = 0;
    with_vectors([&] {
      for (int64_t i = 0; i < end - begin; i++) {
        upper[i] = (upper[i] + shift[labels[i]]) * kOutwards;
        lower[i] = (lower[i] - (labels[i] == farthest ? second : most)) * kInwards;
      }
    });
    for (int64_t i = 0; i < end - begin; i++) {
      doubtful[count] = int32_t(i);
      count += !(upper[i] < lower[i]);
    }
    return count;
  }

  // Squared distance of each point to its own centre.
  std::vector<double> own_distances() const {
    std::vector<double> squared(static_cast<size_t>(n_));
    const int32_t* labels = labels_.data<int32_t>();
    parallel_for(n_, rows_per_chunk(d_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        squared[size_t(i)] =
            kernels::direct_squared_distance(x_ + i * d_, centres_.data<T>() + labels[i] * d_, d_);
    });
    return squared;
  }

  // The sums, where each cluster without weight takes over one of the points farthest from their
  // centres. With fewer distinct points than clusters some stay empty.
  ClusterSums with_empty_relocated() const {
    std::vector<int32_t> empty;
    for (int64_t c = 0; c < k_; c++)
      if (sums_.members[size_t(c)] == 0) empty.push_back(int32_t(c));
    if (empty.empty()) return sums_;
    const std::vector<double> squared = own_distances();
    std::vector<int64_t> order(squared.size());
    for (size_t i = 0; i < order.size(); i++) order[i] = int64_t(i);
    std::partial_sort(order.begin(), order.begin() + int64_t(empty.size()), order.end(),
                      [&](int64_t a, int64_t b) {
                        double da = squared[size_t(a)], db = squared[size_t(b)];
                        return da > db || (da == db && a < b);
                      });
    if (squared[size_t(order[0])] == 0) return sums_;
    ClusterSums out = sums_;
    std::vector<Move> moves;
    for (size_t e = 0; e < empty.size(); e++)
      moves.push_back({order[e], labels_.data<int32_t>()[order[e]], empty[e]});
    out.apply(data_.x, w_, moves);
    return out;
  }

  // Sums become means, and the shifts of the centres are noted. A cluster that is still empty goes
  // where the heaviest one is. Returns the sum of the squared shifts.
  double average(const ClusterSums& sums) {
    const int64_t heaviest =
        std::max_element(sums.weight.begin(), sums.weight.end()) - sums.weight.begin();
    double moved = 0;
    most_shift_ = second_shift_ = 0;
    farthest_ = 0;
    for (int64_t c = 0; c < k_; c++) {
      const int64_t from = sums.weight[size_t(c)] > 0 ? c : heaviest;
      const double* points = sums.points.data() + from * d_;
      T* centre = centres_.data<T>() + c * d_;
      double squared = 0;
      for (int64_t j = 0; j < d_; j++) {
        const T mean = T(points[j] / sums.weight[size_t(from)]);
        const double step = double(mean) - double(centre[j]);
        squared += step * step;
        centre[j] = mean;
      }
      moved += squared;
      const float shift = float(std::sqrt(squared)) * kOutwards;
      shift_[size_t(c)] = shift;
      if (shift > most_shift_)
        second_shift_ = most_shift_, most_shift_ = shift, farthest_ = int32_t(c);
      else
        second_shift_ = std::max(second_shift_, shift);
    }
    return moved;
  }

  double inertia() const {
    const std::vector<double> squared = own_distances();
    double sum = 0;
    for (int64_t i = 0; i < n_; i++) sum += (w_ ? w_[i] : 1.0) * squared[size_t(i)];
    return sum;
  }

  const LloydData& data_;
  const int64_t n_, d_, k_;
  const T* x_;
  const double rough_error_, underflow_;  // of rough distances: relative, and beside it
  const double* w_;
  Tensor centres_, labels_;
  std::vector<float> upper_, lower_;  // (n)
  std::vector<float> shift_;          // (k): of the last move, rounded up
  float most_shift_ = 0, second_shift_ = 0;
  int32_t farthest_ = 0;  // whose shift is the largest
  bool first_ = true;
  ClusterSums sums_;
};

}  // namespace

KMeans lloyd(const LloydData& data, const Tensor& centres, int max_iter, double tol,
             const Progress& progress) {
  return dispatch_floating(data.x.dtype(), [&](auto zero) {
    return Lloyd<decltype(zero)>(data, centres).run(max_iter, tol, progress);
  });
}

}  // namespace clade::cluster

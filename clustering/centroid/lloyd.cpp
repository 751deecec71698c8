#include "clustering/centroid/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

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

  // A step in three parts, of which the second is called for all chunks of rows, in any order.
  void begin_assignment() {
    search_.emplace(centres_.data<T>(), k_, d_);
    parts_.assign(size_t((n_ + kChunk - 1) / kChunk), {});
  }
  void assign(int64_t begin, int64_t end) {
    assign_chunk(*search_, begin, end, &parts_[size_t(begin / kChunk)]);
  }
  // Moves the centres. True when this start is done but for a last assignment.
  bool end_assignment(double tol) {
    first_ = false;
    found_.iterations++;
    std::vector<Move> moves;
    for (const auto& part : parts_) moves.insert(moves.end(), part.begin(), part.end());
    settled_ = moves.empty();
    sums_.apply(data_.x, w_, moves);
    const double moved = average(with_empty_relocated());
    return found_.converged = settled_ || moved <= tol;
  }

  // The centres have moved since the last assignment, unless no label changed in it.
  bool settled() const { return settled_; }

  KMeans result() {
    found_.centres = centres_;
    found_.labels = labels_;
    found_.inertia = inertia();
    return found_;
  }

 private:
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
    // Often the distance to the own centre, known anew, is proof enough.
    T own[kChunk];
    int32_t labels[kChunk];
    const int32_t* all_labels = labels_.data<int32_t>() + begin;
    for (int64_t c = 0; c < count; c++) labels[c] = all_labels[doubtful[c]];
    kernels::rough_squared_distances(x_ + begin * d_, doubtful, centres_.data<T>(), labels, count,
                                     d_, own);
    float upper[kChunk];
    with_vectors([&] {
      for (int64_t c = 0; c < count; c++)
        upper[c] = float(std::sqrt(double(own[c]) * (1 + rough_error_) + underflow_)) * kOutwards;
    });
    Scratch<T> gathered(std::min(kTile, count) * d_);
    int64_t rows[kTile], m = 0;
    for (int64_t c = 0; c < count; c++) {
      const int64_t i = begin + doubtful[c];
      upper_[size_t(i)] = upper[c];
      if (upper[c] < lower_[size_t(i)]) continue;
      std::copy_n(x_ + i * d_, d_, gathered.data() + m * d_);
      rows[m++] = i;
      if (m == kTile) assign_tile(search, gathered.data(), rows, m, moves), m = 0;
    }
    if (m > 0) assign_tile(search, gathered.data(), rows, m, moves);
  }

  // The m <= kTile rows that lie in `tile` one after the other.
  void assign_tile(const NearestCentre<T>& search, const T* tile, const int64_t* rows, int64_t m,
                   std::vector<Move>* moves) {
    double g[kTile];
    int32_t found[kTile];
    float upper[kTile], lower[kTile];
    for (int64_t r = 0; r < m; r++) g[r] = data_.norms[size_t(rows[r])];
    search.find(tile, g, m, found, upper, lower);
    int32_t* labels = labels_.data<int32_t>();
    for (int64_t r = 0; r < m; r++) {
      int32_t& label = labels[rows[r]];
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
  bool first_ = true, settled_ = false;
  ClusterSums sums_;
  KMeans found_;
  std::optional<NearestCentre<T>> search_;  // among the centres as they are now
  std::vector<std::vector<Move>> parts_;    // of the chunks of rows
};

// One assignment of all rows in each of the starts; a chunk of rows is in the cache for all.
template <class T>
void assign_all(const std::vector<Lloyd<T>*>& starts, int64_t n) {
  for (Lloyd<T>* start : starts) start->begin_assignment();
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    for (Lloyd<T>* start : starts) start->assign(begin, end);
  });
}

}  // namespace

std::vector<KMeans> lloyd(const LloydData& data, const std::vector<Tensor>& centres, int max_iter,
                          double tol, const Progress& progress) {
  return dispatch_floating(data.x.dtype(), [&](auto zero) {
    using Start = Lloyd<decltype(zero)>;
    const int64_t n = data.x.size(0);
    std::vector<std::unique_ptr<Start>> starts;
    std::vector<Start*> running, unsettled;
    for (const Tensor& first : centres) {
      starts.push_back(std::make_unique<Start>(data, first));
      running.push_back(starts.back().get());
    }
    for (int iteration = 0; iteration < max_iter && !running.empty(); iteration++) {
      progress("k-means", iteration, max_iter);
      assign_all(running, n);
      std::erase_if(running, [&](Start* start) { return start->end_assignment(tol); });
    }
    for (const auto& start : starts)
      if (!start->settled()) unsettled.push_back(start.get());
    assign_all(unsettled, n);
    std::vector<KMeans> found;
    for (const auto& start : starts) found.push_back(start->result());
    return found;
  });
}

}  // namespace clade::cluster

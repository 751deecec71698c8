#include "clustering/density/soft_membership.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kAboveZero = 1e-8;  // keeps lambda_max from 0, as hdbscan does

// All that does not depend on the point. Condensed clusters count from 0, the root.
class SoftClusters {
 public:
  SoftClusters(const Tensor& x, const HdbscanResult& result)
      : tree_(result.condensed),
        n_(tree_.points),
        k_(result.cluster_count),
        x_(finite_matrix("hdbscan", x)) {
    if (x_.size(0) != n_)
      fail("hdbscan", text("the ", n_, " rows that were clustered"), text("x ", x.shape()));
    x_ = x_.to(DType::f64);
    parent_ = tree_.parent.data<int32_t>();
    lambda_ = tree_.lambda.data<double>();
    for (int64_t r = 0; r < tree_.rows(); r++)
      if (std::isfinite(lambda_[r])) cap_ = std::max(cap_, lambda_[r]);
    if (cap_ == 0) cap_ = 1;  // all points coincide
    densest_.assign(size_t(tree_.clusters()), 0);
    for (int64_t r = 0; r < tree_.rows(); r++) {
      double& d = densest_[size_t(parent_[r] - n_)];
      d = std::max(d, capped(r));
    }
    const int32_t* node = result.selected.data<int32_t>();
    for (int64_t c = 0; c < k_; c++) selected_.push_back(node[c] - n_);
    find_exemplars();
  }

  const std::vector<std::vector<int64_t>>& exemplars() const { return exemplars_; }
  int64_t points() const { return n_; }
  int64_t clusters() const { return k_; }

  // The condensed cluster that point p fell from.
  int64_t cluster_of(int64_t p) const { return parent_[p] - n_; }

  // For each condensed cluster the density at which it and `from` part; negative where one lies in
  // the other. One pass from the root down: what hangs on the path from the root to `from` parted
  // where it was born (both children of a split are born at one density), and passes that on.
  void find_merges(int64_t from, std::vector<double>& merge) const {
    constexpr double kInside = -1, kOnPath = -2;
    merge.assign(size_t(tree_.clusters()), 0);
    merge[size_t(from)] = kInside;
    for (int64_t c = from; c != 0;) merge[size_t(c = above(c))] = kOnPath;
    for (int64_t c = 1; c < tree_.clusters(); c++) {
      if (merge[size_t(c)] < 0) continue;
      const double up = merge[size_t(above(c))];
      merge[size_t(c)] = up == kOnPath ? birth(c) : up;
    }
  }

  // The k memberships of point p; `merge` is that of its cluster.
  void row(int64_t p, const std::vector<double>& merge, double* out) const {
    const double stays = capped(p), top = densest_[size_t(cluster_of(p))] + kAboveZero;
    std::vector<double> height(static_cast<size_t>(k_)), near(static_cast<size_t>(k_));
    for (size_t c = 0; c < size_t(k_); c++) {
      const double parted = merge[size_t(selected_[c])];
      height[c] = parted < 0 ? stays : parted;
      near[c] = nearness(p, c);
    }
    const size_t best = size_t(std::max_element(height.begin(), height.end()) - height.begin());
    const double in_some = height[best] / std::max(densest_[size_t(selected_[best])], stays);

    // Both factors share their normalisation with the product. exp(exp(-top / h)) is at most e.
    double sum = 0;
    for (size_t c = 0; c < size_t(k_); c++) sum += near[c];
    for (size_t c = 0; c < size_t(k_); c++)
      out[c] = near[c] / sum * std::exp(std::exp(-top / height[c]));
    sum = 0;
    for (size_t c = 0; c < size_t(k_); c++) sum += out[c];
    for (size_t c = 0; c < size_t(k_); c++) out[c] *= in_some / sum;
  }

 private:
  double capped(int64_t row) const { return std::min(lambda_[row], cap_); }
  int64_t above(int64_t cluster) const { return parent_[n_ + cluster - 1] - n_; }
  double birth(int64_t cluster) const { return lambda_[n_ + cluster - 1]; }

  // Exemplars: in each leaf at or below a selected cluster the points that stay the longest.
  void find_exemplars() {
    const size_t clusters = size_t(tree_.clusters());
    std::vector<int32_t> label(clusters, -1);
    std::vector<bool> leaf(clusters, true);
    for (size_t c = 0; c < selected_.size(); c++) label[size_t(selected_[c])] = int32_t(c);
    for (size_t c = 1; c < clusters; c++) {
      const size_t up = size_t(above(int64_t(c)));
      leaf[up] = false;
      if (label[c] < 0) label[c] = label[up];
    }
    exemplars_.resize(size_t(k_));
    for (int64_t p = 0; p < n_; p++) {
      const size_t c = size_t(parent_[p] - n_);
      if (leaf[c] && label[c] >= 0 && capped(p) == densest_[c])
        exemplars_[size_t(label[c])].push_back(p);
    }
  }

  // 1 / distance to the nearest exemplar; huge at distance 0.
  double nearness(int64_t p, size_t cluster) const {
    const int64_t d = x_.size(1);
    const double* rows = x_.data<double>();
    double least = std::numeric_limits<double>::infinity();
    for (int64_t e : exemplars_[cluster])
      least = std::min(least, kernels::direct_squared_distance(rows + p * d, rows + e * d, d));
    const double huge = std::numeric_limits<double>::max() / double(k_);
    return least > 0 ? std::min(1 / std::sqrt(least), huge) : huge;
  }

  const CondensedTree& tree_;
  int64_t n_, k_;
  Tensor x_;
  const int32_t* parent_;
  const double* lambda_;
  double cap_ = 0;               // stands for infinity
  std::vector<double> densest_;  // by cluster: the largest lambda at which anything left it
  std::vector<int64_t> selected_;
  std::vector<std::vector<int64_t>> exemplars_;
};

constexpr int64_t kSlabMemberships = 1 << 22;  // between two calls of progress

// use(point, memberships) for `points`, in parallel. Those that fell from one cluster come one
// after the other and share its merges.
template <class Use>
void each_row(const SoftClusters& soft, std::vector<int64_t> points, const Progress& progress,
              Use&& use) {
  std::stable_sort(points.begin(), points.end(),
                   [&](int64_t a, int64_t b) { return soft.cluster_of(a) < soft.cluster_of(b); });
  const int64_t n = int64_t(points.size());
  const int64_t slab = std::clamp<int64_t>(kSlabMemberships / soft.clusters(), 64, 4096);
  for (int64_t start = 0; start < n; start += slab) {
    progress("hdbscan membership", start, n);
    parallel_for(std::min(slab, n - start), 64, [&](int64_t begin, int64_t end) {
      std::vector<double> row(static_cast<size_t>(soft.clusters())), merge;
      int64_t merge_of = -1;
      for (int64_t i = start + begin; i < start + end; i++) {
        const int64_t p = points[size_t(i)];
        if (merge_of != soft.cluster_of(p)) soft.find_merges(merge_of = soft.cluster_of(p), merge);
        soft.row(p, merge, row.data());
        use(p, row);
      }
    });
  }
}

}  // namespace

Tensor membership_vectors(const Tensor& x, const HdbscanResult& result, const Progress& progress) {
  const SoftClusters soft(x, result);
  const int64_t n = soft.points(), k = soft.clusters();
  Tensor memberships = Tensor::zeros({n, k}, DType::f64);
  if (k == 0) return memberships;
  double* out = memberships.data<double>();
  std::vector<int64_t> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  each_row(soft, std::move(all), progress, [&](int64_t p, const std::vector<double>& row) {
    std::copy(row.begin(), row.end(), out + p * k);
  });
  return memberships;
}

TopMemberships top_memberships(const Tensor& x, const HdbscanResult& result, int64_t count,
                               const Progress& progress) {
  const SoftClusters soft(x, result);
  const int64_t n = soft.points(), k = soft.clusters();
  if (count < 1 || count > std::max<int64_t>(k, 1))
    fail("top_memberships", text("1 <= count <= ", k, " clusters"), text(count));
  TopMemberships top{Tensor::full({n, count}, -1, DType::i32),
                     Tensor::zeros({n, count}, DType::f64)};
  if (k == 0) return top;
  int32_t* cluster = top.cluster.data<int32_t>();
  double* membership = top.membership.data<double>();
  std::vector<int64_t> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  each_row(soft, std::move(all), progress, [&](int64_t p, const std::vector<double>& row) {
    std::vector<int32_t> order(row.size());
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int32_t a, int32_t b) {
      return row[size_t(a)] > row[size_t(b)] || (row[size_t(a)] == row[size_t(b)] && a < b);
    });
    for (int64_t c = 0; c < count; c++) {
      cluster[p * count + c] = order[size_t(c)];
      membership[p * count + c] = row[size_t(order[size_t(c)])];
    }
  });
  return top;
}

std::vector<std::vector<int64_t>> exemplars(const Tensor& x, const HdbscanResult& result) {
  return SoftClusters(x, result).exemplars();
}

Tensor soft_labels(const Tensor& x, const HdbscanResult& result, const Progress& progress) {
  const SoftClusters soft(x, result);
  Tensor labels = result.labels.clone();
  if (soft.clusters() == 0) return labels;
  int32_t* label = labels.data<int32_t>();
  std::vector<int64_t> noise;
  for (int64_t p = 0; p < soft.points(); p++)
    if (label[p] < 0) noise.push_back(p);
  each_row(soft, std::move(noise), progress, [&](int64_t p, const std::vector<double>& row) {
    label[p] = int32_t(std::max_element(row.begin(), row.end()) - row.begin());
  });
  return labels;
}

}  // namespace clade::cluster

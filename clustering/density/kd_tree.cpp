#include "clustering/density/kd_tree.h"

#include <algorithm>
#include <numeric>

namespace clade::cluster {

KdTree::KdTree(const Tensor& x) : n_(x.size(0)), d_(x.size(1)) {
  Tensor source = x.to(DType::f64);
  id_tensor_ = Tensor::empty({n_}, DType::i32);
  ids_ = id_tensor_.data<int32_t>();
  std::iota(ids_, ids_ + n_, 0);
  nodes_.reserve(size_t(4 * n_ / kLeafSize + 1));
  boxes_.reserve(nodes_.capacity() * size_t(2 * d_));
  build(source, 0, int32_t(n_));

  row_tensor_ = Tensor::empty({n_, d_}, DType::f64);
  rows_ = row_tensor_.data<double>();
  const double* from = source.data<double>();
  for (int64_t i = 0; i < n_; i++) std::copy_n(from + int64_t(ids_[i]) * d_, d_, rows_ + i * d_);
}

// Sorts ids_[begin, end) into a subtree and returns its node.
int32_t KdTree::build(const Tensor& x, int32_t begin, int32_t end) {
  const double* rows = x.data<double>();
  const int32_t node = int32_t(nodes_.size());
  nodes_.push_back({begin, end, 0, *std::min_element(ids_ + begin, ids_ + end)});

  boxes_.resize(boxes_.size() + size_t(2 * d_));
  double *low = boxes_.data() + 2 * d_ * node, *high = low + d_;
  std::copy_n(rows + int64_t(ids_[begin]) * d_, d_, low);
  std::copy_n(low, d_, high);
  for (int32_t i = begin + 1; i < end; i++) {
    const double* row = rows + int64_t(ids_[i]) * d_;
    for (int64_t j = 0; j < d_; j++) {
      low[j] = std::min(low[j], row[j]);
      high[j] = std::max(high[j], row[j]);
    }
  }
  if (end - begin <= kLeafSize) return node;

  int64_t widest = 0;
  for (int64_t j = 1; j < d_; j++)
    if (high[j] - low[j] > high[widest] - low[widest]) widest = j;
  const int32_t middle = begin + (end - begin) / 2;
  std::nth_element(ids_ + begin, ids_ + middle, ids_ + end, [&](int32_t p, int32_t q) {
    double a = rows[p * d_ + widest], b = rows[q * d_ + widest];
    return a < b || (a == b && p < q);
  });
  build(x, begin, middle);
  const int32_t right = build(x, middle, end);
  nodes_[size_t(node)].right = right;
  return node;
}

}  // namespace clade::cluster

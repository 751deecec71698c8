#include "clustering/neighbors/kd_tree.h"

#include <algorithm>
#include <numeric>

#include "clustering/neighbors/ranked.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

int32_t middle_of(int32_t begin, int32_t end) { return begin + (end - begin) / 2; }

// Nodes of the tree over `points` points.
int32_t tree_size(int32_t points) {
  if (points <= KdTree::kLeafSize) return 1;
  const int32_t left = points / 2, right = points - left;
  const int32_t size = tree_size(left);
  return 1 + size + (left == right ? size : tree_size(right));
}

}  // namespace

KdTree::KdTree(const Tensor& x) : n_(x.size(0)), d_(x.size(1)) {
  const int64_t nodes = tree_size(int32_t(n_));
  id_tensor_ = Tensor::empty({n_}, DType::i32);
  row_tensor_ = Tensor::empty({n_, d_}, DType::f64);
  column_tensor_ = Tensor::zeros({n_ * d_ + kLeafSize}, DType::f64);
  box_tensor_ = Tensor::empty({nodes, 2, d_}, DType::f64);
  ids_ = id_tensor_.data<int32_t>();
  rows_ = row_tensor_.data<double>();
  columns_ = column_tensor_.data<double>();
  boxes_ = box_tensor_.data<double>();
  nodes_.resize(size_t(nodes));
  std::iota(ids_, ids_ + n_, 0);
  dispatch_floating(x.dtype(), [&](auto zero) { build(x.data<decltype(zero)>()); });
}

// Level by level, the nodes of a level on all threads.
template <class T>
void KdTree::build(const T* x) {
  std::vector<int32_t> level{0}, next;
  nodes_[0] = {0, int32_t(n_), 0, 0};
  while (!level.empty()) {
    parallel_for(int64_t(level.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) cut(x, level[size_t(i)]);
    });
    next.clear();
    for (int32_t v : level)
      if (nodes_[size_t(v)].right) next.push_back(v + 1), next.push_back(nodes_[size_t(v)].right);
    level.swap(next);
  }
  pair_.assign(nodes_.size(), 0);
  int32_t inner = 0;
  for (size_t v = 0; v < nodes_.size(); v++)
    if (nodes_[v].right) pair_[v] = inner++;
  pair_tensor_ = Tensor::empty({inner, d_, 4}, DType::f64);
  pairs_ = reinterpret_cast<Two*>(pair_tensor_.data<double>());
  for (size_t v = 0; v < nodes_.size(); v++) {
    if (!nodes_[v].right) continue;
    const double *left = boxes_ + 2 * d_ * int64_t(v + 1),
                 *right = boxes_ + 2 * d_ * nodes_[v].right;
    for (int64_t j = 0; j < d_; j++)
      for (int64_t side = 0; side < 2; side++)
        pairs_[2 * (d_ * pair_[v] + j) + side] = Two{left[side * d_ + j], right[side * d_ + j]};
  }
}

// Finds the box of a node and cuts it in two, or lays out its leaf.
template <class T>
void KdTree::cut(const T* x, int32_t v) {
  Node& node = nodes_[size_t(v)];
  const int32_t begin = node.begin, end = node.end;
  node.first = *std::min_element(ids_ + begin, ids_ + end);
  double *low = boxes_ + 2 * d_ * v, *high = low + d_;
  std::copy_n(x + int64_t(ids_[begin]) * d_, d_, low);
  std::copy_n(low, d_, high);
  for (int32_t i = begin + 1; i < end; i++) {
    const T* row = x + int64_t(ids_[i]) * d_;
    for (int64_t j = 0; j < d_; j++) {
      low[j] = std::min(low[j], double(row[j]));
      high[j] = std::max(high[j], double(row[j]));
    }
  }
  if (end - begin <= kLeafSize) {
    for (int32_t i = begin; i < end; i++)
      std::copy_n(x + int64_t(ids_[i]) * d_, d_, rows_ + i * d_);
    return lay_out_leaf(begin, end);
  }
  int64_t widest = 0;
  for (int64_t j = 1; j < d_; j++)
    if (high[j] - low[j] > high[widest] - low[widest]) widest = j;
  const int32_t middle = middle_of(begin, end);
  std::vector<Ranked<T>> side;  // as one run of memory they are sorted faster than by row
  side.reserve(size_t(end - begin));
  for (int32_t i = begin; i < end; i++)
    side.push_back({x[int64_t(ids_[i]) * d_ + widest], ids_[i]});
  std::nth_element(side.begin(), side.begin() + (middle - begin), side.end());
  for (int32_t i = begin; i < end; i++) ids_[i] = side[size_t(i - begin)].index;
  node.right = v + 1 + tree_size(middle - begin);
  nodes_[size_t(v + 1)] = {begin, middle, 0, 0};
  nodes_[size_t(node.right)] = {middle, end, 0, 0};
}

void KdTree::lay_out_leaf(int32_t begin, int32_t end) {
  double* to = columns_ + begin * d_;
  for (int64_t j = 0; j < d_; j++)
    for (int32_t i = begin; i < end; i++) *to++ = rows_[i * d_ + j];
}

// kLeafSize lanes whatever the leaf holds: what the others read is of the next columns or leaves.
void KdTree::leaf_distances(const double* q, int32_t begin, int32_t end, double* out) const {
  if (d_ >= kernels::kLongRow) {
    for (int32_t i = begin; i < end; i++)
      out[i - begin] = kernels::direct_squared_distance(q, row(i), d_);
    return;
  }
  constexpr int kLanes = 8, kParts = kLeafSize / kLanes;
  typedef double Lanes __attribute__((vector_size(64)));
  typedef double Loose __attribute__((vector_size(64), may_alias, aligned(8)));
  const double* column = columns_ + begin * d_;
  with_vectors([&] {
    Lanes sum[kParts] = {};
    for (int64_t j = 0; j < d_; j++, column += end - begin) {
      const Lanes at = q[j] - Lanes{};
#pragma GCC unroll 4
      for (int p = 0; p < kParts; p++) {
        const Lanes diff = *(const Loose*)(column + p * kLanes) - at;
        sum[p] += diff * diff;
      }
    }
    for (int p = 0; p < kParts; p++) *(Loose*)(out + p * kLanes) = sum[p];
  });
}

}  // namespace clade::cluster

// k-d tree: points sorted into nested boxes, for searches that look at few of them.
//
// Each node holds a run of consecutive points; its box is the tightest around them. An inner node
// is cut at the median of its widest side, so the tree is balanced whatever the data, and the place
// of every node is known beforehand: levels are built by all threads. Nodes stand in preorder: the
// left child follows its parent. Good while columns are few (some 15); beyond, boxes hardly exclude
// anything.
//
// Rows are copied in tree order, in f64, twice: row by row, and within a leaf column by column, so
// that a leaf's distances are a few vector operations.
//
// Source: Bentley, "Multidimensional binary search trees used for associative searching" (1975).
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

class KdTree {
 public:
  static constexpr int32_t kLeafSize = 32;

  struct Node {
    int32_t begin, end;  // its points, as places in tree order
    int32_t right;       // right child; 0 for a leaf
    int32_t first;       // the lowest row number in it
  };

  // x (n, d) f32 or f64, row-major, finite, n < 2^31.
  explicit KdTree(const Tensor& x);

  int64_t points() const { return n_; }
  int64_t columns() const { return d_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const double* row(int64_t place) const { return rows_ + place * d_; }
  int32_t id(int64_t place) const { return ids_[place]; }  // row number in x

  // out[i] = squared distance from q to place begin + i of the leaf [begin, end); out has room for
  // kLeafSize. The bits of kernels::direct_squared_distance.
  void leaf_distances(const double* q, int32_t begin, int32_t end, double* out) const;

  // From q to the nearest point of the node's box, squared; 0 inside.
  double box_distance(int32_t node, const double* q) const {
    const double *low = boxes_ + 2 * d_ * node, *high = low + d_;
    double sum = 0;
    for (int64_t j = 0; j < d_; j++) {
      double below = low[j] - q[j], above = q[j] - high[j];
      double gap = below > above ? below : above;
      gap = gap > 0 ? gap : 0;
      sum += gap * gap;
    }
    return sum;
  }

  // Between the nearest points of two nodes' boxes, squared; 0 where they touch.
  double box_distance_between(int32_t a, int32_t b) const {
    const double *low = boxes_ + 2 * d_ * a, *high = low + d_;
    const double *low_b = boxes_ + 2 * d_ * b, *high_b = low_b + d_;
    double sum = 0;
    for (int64_t j = 0; j < d_; j++) {
      double below = low[j] - high_b[j], above = low_b[j] - high[j];
      double gap = below > above ? below : above;
      gap = gap > 0 ? gap : 0;
      sum += gap * gap;
    }
    return sum;
  }

  // The same of both children of an inner node at once: {left, right}.
  typedef double Two __attribute__((vector_size(16)));
  Two children_distance(int32_t node, const double* q) const {
    return children_distance(node, q, q);
  }
  Two children_distance_between(int32_t node, int32_t other) const {
    const double* low = boxes_ + 2 * d_ * other;
    return children_distance(node, low, low + d_);
  }

  // Walks from near to far around q: enter(node, squared distance of its box) says whether the node
  // can still matter, scan(begin, end) looks at the places of a leaf.
  template <class Enter, class Scan>
  void search(const double* q, Enter&& enter, Scan&& scan) const {
    struct Item {
      int32_t node;
      double distance;
    } stack[64];  // at most one waiting node a level, and 2^31 points have fewer than 32 levels
    int height = 0;
    stack[height++] = {0, box_distance(0, q)};
    while (height) {
      Item item = stack[--height];
      if (!enter(item.node, item.distance)) continue;
      const Node& node = nodes_[size_t(item.node)];
      if (!node.right) {
        scan(node.begin, node.end);
        continue;
      }
      const Two distance = children_distance(item.node, q);
      Item near{item.node + 1, distance[0]};
      Item far{node.right, distance[1]};
      bool swap = far.distance < near.distance ||
                  (far.distance == near.distance &&
                   nodes_[size_t(far.node)].first < nodes_[size_t(near.node)].first);
      stack[height++] = swap ? near : far;
      stack[height++] = swap ? far : near;
    }
  }

 private:
  // Of the box from low to high to the boxes of a node's children.
  Two children_distance(int32_t node, const double* low, const double* high) const {
    const Two *box = pairs_ + 2 * d_ * pair_[size_t(node)], zero = {0, 0};
    Two sum = zero;
    for (int64_t j = 0; j < d_; j++) {
      const Two below = box[2 * j] - high[j], above = low[j] - box[2 * j + 1];
      Two gap = below > above ? below : above;
      gap = gap > zero ? gap : zero;
      sum += gap * gap;
    }
    return sum;
  }

  template <class T>
  void build(const T* x);
  template <class T>
  void cut(const T* x, int32_t node);
  void lay_out_leaf(int32_t begin, int32_t end);

  int64_t n_, d_;
  Tensor row_tensor_, column_tensor_, id_tensor_, box_tensor_,
      pair_tensor_;  // what the pointers point to
  double* rows_;     // (n, d)
  double* columns_;  // the same, each leaf (d, points in it); kLeafSize more may be read
  int32_t* ids_;
  double* boxes_;  // (nodes, 2, d): low corners, high corners
  Two* pairs_;     // (inner nodes, d, 2): low sides of both children, high sides of both
  std::vector<int32_t> pair_;  // where an inner node's are
  std::vector<Node> nodes_;
};

}  // namespace clade::cluster

// Edges of the mutual reachability graph, as the spanning tree methods see them.
//
// All comparisons are made on squares; the root is taken once, when a tree is finished. Both
// methods must come to the same bits, so the weight of an edge is computed in this one place.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "clustering/neighbors/kd_tree.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct ReachabilityEdge {
  double w;      // weight
  int32_t a, b;  // row numbers, a < b
};

// The total order of edges: by weight, then by ends.
inline bool operator<(const ReachabilityEdge& x, const ReachabilityEdge& y) {
  if (x.w != y.w) return x.w < y.w;
  return x.a != y.a ? x.a < y.a : x.b < y.b;
}

inline ReachabilityEdge make_edge(double w, int32_t p, int32_t q) {
  return p < q ? ReachabilityEdge{w, p, q} : ReachabilityEdge{w, q, p};
}

// max(core_p, core_q, |p - q| / alpha). Rises with the squared distance, rounding included.
inline double reachability(double core_p, double core_q, double distance2, double alpha) {
  double w = std::sqrt(distance2) / alpha;
  if (w < core_p) w = core_p;
  return w < core_q ? core_q : w;
}

// What a search for core distances found on its way, by place in the tree's order.
struct NearLists {
  int64_t k = 0;  // 0: there are none
  Tensor place;   // (n, k) i32: the k nearest
  Tensor beyond;  // (n) f64: no other point is nearer than this
};

// The n - 1 edges of the minimum spanning tree, in no order. x (n, d) row-major, finite; core (n).
std::vector<ReachabilityEdge> boruvka(const KdTree& tree, const double* core, double alpha,
                                      const NearLists& near, const Progress& progress);
std::vector<ReachabilityEdge> prim(const Tensor& x, const double* core, double alpha,
                                   const Progress& progress);
// x with NaN where values are missing, by partial distance: edges may be infinite.
std::vector<ReachabilityEdge> partial_prim(const Tensor& x, const double* core, double alpha,
                                           int64_t min_common, const Progress& progress);
// neighbors (n, k) i32: the k >= 1 nearest rows of each row, as exact_knn gives them.
std::vector<ReachabilityEdge> certified(const Tensor& x, const double* core, double alpha,
                                        const Tensor& neighbors, const Progress& progress);

}  // namespace clade::cluster

// The minimum spanning tree of n points under mutual reachability, the distance of HDBSCAN:
//
//     w(p, q) = max(core_p, core_q, |p - q| / alpha)
//
// core_p is the distance from p to its min_samples-th nearest other point: small where it is dense.
// The tree holds all that single linkage needs of the complete graph, in n - 1 edges.
//
// Edges are ordered by (w, lower end, higher end). No two are equal, so the tree is unique even
// where distances tie, and Boruvka and Prim must find the same one, edge by edge.
#pragma once

#include <cstdint>

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

enum class SpanningTreeMethod : uint8_t {
  automatic,  // boruvka up to kBoruvkaColumns columns, else tiles
  boruvka,    // k-d tree, O(n log^2 n) or so while the columns are few
  tiles,      // two passes of matrix products over all pairs (certified.cpp)
  prim,       // O(n^2 d) direct distances, O(n) memory: the reference
};

inline constexpr int64_t kBoruvkaColumns = 15;

struct SpanningTree {
  Tensor from;    // (n - 1) i32, the lower end
  Tensor to;      // (n - 1) i32, the higher end
  Tensor weight;  // (n - 1) f64, w; edges stand in their order, shortest first

  int64_t points() const { return weight.numel() + 1; }
};

// (n) f64: distance to the min_samples-th nearest other row, as the hdbscan package computes it
// (its manual says that the point itself counts; its code does not count it). min_samples >= n is
// taken as n - 1. x (n, d) f32 or f64.
Tensor core_distances(const Tensor& x, int64_t min_samples, const Progress& progress = {});

// core (n) f64, as core_distances gives it. Reports "hdbscan spanning tree".
SpanningTree minimum_spanning_tree(const Tensor& x, const Tensor& core, double alpha = 1.0,
                                   SpanningTreeMethod method = SpanningTreeMethod::automatic,
                                   const Progress& progress = {});

// Both at once: what the search for core distances finds on its way begins the tree.
struct ReachabilityTree {
  Tensor core;
  SpanningTree tree;
};
ReachabilityTree reachability_tree(const Tensor& x, int64_t min_samples, double alpha = 1.0,
                                   SpanningTreeMethod method = SpanningTreeMethod::automatic,
                                   const Progress& progress = {});

// The same over the columns that two rows both have (partial_knn in neighbors/knn.h): NaN in x is a
// missing value, rows with fewer than min_common >= 1 common columns are infinitely far from each
// other. Core distances may be infinite; where the tree has to go over such a pair, its edge weighs
// twice the longest other one, or 1. Partial distance is no metric, so all pairs are measured:
// O(n^2 d) time.
ReachabilityTree partial_reachability_tree(const Tensor& x, int64_t min_samples, double alpha = 1.0,
                                           int64_t min_common = 1, const Progress& progress = {});

}  // namespace clade::cluster

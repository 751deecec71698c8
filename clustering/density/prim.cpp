// Prim's algorithm on the complete graph, none of whose edges are stored: the tree grows from row
// 0; each row outside remembers its lowest edge into the tree, and the lowest of all comes next.
//
// O(n^2 d) time, O(n) memory. It is the reference for Boruvka, and the method of choice where there
// are so many columns that no tree can exclude anything. Rows are handled in blocks by the threads;
// the lowest edge in the total order is the same however they are cut.
//
// Source: Prim, "Shortest connection networks and some generalizations" (1957).
#include <algorithm>
#include <limits>
#include <numeric>

#include "clustering/density/reachability.h"
#include "clustering/neighbors/partial_distance.h"
#include "kernels/distance/distance.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr ReachabilityEdge kNoEdge{std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<int32_t>::max(),
                                   std::numeric_limits<int32_t>::max()};

struct Choice {
  ReachabilityEdge edge = kNoEdge;
  int64_t place = -1;  // in the list of rows outside
};

// distance2(p, q): the squared distance of two rows of d columns.
template <class Distance>
std::vector<ReachabilityEdge> grow(int64_t n, int64_t d, const double* core, double alpha,
                                   const Progress& progress, Distance&& distance2) {
  Scratch<int32_t> outside(n);
  Scratch<ReachabilityEdge> lowest(n);  // by row: its lowest edge into the tree
  std::iota(outside.data(), outside.data() + n, 0);
  std::fill_n(lowest.data(), n, kNoEdge);
  std::vector<ReachabilityEdge> edges;
  edges.reserve(size_t(n - 1));

  const int64_t grain = std::max<int64_t>(256, (int64_t{1} << 17) / d);
  int64_t place = 0;  // of the row that joins the tree next
  for (int64_t left = n - 1; left > 0; left--) {
    if (left % 1024 == 0) progress("hdbscan spanning tree", n - 1 - left, n - 1);
    const int32_t newcomer = outside[place];
    outside[place] = outside[left];
    Choice next = parallel_reduce(
        left, grain, Choice{},
        [&](int64_t begin, int64_t end) {
          Choice best;
          for (int64_t i = begin; i < end; i++) {
            const int32_t p = outside[i];
            double w = reachability(core[newcomer], core[p], distance2(newcomer, p), alpha);
            ReachabilityEdge edge = make_edge(w, newcomer, p);
            if (edge < lowest[p]) lowest[p] = edge;
            if (lowest[p] < best.edge) best = {lowest[p], i};
          }
          return best;
        },
        [](const Choice& a, const Choice& b) { return b.edge < a.edge ? b : a; });
    edges.push_back(next.edge);
    place = next.place;
  }
  return edges;
}

}  // namespace

std::vector<ReachabilityEdge> prim(const Tensor& x, const double* core, double alpha,
                                   const Progress& progress) {
  const int64_t n = x.size(0), d = x.size(1);
  return dispatch_floating(x.dtype(), [&](auto type) {
    const auto* rows = x.data<decltype(type)>();
    return grow(n, d, core, alpha, progress, [&](int32_t p, int32_t q) {
      return kernels::direct_squared_distance(rows + p * d, rows + q * d, d);
    });
  });
}

std::vector<ReachabilityEdge> partial_prim(const Tensor& x, const double* core, double alpha,
                                           int64_t min_common, const Progress& progress) {
  const int64_t n = x.size(0), d = x.size(1);
  return dispatch_floating(x.dtype(), [&](auto type) {
    const auto* rows = x.data<decltype(type)>();
    return grow(n, d, core, alpha, progress, [&](int32_t p, int32_t q) {
      return partial_squared_distance(rows + p * d, rows + q * d, d, min_common);
    });
  });
}

}  // namespace clade::cluster

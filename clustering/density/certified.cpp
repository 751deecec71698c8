// The exact spanning tree in any number of columns: guess a good tree, then prove it edge by edge.
//
// The cycle rule: an edge (p, q) that is not below the highest edge on the way from p to q in a
// spanning tree T0 is in no minimum spanning tree. So
//   1. T0 is Kruskal's tree of the nearest neighbours' edges; parts that these leave apart are
//   joined
//      over the nearest foreign points of some of their rows;
//   2. all pairs are looked at in tiles of keys (kernels/distance/tiles.h), and only those that
//   their
//      key allows to be below that highest edge are measured. The few that really are, are kept;
//   3. the minimum spanning tree of T0 and what was kept is that of the complete graph.
//
// In the order in which T0 is merged, the highest edge between places i < j is the highest of those
// that merge neighbouring places i .. j - 1. Over a tile of rows I and columns J that is the
// highest of three: from i to the end of I, between the tiles, from the start of J to j. So the
// test costs a maximum and a comparison an element. Edges are in their total order
// (reachability.h), so ties and duplicates give the tree that Prim's algorithm gives.
//
// A bad T0 keeps too many pairs. When they are more than a few per row, the pass stops, takes the
// tree of what it has found so far for T0, and begins again.
//
// Time: two products over all pairs at worst, in shortened rows where that helps
// (neighbors/image.h). Memory: the images and a few edges per row.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "clustering/density/reachability.h"
#include "clustering/density/union_find.h"
#include "clustering/neighbors/image.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/tiles.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

using Edges = std::vector<ReachabilityEdge>;
using kernels::kTileColumns;
using kernels::kTileRows;

constexpr int64_t kWave = 32;  // tiles of rows between two calls of progress
constexpr int64_t kMostKept = int64_t{1} << 21;
constexpr int64_t kJoinRows = 64;  // rows of a part that look for foreign neighbours

// Kruskal. `edges` in any order; what is left is a minimum spanning forest, in the total order.
Edges kruskal(Edges edges, int64_t n) {
  std::sort(edges.begin(), edges.end());
  UnionFind sets(n);
  Edges tree;
  tree.reserve(size_t(n - 1));
  for (const ReachabilityEdge& e : edges)
    if (sets.unite(e.a, e.b)) tree.push_back(e);
  return tree;
}

// The order in which a tree's merges lay the points side by side.
struct MergeOrder {
  std::vector<int32_t> row;     // (n): the row at each place
  std::vector<int32_t> height;  // (n - 1): which edge of the tree merges places i and i + 1
};

MergeOrder merge_order(const Edges& tree, int64_t n) {
  std::vector<int32_t> last(static_cast<size_t>(n)), next(size_t(n), -1), merge(size_t(n), -1);
  std::iota(last.begin(), last.end(), 0);
  UnionFind sets(n);  // a set stands for its lowest row, where its run begins
  for (size_t e = 0; e < tree.size(); e++) {
    auto [a, b] = std::minmax({sets.find(tree[e].a), sets.find(tree[e].b)});
    next[size_t(last[size_t(a)])] = b;
    merge[size_t(last[size_t(a)])] = int32_t(e);
    last[size_t(a)] = last[size_t(b)];
    sets.unite(a, b);
  }
  MergeOrder order;
  for (int32_t r = 0; r >= 0; r = next[size_t(r)]) {
    order.row.push_back(r);
    if (merge[size_t(r)] >= 0) order.height.push_back(merge[size_t(r)]);
  }
  return order;
}

// S: the data; T: its images.
template <class S, class T>
class Certified {
 public:
  Certified(const Tensor& x, const double* core, double alpha, ImagePlan plan)
      : x_(x),
        n_(x.size(0)),
        d_(x.size(1)),
        rows_(x.data<S>()),
        core_(core),
        alpha_(alpha),
        plan_(std::move(plan)),
        key_bound_(plan_.columns()),
        width_(plan_.columns() + 1),
        second_width_(plan_.deep ? plan_.deep + 1 : 0),
        lifted_(n_ * width_),
        second_(n_ * second_width_),
        half_(n_),
        edge_bound_(n_),
        column_bound_(n_) {}

  Edges run(Edges forest, const Progress& progress) {
    Edges tree = join_parts(std::move(forest));
    for (bool complete = false; !complete;) {
      Edges found;
      complete = look_at_pairs(tree, found, progress);
      tree.insert(tree.end(), found.begin(), found.end());
      tree = kruskal(std::move(tree), n_);
    }
    return tree;
  }

 private:
  ReachabilityEdge edge(int32_t p, int32_t q) const {
    const double squared = kernels::direct_squared_distance(rows_ + p * d_, rows_ + q * d_, d_);
    return make_edge(reachability(core_[p], core_[q], squared, alpha_), p, q);
  }

  // Joins the parts of a forest: some rows of each part look for their lowest edge to another part,
  // the part takes the lowest of these, until there is one part. Not minimal, but near it.
  Edges join_parts(Edges forest) const {
    UnionFind sets(n_);
    for (const ReachabilityEdge& e : forest) sets.unite(e.a, e.b);
    while (int64_t(forest.size()) < n_ - 1) {
      std::vector<int32_t> part(static_cast<size_t>(n_)), seen(size_t(n_), 0), size(size_t(n_), 0);
      int64_t parts = 0;
      for (int64_t i = 0; i < n_; i++) {
        part[size_t(i)] = sets.find(int32_t(i));
        parts += size[size_t(part[size_t(i)])]++ == 0;
      }
      // A row in so many of its part looks: all parts together ask for a small share of all pairs.
      const int64_t most = std::clamp<int64_t>(n_ / (16 * parts), 1, kJoinRows);
      std::vector<int32_t> asking;
      for (int64_t i = 0; i < n_; i++) {
        const size_t p = size_t(part[size_t(i)]);
        const int64_t step = (size[p] + most - 1) / most;
        if (seen[p]++ % step == 0) asking.push_back(int32_t(i));
      }
      Edges lowest = lowest_to_other_parts(asking, part);
      std::sort(lowest.begin(), lowest.end());
      std::vector<bool> served(static_cast<size_t>(n_), false);
      for (const ReachabilityEdge& e : lowest) {
        const size_t a = size_t(part[size_t(e.a)]), b = size_t(part[size_t(e.b)]);
        if ((served[a] && served[b]) || !sets.unite(e.a, e.b)) continue;
        served[a] = served[b] = true;
        forest.push_back(e);
      }
    }
    std::sort(forest.begin(), forest.end());
    return forest;
  }

  // For each asking row its lowest edge to a row of another part, as far as products can tell.
  Edges lowest_to_other_parts(const std::vector<int32_t>& asking,
                              const std::vector<int32_t>& part) const {
    constexpr int64_t kAtOnce = 64;
    const int64_t count = int64_t(asking.size());
    Edges lowest(asking.size());
    Tensor some = Tensor::empty({kAtOnce, d_}, x_.dtype());
    Tensor squared = Tensor::empty({kAtOnce, n_}, x_.dtype());
    for (int64_t i0 = 0; i0 < count; i0 += kAtOnce) {
      const int64_t rows = std::min(kAtOnce, count - i0);
      for (int64_t i = 0; i < rows; i++)
        std::copy_n(rows_ + asking[size_t(i0 + i)] * d_, d_, some.data<S>() + i * d_);
      const Tensor asked = some.slice(0, 0, rows), out = squared.slice(0, 0, rows);
      kernels::squared_distances(kernels::Cpu{}, asked.view(), x_.view(), out.view());
      parallel_for(rows, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int32_t p = asking[size_t(i0 + i)], own = part[size_t(p)];
          const S* row = squared.data<S>() + i * n_;
          double least = std::numeric_limits<double>::infinity();
          int32_t nearest = -1;
          for (int32_t q = 0; q < n_; q++) {
            if (part[size_t(q)] == own) continue;
            const double w = reachability(core_[p], core_[q], double(row[q]), alpha_);
            if (nearest < 0 || w < least) least = w, nearest = q;
          }
          lowest[size_t(i0 + i)] = edge(p, nearest);
        }
      });
    }
    return lowest;
  }

  // Finds the pairs below the highest edge between them in the tree. False when it stopped, with
  // more than enough of them to better the tree.
  bool look_at_pairs(const Edges& tree, Edges& found, const Progress& progress) {
    const MergeOrder order = merge_order(tree, n_);
    make_images_in(order);
    for (int64_t e = 0; e < n_ - 1; e++) edge_bound_[e] = bound(tree[size_t(e)].w);
    for (int64_t j = 0, highest = -1; j < n_; j++) {
      highest =
          j % kTileColumns == 0 ? -1 : std::max<int64_t>(highest, order.height[size_t(j - 1)]);
      column_bound_[j] = highest < 0 ? -std::numeric_limits<T>::infinity() : edge_bound_[highest];
    }
    const int64_t tiles = (n_ + kTileRows - 1) / kTileRows;
    for (int64_t wave = 0; wave < tiles; wave += kWave) {
      progress("hdbscan spanning tree", wave, tiles);
      const int64_t count = std::min(kWave, tiles - wave);
      std::vector<Edges> kept(static_cast<size_t>(count));
      parallel_for(count, 1, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; t++)
          tile_row(tree, order, (wave + t) * kTileRows, kept[size_t(t)]);
      });
      for (const Edges& k : kept) found.insert(found.end(), k.begin(), k.end());
      if (int64_t(found.size()) > kMostKept + 4 * n_) return false;
    }
    progress("hdbscan spanning tree", tiles, tiles);
    return true;
  }

  void make_images_in(const MergeOrder& order) {
    most_slack_ = parallel_reduce(
        n_, kTileRows, 0.0,
        [&](int64_t begin, int64_t end) {
          const int64_t count = end - begin;
          Scratch<S> buffer(count * d_);
          Scratch<double> slack(count);
          for (int64_t i = 0; i < count; i++)
            std::copy_n(rows_ + order.row[size_t(begin + i)] * d_, d_, buffer.data() + i * d_);
          make_images<S, T>(plan_, buffer.data(), count,
                            {lifted_.data() + begin * width_, width_, half_.data() + begin,
                             slack.data(), second_of(begin)});
          for (int64_t i = begin; i < end; i++)
            kernels::lift_right(lifted_.data() + i * width_, plan_.columns(), half_[i], key_bound_);
          return *std::max_element(slack.data(), slack.data() + count);
        },
        [](double a, double b) { return std::max(a, b); });
  }

  float* second_of(int64_t place) {
    return plan_.deep ? second_.data() + place * second_width_ : nullptr;
  }

  // Keys plus g above this prove that a pair is farther than `reach`, that is alpha times a weight.
  // The sum in T may be rounded once.
  T bound(double weight) const {
    const T key = key_bound_.limit(squared_reach(weight), 2 * most_slack_, 0);
    return key * (1 + 4 * std::numeric_limits<T>::epsilon());
  }
  double squared_reach(double weight) const {
    const double reach = weight * alpha_ * plan_.scale;
    return reach * reach;
  }

  // The pairs of the rows at places first .. with all at later places.
  void tile_row(const Edges& tree, const MergeOrder& order, int64_t first, Edges& kept) {
    const int64_t rows = std::min(kTileRows, n_ - first);
    Scratch<T> left(rows * width_), tile(kTileRows * kTileColumns);
    std::copy_n(lifted_.data() + first * width_, rows * width_, left.data());
    for (int64_t i = 0; i < rows; i++)
      kernels::lift_left(left.data() + i * width_, plan_.columns());
    // By row: the highest merge from it to the last column before the tile.
    std::vector<int64_t> before(static_cast<size_t>(rows), -1);
    const int64_t start = first / kTileColumns * kTileColumns;
    int32_t hits[kTileColumns];
    for (int64_t j0 = start; j0 < n_; j0 += kTileColumns) {
      const int64_t columns = std::min(kTileColumns, n_ - j0);
      kernels::gemm_serial<T>(false, true, rows, columns, width_, T(1), left.data(), width_,
                              lifted_.data() + j0 * width_, width_, T(0), tile.data(), columns);
      if (j0 > start) raise_to(order, first, rows, j0, before);
      for (int64_t i = 0; i < rows; i++) {
        const int64_t p = first + i;
        const T* keys = tile.data() + i * columns;
        const T half = T(half_[p] * (1 - key_bound_.c) * (1 - key_bound_.c));
        if (j0 == start) {  // rows and columns overlap: from p on, one by one
          int64_t highest = -1;
          for (int64_t q = p + 1; q < j0 + columns; q++) {
            highest = std::max<int64_t>(highest, order.height[size_t(q - 1)]);
            if (!(keys[q - j0] + half > edge_bound_[highest]))
              consider(tree, order, p, q, highest, kept);
          }
          continue;
        }
        int64_t highest = before[size_t(i)], done = 0;
        const int64_t count = kernels::find_at_most_either(
            keys, columns, half, edge_bound_[highest], column_bound_.data() + j0, hits);
        for (int64_t h = 0; h < count; h++) {
          for (; done < hits[h]; done++)
            highest = std::max<int64_t>(highest, order.height[size_t(j0 + done)]);
          consider(tree, order, p, j0 + hits[h], highest, kept);
        }
      }
    }
  }

  // before[i]: the highest merge between place first + i and place j0, from that up to the tile
  // before.
  void raise_to(const MergeOrder& order, int64_t first, int64_t rows, int64_t j0,
                std::vector<int64_t>& before) const {
    const int64_t from = std::max(j0 - kTileColumns, first + rows - 1);
    int64_t highest = -1;
    for (int64_t h = from; h < j0; h++)
      highest = std::max<int64_t>(highest, order.height[size_t(h)]);
    if (before[0] < 0) {  // the first time: from each row to the end of its own tile, too
      int64_t suffix = highest;
      for (int64_t i = rows - 1; i >= 0; i--) {
        if (first + i < from) suffix = std::max<int64_t>(suffix, order.height[size_t(first + i)]);
        before[size_t(i)] = suffix;
      }
      return;
    }
    for (int64_t& b : before) b = std::max(b, highest);
  }

  // Keeps the pair at places p, q if it is below the tree's edge `highest`.
  void consider(const Edges& tree, const MergeOrder& order, int64_t p, int64_t q, int64_t highest,
                Edges& kept) {
    const ReachabilityEdge& limit = tree[size_t(highest)];
    const int32_t a = order.row[size_t(p)], b = order.row[size_t(q)];
    // No edge at a row is below its core distance.
    if (!(make_edge(std::max(core_[a], core_[b]), a, b) < limit)) return;
    if (plan_.deep) {
      const double far = std::sqrt(squared_reach(limit.w)) + 2 * most_slack_;
      const double rough =
          double(kernels::rough_squared_distance(second_of(p), second_of(q), second_width_));
      if (rough > far * far * (1 + double(second_width_ + 16) * 0x1p-22) + 0x1p-100) return;
    }
    const ReachabilityEdge e = edge(a, b);
    if (e < limit) kept.push_back(e);
  }

  const Tensor x_;
  const int64_t n_, d_;
  const S* rows_;
  const double* core_;
  const double alpha_;
  const ImagePlan plan_;
  const kernels::KeyBound<T> key_bound_;
  const int64_t width_, second_width_;
  Scratch<T> lifted_;  // images in merge order, as the right side of a product
  Scratch<float> second_;
  Scratch<double> half_;     // half their squared norms
  Scratch<T> edge_bound_;    // by edge of the tree
  Scratch<T> column_bound_;  // by place: of the highest merge since its tile of columns began
  double most_slack_ = 0;
};

}  // namespace

std::vector<ReachabilityEdge> certified(const Tensor& x, const double* core, double alpha,
                                        const Tensor& neighbors, const Progress& progress) {
  const int64_t n = x.size(0), k = neighbors.size(1);
  const int32_t* near = neighbors.data<int32_t>();
  Edges edges(static_cast<size_t>(n * k));
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* rows = x.data<decltype(zero)>();
    const int64_t d = x.size(1);
    parallel_for(n, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        for (int64_t r = i * k; r < (i + 1) * k; r++) {
          const double squared =
              kernels::direct_squared_distance(rows + i * d, rows + near[r] * d, d);
          edges[size_t(r)] =
              make_edge(reachability(core[i], core[near[r]], squared, alpha), int32_t(i), near[r]);
        }
    });
  });
  Edges forest = kruskal(std::move(edges), n);
  ImagePlan plan = plan_images("hdbscan", x, x, k);
  if (x.dtype() == DType::f32)
    return Certified<float, float>(x, core, alpha, std::move(plan))
        .run(std::move(forest), progress);
  if (plan.head)
    return Certified<double, float>(x, core, alpha, std::move(plan))
        .run(std::move(forest), progress);
  return Certified<double, double>(x, core, alpha, std::move(plan))
      .run(std::move(forest), progress);
}

}  // namespace clade::cluster

// Boruvka's algorithm on a k-d tree: every component finds the shortest edge that leaves it, all
// those edges join the tree, components merge, and so on; at most log2(n) rounds.
//
// The search from one point skips whatever cannot win:
//   - nodes that lie wholly in the point's own component (one component number on each node);
//   - nodes whose box, or whose lowest core distance, is farther than the component's best edge;
//   - the point altogether, when its floor, a bound kept from earlier rounds, is above that best.
//     No edge of p is shorter than core_p: that floor alone spares most points.
// A point's nearest foreign point stays the nearest as long as it is foreign, so it is kept.
//
// The components' best weights are shared by the threads while they search. That changes only how
// much is skipped: what is skipped is longer than an edge already found. The edges chosen are the
// lowest in a total order, hence the same at any number of threads.
//
// Sources: March, Ram, Gray, "Fast Euclidean minimum spanning tree" (KDD 2010); McInnes, Healy,
// "Accelerated hierarchical density based clustering" (ICDMW 2017).
#include <algorithm>
#include <atomic>
#include <limits>

#include "clustering/density/reachability.h"
#include "clustering/density/union_find.h"
#include "clustering/neighbors/kd_tree.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int32_t kNone = -1;
constexpr ReachabilityEdge kNoEdge{kInfinity, std::numeric_limits<int32_t>::max(),
                                   std::numeric_limits<int32_t>::max()};

double read(double& shared) {
  return std::atomic_ref<double>(shared).load(std::memory_order_relaxed);
}

void lower(double& shared, double value) {
  std::atomic_ref<double> bound(shared);
  double seen = bound.load(std::memory_order_relaxed);
  while (value < seen && !bound.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

// Points are named by their place in the tree's order; edges by row numbers.
class Boruvka {
 public:
  Boruvka(const Tensor& x, const double* core_of_row, double alpha)
      : tree_(x),
        n_(tree_.points()),
        alpha_(alpha),
        core_(n_),
        floor_(n_),
        nearest_(n_),
        partner_(n_),
        component_(n_),
        bound_(n_),
        shortest_(n_),
        sets_(n_),
        node_component_(tree_.nodes().size()),
        node_core_(tree_.nodes().size()) {
    for (int64_t i = 0; i < n_; i++) {
      core_[i] = floor_[i] = core_of_row[tree_.id(i)];
      partner_[i] = kNone;
      component_[i] = tree_.id(i);
    }
    each_node(
        [&](size_t v, int32_t begin, int32_t end) {
          node_core_[v] = *std::min_element(core_.data() + begin, core_.data() + end);
        },
        [&](size_t v, size_t left, size_t right) {
          node_core_[v] = std::min(node_core_[left], node_core_[right]);
        });
  }

  std::vector<ReachabilityEdge> run(const Progress& progress) {
    std::vector<ReachabilityEdge> edges;
    edges.reserve(size_t(n_ - 1));
    while (int64_t(edges.size()) < n_ - 1) {
      progress("hdbscan spanning tree", int64_t(edges.size()), n_ - 1);
      number_nodes();
      recall();
      parallel_for(n_, 256, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) search(i);
      });
      join(edges);
    }
    return edges;
  }

 private:
  // Calls leaf(node, begin, end) and inner(node, left, right), children before their parents.
  template <class Leaf, class Inner>
  void each_node(Leaf&& leaf, Inner&& inner) {
    for (size_t v = tree_.nodes().size(); v-- > 0;) {
      const KdTree::Node& node = tree_.nodes()[v];
      if (node.right)
        inner(v, v + 1, size_t(node.right));
      else
        leaf(v, node.begin, node.end);
    }
  }

  // Writes on each node the component that all its points share, or kNone.
  void number_nodes() {
    each_node(
        [&](size_t v, int32_t begin, int32_t end) {
          node_component_[v] = component_[begin];
          for (int32_t i = begin + 1; i < end; i++)
            if (component_[i] != component_[begin]) node_component_[v] = kNone;
        },
        [&](size_t v, size_t left, size_t right) {
          int32_t c = node_component_[left];
          node_component_[v] = c == node_component_[right] ? c : kNone;
        });
  }

  // Keeps the nearest foreign points that are still foreign, and bounds the components by them.
  void recall() {
    std::fill_n(bound_.data(), n_, kInfinity);
    for (int64_t i = 0; i < n_; i++) {
      if (partner_[i] == kNone) continue;
      if (component_[partner_[i]] == component_[i])
        partner_[i] = kNone;
      else
        lower(bound_[component_[i]], nearest_[i].w);
    }
  }

  // Finds the lowest edge from point i to another component, unless that of its component is lower.
  void search(int64_t i) {
    const int32_t own = component_[i], id = tree_.id(i);
    const double limit = read(bound_[own]);
    if (partner_[i] != kNone || floor_[i] > limit) return;

    ReachabilityEdge best = kNoEdge;
    best.w = limit;
    const double* q = tree_.row(i);
    double distances[KdTree::kLeafSize];
    auto enter = [&](int32_t node, double distance2) {
      if (node_component_[size_t(node)] == own) return false;
      // No edge into this node is below the one to its first row at the box's distance.
      double w = reachability(core_[i], node_core_[size_t(node)], distance2, alpha_);
      return make_edge(w, id, tree_.nodes()[size_t(node)].first) < best;
    };
    auto scan = [&](int32_t begin, int32_t end) {
      tree_.leaf_distances(q, begin, end, distances);
      for (int32_t j = begin; j < end; j++) {
        if (component_[j] == own) continue;
        double w = reachability(core_[i], core_[j], distances[j - begin], alpha_);
        if (w > best.w) continue;
        ReachabilityEdge edge = make_edge(w, id, tree_.id(j));
        if (edge < best) {
          best = edge;
          partner_[i] = j;
        }
      }
    };
    tree_.search(q, enter, scan);
    floor_[i] = best.w;
    if (partner_[i] == kNone) return;
    nearest_[i] = best;
    lower(bound_[own], best.w);
  }

  // Takes the lowest edge of each component into the tree and merges what it joins.
  void join(std::vector<ReachabilityEdge>& edges) {
    std::fill_n(shortest_.data(), n_, kNoEdge);
    for (int64_t i = 0; i < n_; i++)
      if (partner_[i] != kNone && nearest_[i] < shortest_[component_[i]])
        shortest_[component_[i]] = nearest_[i];
    for (int64_t c = 0; c < n_; c++)
      if (shortest_[c].w < kInfinity && sets_.unite(shortest_[c].a, shortest_[c].b))
        edges.push_back(shortest_[c]);
    for (int64_t i = 0; i < n_; i++) component_[i] = sets_.find(tree_.id(i));
  }

  KdTree tree_;
  int64_t n_;
  double alpha_;
  Scratch<double> core_;
  Scratch<double> floor_;               // no edge from this point to another component is shorter
  Scratch<ReachabilityEdge> nearest_;   // the lowest of them, where partner_ is set
  Scratch<int32_t> partner_;            // its other end, or kNone
  Scratch<int32_t> component_;          // a row number that stands for the component
  Scratch<double> bound_;               // by component: the shortest weight found so far
  Scratch<ReachabilityEdge> shortest_;  // by component: the lowest edge of the round
  UnionFind sets_;
  std::vector<int32_t> node_component_;
  std::vector<double> node_core_;  // the lowest core distance in the node
};

}  // namespace

std::vector<ReachabilityEdge> boruvka(const Tensor& x, const double* core, double alpha,
                                      const Progress& progress) {
  return Boruvka(x, core, alpha).run(progress);
}

}  // namespace clade::cluster

// Boruvka's algorithm on a k-d tree: every component finds the shortest edge that leaves it, all
// those edges join the tree, components merge, and so on; at most log2(n) rounds.
//
// A round goes from what costs nothing to what costs more:
//   1. the nearest foreign points of earlier rounds that are still foreign;
//   2. the lists of nearest neighbours that the core distances left behind: the lowest foreign edge
//      of a list is the point's lowest if it is below all that could be outside of the list;
//   3. a search of the tree. Leaves that belong to several components are searched from each of
//      their points; nodes that lie wholly in one component are compared as a whole with the other
//      nodes (dual tree), so that the inside of a cluster is passed over in a few steps.
// Searches skip whatever cannot win: nodes that lie wholly in the own component, nodes whose box,
// or whose lowest core distance, is farther than the component's best edge, and points whose floor,
// a bound kept from earlier rounds, is above it. No edge of p is shorter than core_p.
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
#include "kernels/distance/distance.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int32_t kNone = -1;
constexpr int32_t kLastRow = std::numeric_limits<int32_t>::max();
constexpr ReachabilityEdge kNoEdge{kInfinity, kLastRow, kLastRow};
constexpr int32_t kTaskPoints = 2048;  // of a node that is compared as a whole

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
  Boruvka(const KdTree& tree, const double* core_of_row, double alpha, const NearLists& near)
      : tree_(tree),
        listed_(near.k),
        list_(listed_ ? near.place.data<int32_t>() : nullptr),
        beyond_(listed_ ? near.beyond.data<double>() : nullptr),
        n_(tree_.points()),
        alpha_(alpha),
        core_(n_),
        floor_(n_),
        nearest_(n_),
        partner_(n_),
        exact_(n_),
        spent_(n_),
        component_(n_),
        bound_(n_),
        shortest_(n_),
        sets_(n_),
        node_component_(tree_.nodes().size()),
        node_core_(tree_.nodes().size()),
        node_floor_(tree_.nodes().size()) {
    for (int64_t i = 0; i < n_; i++) {
      core_[i] = floor_[i] = core_of_row[tree_.id(i)];
      partner_[i] = kNone;
      exact_[i] = spent_[i] = false;
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
      std::fill_n(bound_.data(), n_, kInfinity);
      parallel_for(n_, 4096, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) recall(i);
      });
      number_nodes();
      const std::vector<int32_t> tasks = cut_into_tasks();
      parallel_for(int64_t(tasks.size()), 8, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; t++) search_node(tasks[size_t(t)]);
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

  // Keeps the nearest foreign point if it is still foreign, else looks through the point's list;
  // bounds the component by what it finds.
  void recall(int64_t i) {
    const int32_t own = component_[i];
    if (partner_[i] != kNone && component_[partner_[i]] == own) {
      partner_[i] = kNone;
      exact_[i] = false;
    }
    if (listed_ > 0 && !exact_[i] && !spent_[i]) {
      const double beyond = std::max(core_[i], beyond_[i] / alpha_);
      double least = beyond;
      spent_[i] = true;
      for (int64_t r = i * listed_; r < (i + 1) * listed_; r++) {
        const int32_t j = list_[r];
        if (component_[j] == own) continue;
        spent_[i] = false;
        const double squared =
            kernels::direct_squared_distance(tree_.row(i), tree_.row(j), tree_.columns());
        const double w = reachability(core_[i], core_[j], squared, alpha_);
        least = std::min(least, w);
        const ReachabilityEdge edge = make_edge(w, tree_.id(i), tree_.id(j));
        if (partner_[i] != kNone && !(edge < nearest_[i])) continue;
        nearest_[i] = edge;
        partner_[i] = j;
      }
      floor_[i] = std::max(floor_[i], least);
      exact_[i] = partner_[i] != kNone && nearest_[i].w < beyond;
    }
    if (partner_[i] != kNone) lower(bound_[own], nearest_[i].w);
  }

  // Writes on each node the component that all its points share, or kNone, and its lowest floor.
  void number_nodes() {
    each_node(
        [&](size_t v, int32_t begin, int32_t end) {
          node_component_[v] = component_[begin];
          node_floor_[v] = kInfinity;
          for (int32_t i = begin; i < end; i++) {
            if (component_[i] != component_[begin]) node_component_[v] = kNone;
            if (!exact_[i]) node_floor_[v] = std::min(node_floor_[v], floor_[i]);
          }
        },
        [&](size_t v, size_t left, size_t right) {
          int32_t c = node_component_[left];
          node_component_[v] = c == node_component_[right] ? c : kNone;
          node_floor_[v] = std::min(node_floor_[left], node_floor_[right]);
        });
  }

  // The largest nodes of one component, but not too large, and the leaves of several.
  std::vector<int32_t> cut_into_tasks() const {
    std::vector<int32_t> tasks, open{0};
    while (!open.empty()) {
      const int32_t v = open.back();
      open.pop_back();
      const KdTree::Node& node = tree_.nodes()[size_t(v)];
      const bool whole =
          node_component_[size_t(v)] != kNone && node.end - node.begin <= kTaskPoints;
      if (whole || !node.right) {
        tasks.push_back(v);
      } else {
        open.push_back(node.right);
        open.push_back(v + 1);
      }
    }
    return tasks;
  }

  void search_node(int32_t v) {
    const int32_t own = node_component_[size_t(v)];
    const KdTree::Node& node = tree_.nodes()[size_t(v)];
    if (own == kNone) {
      for (int32_t i = node.begin; i < node.end; i++) search(i);
    } else {
      ReachabilityEdge best = kNoEdge;
      compare(v, 0, tree_.box_distance_between(v, 0), own, best);
    }
  }

  // Finds the lowest edge from point i to another component, unless that of its component is lower.
  void search(int64_t i) {
    const int32_t own = component_[i], id = tree_.id(i);
    const double limit = read(bound_[own]);
    if (exact_[i] || floor_[i] > limit) return;

    ReachabilityEdge best = kNoEdge;
    best.w = limit;
    if (partner_[i] != kNone && nearest_[i] < best) best = nearest_[i];
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
    floor_[i] = std::max(floor_[i], best.w);
    if (best.a == kLastRow) return;  // nothing within the limit
    nearest_[i] = best;
    exact_[i] = true;
    lower(bound_[own], best.w);
  }

  // The lowest edge from the points below `v`, all of component `own`, to those below `other`, if
  // it is below `best`. squared: the distance of their boxes.
  void compare(int32_t v, int32_t other, double squared, int32_t own, ReachabilityEdge& best) {
    if (node_component_[size_t(other)] == own) return;
    const double bound = read(bound_[own]);
    if (bound < best.w) best = {bound, kLastRow, kLastRow};
    if (node_floor_[size_t(v)] > best.w) return;
    const KdTree::Node &node = tree_.nodes()[size_t(v)], &there = tree_.nodes()[size_t(other)];
    const double w =
        reachability(node_core_[size_t(v)], node_core_[size_t(other)], squared, alpha_);
    if (!(make_edge(w, node.first, there.first) < best)) return;
    if (!node.right && !there.right) return compare_leaves(node, other, own, best);
    if (!there.right || (node.right && node.end - node.begin >= there.end - there.begin)) {
      const KdTree::Two distance = tree_.children_distance_between(v, other);
      compare(v + 1, other, distance[0], own, best);
      compare(node.right, other, distance[1], own, best);
      return;
    }
    int32_t near = other + 1, far = there.right;
    const KdTree::Two distance = tree_.children_distance_between(other, v);
    double to_near = distance[0], to_far = distance[1];
    if (to_far < to_near) std::swap(near, far), std::swap(to_near, to_far);
    compare(v, near, to_near, own, best);
    compare(v, far, to_far, own, best);
  }

  void compare_leaves(const KdTree::Node& node, int32_t other, int32_t own,
                      ReachabilityEdge& best) {
    const KdTree::Node& there = tree_.nodes()[size_t(other)];
    double distances[KdTree::kLeafSize];
    for (int32_t i = node.begin; i < node.end; i++) {
      if (exact_[i] || floor_[i] > best.w) continue;
      const double least = reachability(core_[i], node_core_[size_t(other)],
                                        tree_.box_distance(other, tree_.row(i)), alpha_);
      if (!(make_edge(least, tree_.id(i), there.first) < best)) continue;
      tree_.leaf_distances(tree_.row(i), there.begin, there.end, distances);
      for (int32_t j = there.begin; j < there.end; j++) {
        if (component_[j] == own) continue;
        const double w = reachability(core_[i], core_[j], distances[j - there.begin], alpha_);
        if (w > best.w) continue;
        const ReachabilityEdge edge = make_edge(w, tree_.id(i), tree_.id(j));
        if (!(edge < best)) continue;
        best = edge;
        if (partner_[i] != kNone && !(edge < nearest_[i])) continue;
        nearest_[i] = edge;
        partner_[i] = j;
        lower(bound_[own], w);
      }
    }
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

  const KdTree& tree_;
  const int64_t listed_;  // near points a point has in list_
  const int32_t* list_;
  const double* beyond_;
  int64_t n_;
  double alpha_;
  Scratch<double> core_;
  Scratch<double> floor_;               // no edge from this point to another component is shorter
  Scratch<ReachabilityEdge> nearest_;   // the lowest of them that was met, where partner_ is set
  Scratch<int32_t> partner_;            // its other end, or kNone
  Scratch<bool> exact_;                 // and it is the lowest of all
  Scratch<bool> spent_;                 // all of its list are of its own component
  Scratch<int32_t> component_;          // a row number that stands for the component
  Scratch<double> bound_;               // by component: the shortest weight found so far
  Scratch<ReachabilityEdge> shortest_;  // by component: the lowest edge of the round
  UnionFind sets_;
  std::vector<int32_t> node_component_;
  std::vector<double> node_core_;   // the lowest core distance in the node
  std::vector<double> node_floor_;  // the lowest floor of a point that may have to search
};

}  // namespace

std::vector<ReachabilityEdge> boruvka(const KdTree& tree, const double* core, double alpha,
                                      const NearLists& near, const Progress& progress) {
  return Boruvka(tree, core, alpha, near).run(progress);
}

}  // namespace clade::cluster

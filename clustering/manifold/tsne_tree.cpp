// Repulsion by a tree: a far group of points acts as one, from its centre of mass.
//
// Points are sorted by the interleaved bits of their coordinates, so that every cell of a quadtree
// (in D dimensions: 2^D cells in each) is a range of them. A cell of width w, seen from distance r,
// counts as one point where w < angle r. Cells are stored in preorder, each with the place to go on
// at when it is done; so the walk is a loop, and needs no stack.
//
// Source: Barnes, Hut, "A hierarchical O(N log N) force-calculation algorithm", Nature 1986; van
// der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 2014.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "clustering/manifold/tsne_forces.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int kBits = 20;         // of each coordinate
constexpr int64_t kLeafSize = 8;  // points
constexpr int64_t kGrain = 128;

template <int D>
class Tree final : public Repulsion {
 public:
  explicit Tree(double angle) : angle2_(float(angle * angle)) {}

  double run(const Points& points, std::vector<float>& force) override {
    build(points);
    return parallel_reduce(
        points.n, kGrain, 0.0,
        [&](int64_t begin, int64_t end) {
          double z = 0;
          for (int64_t e = begin; e < end; e++) {
            float sum[D] = {};
            z += walk(e, sum);
            for (int64_t c = 0; c < D; c++)
              force[size_t(c * points.stride + order_[size_t(e)].second)] = sum[c];
          }
          return z;
        },
        [](double a, double b) { return a + b; });
  }

 private:
  struct Place {
    float y[D];
  };
  struct Cell {
    Place centre;        // of mass
    float width2;        // squared
    int32_t begin, end;  // points, sorted
    int32_t next;        // the cell after all that lie within
    bool leaf;
  };

  void build(const Points& points) {
    const int64_t n = points.n;
    float low[D], extent = 0;
    for (int64_t c = 0; c < D; c++) {
      const auto [least, most] = std::minmax_element(points.plane(c), points.plane(c) + n);
      low[c] = *least;
      extent = std::max(extent, *most - *least);
    }
    order_.resize(size_t(n));
    sorted_.resize(size_t(n));
    const double scale = extent > 0 ? ((1 << kBits) - 1) / double(extent) : 0;
    parallel_for(n, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        uint64_t code = 0;
        for (int64_t c = 0; c < D; c++) {
          const uint64_t cell = uint64_t((double(points.plane(c)[i]) - low[c]) * scale);
          for (int bit = 0; bit < kBits; bit++) code |= (cell >> bit & 1) << (bit * D + int(c));
        }
        order_[size_t(i)] = {code, int32_t(i)};
      }
    });
    std::sort(order_.begin(), order_.end());
    for (int64_t e = 0; e < n; e++)
      for (int64_t c = 0; c < D; c++)
        sorted_[size_t(e)].y[c] = points.plane(c)[order_[size_t(e)].second];
    cells_.clear();
    add(0, int32_t(n), kBits, double(extent));
  }

  // The cell of points begin .. end, whose codes agree above `bits` bits of each coordinate.
  void add(int32_t begin, int32_t end, int bits, double width) {
    const size_t self = cells_.size();
    double sum[D] = {};
    for (int32_t e = begin; e < end; e++)
      for (int64_t c = 0; c < D; c++) sum[c] += double(sorted_[size_t(e)].y[c]);
    Cell cell{{}, float(width * width), begin, end, 0, end - begin <= kLeafSize || bits == 0};
    for (int64_t c = 0; c < D; c++) cell.centre.y[c] = float(sum[c] / double(end - begin));
    cells_.push_back(cell);
    if (!cell.leaf) {
      const int shift = (bits - 1) * D;
      for (int32_t from = begin; from < end;) {
        const uint64_t child = order_[size_t(from)].first >> shift;
        int32_t to = from;
        while (to < end && order_[size_t(to)].first >> shift == child) to++;
        add(from, to, bits - 1, width / 2);
        from = to;
      }
    }
    cells_[self].next = int32_t(cells_.size());
  }

  // The sum of forces on sorted point e; returns its sum of q.
  double walk(int64_t e, float* sum) const {
    const Place own = sorted_[size_t(e)];
    double z = 0;
    auto act = [&](const Place& other, float weight, float d2) {
      const float q = 1 / (1 + d2), pull = weight * q * q;
      z += double(weight * q);
      for (int64_t c = 0; c < D; c++) sum[c] += pull * (own.y[c] - other.y[c]);
    };
    auto squared = [&](const Place& other) {
      float d2 = 0;
      for (int64_t c = 0; c < D; c++) d2 += (own.y[c] - other.y[c]) * (own.y[c] - other.y[c]);
      return d2;
    };
    for (size_t at = 0; at < cells_.size();) {
      const Cell& cell = cells_[at];
      const float d2 = squared(cell.centre);
      const bool inside = e >= cell.begin && e < cell.end;
      if (!inside && cell.width2 < angle2_ * d2) {
        act(cell.centre, float(cell.end - cell.begin), d2);
        at = size_t(cell.next);
      } else if (cell.leaf) {
        for (int32_t other = cell.begin; other < cell.end; other++)
          if (other != e) act(sorted_[size_t(other)], 1, squared(sorted_[size_t(other)]));
        at = size_t(cell.next);
      } else {
        at++;
      }
    }
    return z;
  }

  float angle2_;
  std::vector<std::pair<uint64_t, int32_t>> order_;  // code, point
  std::vector<Place> sorted_;
  std::vector<Cell> cells_;
};

// Chooses the number of dimensions when it is known.
class AnyTree final : public Repulsion {
 public:
  explicit AnyTree(double angle) : angle_(angle) {}
  double run(const Points& points, std::vector<float>& force) override {
    if (!tree_) switch (points.dimensions) {
        case 1: tree_ = std::make_unique<Tree<1>>(angle_); break;
        case 2: tree_ = std::make_unique<Tree<2>>(angle_); break;
        case 3: tree_ = std::make_unique<Tree<3>>(angle_); break;
        default: fail("tsne", "1 to 3 dimensions for Barnes-Hut", text(points.dimensions));
      }
    return tree_->run(points, force);
  }

 private:
  double angle_;
  std::unique_ptr<Repulsion> tree_;
};

}  // namespace

Repulsion* tree_repulsion(double angle) { return new AnyTree(angle); }

}  // namespace clade::cluster

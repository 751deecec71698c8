// The two forces of t-SNE, q = 1 / (1 + |y_i - y_j|^2):
//
//   attraction_i = sum_j p_ij q_ij (y_i - y_j)          over the neighbours
//   repulsion_i  = sum_j q_ij^2 (y_i - y_j)             over all, and Z = sum_(i != j) q_ij
//
//   dKL / dy_i = 4 (attraction_i - repulsion_i / Z)
//
// Repulsion is computed in one of three ways: all pairs; a tree (tsne_tree.h); a grid
// (tsne_grid.h).
//
// Points are kept in planes: coordinate c of point i is y[c * stride + i], where stride is the
// number of points rounded up to kPointLanes and what is beyond the last point lies far off, so
// that loops over points are whole vectors.
#pragma once

#include <cstdint>
#include <vector>

#include "clustering/manifold/tsne_affinity.h"

namespace clade::cluster {

constexpr int64_t kPointLanes = 16;
constexpr int64_t kMostPlanes = 16;  // dimensions
constexpr float kFarOff = 1e15f;     // q and its force are 0 in f32

struct Points {
  Points(int64_t n, int64_t dimensions);

  int64_t n, dimensions, stride;
  std::vector<float> y;  // (dimensions, stride)
  const float* plane(int64_t c) const { return y.data() + c * stride; }
  float* plane(int64_t c) { return y.data() + c * stride; }
};

// force (dimensions, stride), overwritten. Same bits at any number of threads and any set.
void attraction(const Affinities& p, const Points& points, std::vector<float>& force);
// sum_ij p_ij log(p_ij / (q_ij / Z)).
double divergence(const Affinities& p, const Points& points, double z);

class Repulsion {
 public:
  virtual ~Repulsion() = default;
  // force (dimensions, stride), overwritten; returns Z.
  virtual double run(const Points& points, std::vector<float>& force) = 0;
  // After run() on the same points: the repulsion on one more point at y (dimensions); returns its
  // sum of q. Directly summed unless there is something faster.
  virtual double at(const Points& points, const float* y, double* force) const;
};

// A new one each, which the caller owns.
Repulsion* exact_repulsion();             // any dimensions; n^2 work
Repulsion* tree_repulsion(double angle);  // 1 to 3 dimensions; n log n
Repulsion* grid_repulsion();              // 2 dimensions; n + area log area

}  // namespace clade::cluster

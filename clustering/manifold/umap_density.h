// densMAP: a layout in which dense regions stay dense and thin ones thin.
//
// The local radius of vertex i is the mean squared length of its edges, in the data weighted by the
// graph, in the picture by closeness phi = 1 / (1 + a d^2b):
//
//   r_i = log(1e-8 + sum_j w_ij D_ij^2 / sum_j w_ij),  e_i = log(1e-8 + sum_j phi_ij d_ij^2 / sum_j
//   phi_ij)
//
// and the layout gains lambda times the correlation of r and e,
//
//   C = Cov(r, e) / sqrt(Var(e) + shift)          r standardised beforehand.
//
// Its gradient along edge i - j, with p = phi_ij, d = d_ij, and R_i' = r_i - Cov (e_i - mean e) /
// (Var e + shift):
//
//   de_i / d(d^2) = p / sum_j phi_ij ((1 - b (1 - p)) / exp(e_i) + a b d^(2b-2) p)
//   move_i = 2 lambda W / (w_ij n sqrt(Var e + shift)) (R_i' de_i + R_j' de_j) (y_i - y_j)
//
// W the sum of all weights (an edge comes up in proportion to its weight, hence 1 / w_ij). Radii
// and moments of the picture are taken at the start of each of the last epochs.
//
// Source: Narayan, Berger, Cho, "Assessing single-cell transcriptomic variability through
// density-preserving data visualization", Nature Biotechnology 2021; constants of umap-learn.
#pragma once

#include <cstdint>
#include <vector>

#include "clustering/manifold/umap_curve.h"
#include "clustering/manifold/umap_graph.h"
#include "clustering/neighbors/knn.h"

namespace clade::cluster {

struct DensityOptions {
  double lambda = 2;      // weight of the correlation; 0: radii are told, the layout is UMAP's
  double fraction = 0.3;  // of the epochs, the last, in which it counts
  double shift = 0.1;     // added to the variance, so that it is never 0
};

// (n) f32: r above; `graph` was made of `neighbors`.
Tensor log_radii(const FuzzyGraph& graph, const Neighbors& neighbors);
// (n) f32: e above.
Tensor log_radii(const FuzzyGraph& graph, const Tensor& embedding, const UmapCurve& curve);

// The term of densMAP in the layout.
class DensityTerm {
 public:
  // radii (n): log_radii of the data.
  DensityTerm(const FuzzyGraph& graph, const Tensor& radii, const UmapCurve& curve,
              const DensityOptions& options);

  bool counts(int64_t epoch, int64_t epochs) const;
  // Radii and moments of the picture as it stands. embedding (n, dimensions) f32, row-major.
  void look(const Tensor& embedding);
  // What (y_i - y_j) is to be multiplied by; w is the weight of the edge, d2 = |y_i - y_j|^2.
  float pull(int64_t i, int64_t j, float w, float d2) const;

 private:
  const FuzzyGraph& graph_;
  UmapCurve curve_;
  DensityOptions options_;
  double scale_ = 0;                                  // 2 lambda W / n
  std::vector<double> radius_;                        // r, standardised
  std::vector<double> embedded_, closeness_, slope_;  // e, sum_j phi_ij, R'
  double deviation_ = 1;                              // sqrt(Var e + shift)
};

}  // namespace clade::cluster

// The layout of UMAP: neighbours attract each other, random others repel.
//
// With closeness q(d) = 1 / (1 + a d^2b), the cross entropy between graph and picture is lowered by
// stochastic gradient steps of rate alpha, which falls linearly to 0:
//
//   edge i - j        move  -2 a b d^(2b - 2) / (1 + a d^2b) (y_i - y_j)       both ends, opposite
//   random vertex k   move   2 gamma b / ((0.001 + d^2)(1 + a d^2b)) (y_i - y_k)    only i
//
// each coordinate of a move clipped to [-4, 4]. Edge e is due at epoch t when
// floor((t + 1) w_e) > floor(t w_e), with w_e its weight over the largest: the heaviest are due
// every epoch and nothing needs to be remembered. A due edge is done twice, once from either end;
// each time negative_sample_rate random vertices repel the end it is done from.
//
// Parallel and yet deterministic: umap_schedule.h orders the edges so that pairs of blocks of
// vertices are worked on at the same time; random vertices are read as they stood when the epoch
// began, and drawn by Philox, counted by (epoch, edge). Four edges at a time are moved by forces
// taken from the same positions, on vectors (umap_moves.h). The result has the same bits at any
// number of threads and on any instruction set.
//
// Moving both ends together matters. Where each vertex owns its moves and only reads the others,
// all is as parallel, and trustworthiness as good, but clusters fall apart: on the digits data
// HDBSCAN then finds 16 to 22 clusters (adjusted Rand index .73 to .83) where this finds 13 or 14
// (.91), as umap-learn does.
//
// Source: McInnes et al., arXiv 1802.03426, algorithm 5; the constants are umap-learn's.
#pragma once

#include <cstdint>

#include "clustering/manifold/umap_curve.h"
#include "clustering/manifold/umap_density.h"
#include "clustering/manifold/umap_graph.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct LayoutOptions {
  UmapCurve curve{1.577, 0.895};
  int64_t epochs = 200;
  double learning_rate = 1.0;
  int64_t negative_sample_rate = 5;
  double repulsion_strength = 1.0;  // gamma
  DensityTerm* density = nullptr;   // densMAP's, or none
  uint64_t seed = 0;
};

// embedding (n, dimensions) f32 row-major, moved in place. Reports "umap layout".
void optimize_layout(const FuzzyGraph& graph, const LayoutOptions& options, Tensor& embedding,
                     const Progress& progress = {});

}  // namespace clade::cluster

// The fuzzy simplicial set: UMAP's weighted neighbour graph.
//
// Row i measures its neighbours in its own units: rho_i is the distance to the nearest, sigma_i is
// chosen so that the memberships of all k add up to log2(k):
//
//     p(j | i) = exp(-max(0, d_ij - rho_i) / sigma_i),     sum_j p(j | i) = log2(k)
//
// so each point is connected to about equally much, in dense and in thin regions alike. The two
// directions of an edge are joined as fuzzy sets, A = p, A' its transpose, m = set_op_mix_ratio:
//
//     W = m (A + A' - A A') + (1 - m) A A'         (elementwise)
//
// Source: McInnes et al., arXiv 1802.03426, algorithms 2 and 3; the search for sigma (64
// bisections, tolerance 1e-5, floor 1e-3 of the mean distance) is that of umap-learn.
#pragma once

#include <cstdint>

#include "clustering/neighbors/knn.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// A symmetric weighted graph in compressed rows: the edges of vertex i are offset[i] ..
// offset[i + 1] - 1, by rising column. Every edge stands twice, once at each end. No loops.
struct FuzzyGraph {
  Tensor offset;  // (n + 1) i64
  Tensor column;  // (edges) i32
  Tensor weight;  // (edges) f32, in (0, 1]

  int64_t vertices() const { return offset.numel() - 1; }
  int64_t edges() const { return column.numel(); }
};

struct LocalScales {
  Tensor rho;    // (n) f32, distance at which membership begins to fall
  Tensor sigma;  // (n) f32, how fast it falls
};

// neighbors: distances rising in each row, the row itself in its first column.
LocalScales smooth_knn_distances(const Neighbors& neighbors, double local_connectivity = 1.0);

// rho and sigma of one row alone, from its distances (count), rising, of which those from `first`
// on are summed. mean_distance > 0 is what the floor of sigma is taken from where rho is 0.
struct LocalScale {
  float rho, sigma;
};
LocalScale local_scale(const float* distance, int64_t count, int64_t first,
                       double local_connectivity, double mean_distance);

// Steps 2 and 3 above. Entries that name the row itself are no edges.
FuzzyGraph fuzzy_simplicial_set(const Neighbors& neighbors, double set_op_mix_ratio = 1.0,
                                double local_connectivity = 1.0);

}  // namespace clade::cluster

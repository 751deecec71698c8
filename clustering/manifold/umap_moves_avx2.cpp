// The layout's step for AVX2.
#ifdef __AVX2__
#include "clustering/manifold/umap_moves_body.h"

namespace clade::cluster {
const MoveEdges avx2_moves = move_edges;
}  // namespace clade::cluster

#else
#include "clustering/manifold/umap_moves.h"

namespace clade::cluster {
const MoveEdges avx2_moves = nullptr;
}  // namespace clade::cluster
#endif

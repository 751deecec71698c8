// The layout's step for AVX-512.
#ifdef __AVX512F__
#include "clustering/manifold/umap_moves_body.h"

namespace clade::cluster {
const MoveEdges avx512_moves = move_edges;
}  // namespace clade::cluster

#else
#include "clustering/manifold/umap_moves.h"

namespace clade::cluster {
const MoveEdges avx512_moves = nullptr;
}  // namespace clade::cluster
#endif

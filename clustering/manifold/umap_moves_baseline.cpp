// The layout's step for processors of any kind.
#include "clustering/manifold/umap_moves_body.h"

namespace clade::cluster {
const MoveEdges baseline_moves = move_edges;
}  // namespace clade::cluster

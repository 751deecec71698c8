#include "bench/ladder/ladder.h"

namespace clade::ladder {

const std::vector<Ladder>& ladders() {
  static const std::vector<Ladder> all{
      gemm_ladder(),      conv_ladder(),      conv_transpose_ladder(),     batch_norm_ladder(),
      reduction_ladder(), logsumexp_ladder(), reparameterization_ladder(), assignment_ladder()};
  return all;
}

}  // namespace clade::ladder

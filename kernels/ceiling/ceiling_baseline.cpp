// The loop of multiply-adds for any processor: vectors of 4 floats.
#define CLADE_CEILING_LANES 4
#include "kernels/ceiling/ceiling_body.h"

namespace clade::kernels::ceiling {
const Loop* const baseline_loop = &kLoop;
}  // namespace clade::kernels::ceiling

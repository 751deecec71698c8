// The packed product's kernels for whatever the compiler targets by default: on x86-64 that is
// SSE2, 16 registers of 4 floats.
#define CLADE_LANES 4
#define CLADE_GEMM_ROWS 4
#include "kernels/gemm/gemm_packed_body.h"

namespace clade::kernels::packed {
const Kernels* const baseline_kernels = &kKernels;
}  // namespace clade::kernels::packed

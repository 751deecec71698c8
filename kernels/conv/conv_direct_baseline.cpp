// The direct convolution's kernels for whatever the compiler targets by default: on x86-64 that is
// SSE2, 16 registers of 4 floats and no fused multiply-add.
#define CLADE_LANES 4
#define CLADE_CONV_REGISTERS 16
#include "kernels/conv/conv_direct_body.h"

namespace clade::kernels::direct {
constexpr Kernels kKernels = make_kernels();
const Kernels* const baseline_kernels = &kKernels;
}  // namespace clade::kernels::direct

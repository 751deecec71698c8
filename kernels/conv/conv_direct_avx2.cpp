// The direct convolution's kernels for AVX2 with FMA: 16 registers of 8 floats.
#if defined(__AVX2__) && defined(__FMA__)
#define CLADE_LANES 8
#define CLADE_CONV_REGISTERS 16
#include "kernels/conv/conv_direct_body.h"

namespace clade::kernels::direct {
constexpr Kernels kKernels = make_kernels();
const Kernels* const avx2_kernels = &kKernels;
}  // namespace clade::kernels::direct

#else
#include "kernels/conv/conv_direct_kernels.h"

namespace clade::kernels::direct {
const Kernels* const avx2_kernels = nullptr;
}  // namespace clade::kernels::direct
#endif

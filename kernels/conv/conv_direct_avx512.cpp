// The direct convolution's kernels for AVX-512F: 32 registers of 16 floats.
#if defined(__AVX512F__)
#define CLADE_LANES 16
#define CLADE_CONV_REGISTERS 32
#include "kernels/conv/conv_direct_body.h"

namespace clade::kernels::direct {
constexpr Kernels kKernels = make_kernels();
const Kernels* const avx512_kernels = &kKernels;
}  // namespace clade::kernels::direct

#else
#include "kernels/conv/conv_direct_kernels.h"

namespace clade::kernels::direct {
const Kernels* const avx512_kernels = nullptr;
}  // namespace clade::kernels::direct
#endif

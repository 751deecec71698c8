// The packed product's kernels for AVX2: 16 registers of 8 floats.
#if defined(__AVX2__)
#define CLADE_LANES 8
#define CLADE_GEMM_ROWS 6
#include "kernels/gemm/gemm_packed_body.h"

namespace clade::kernels::packed {
const Kernels* const avx2_kernels = &kKernels;
}  // namespace clade::kernels::packed

#else
#include "kernels/gemm/gemm_packed_kernels.h"

namespace clade::kernels::packed {
const Kernels* const avx2_kernels = nullptr;
}  // namespace clade::kernels::packed
#endif

// The packed product's kernels for AVX-512F: 32 registers of 16 floats.
#if defined(__AVX512F__)
#define CLADE_LANES 16
#define CLADE_GEMM_ROWS 14
#include "kernels/gemm/gemm_packed_body.h"

namespace clade::kernels::packed {
const Kernels* const avx512_kernels = &kKernels;
}  // namespace clade::kernels::packed

#else
#include "kernels/gemm/gemm_packed_kernels.h"

namespace clade::kernels::packed {
const Kernels* const avx512_kernels = nullptr;
}  // namespace clade::kernels::packed
#endif

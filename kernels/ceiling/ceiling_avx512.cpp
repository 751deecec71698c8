// The loop of multiply-adds for AVX-512F.
#include "kernels/ceiling/ceiling_kernels.h"

#if defined(__AVX512F__)
#define CLADE_CEILING_LANES 16
#include "kernels/ceiling/ceiling_body.h"

namespace clade::kernels::ceiling {
const Loop* const avx512_loop = &kLoop;
}  // namespace clade::kernels::ceiling

#else
namespace clade::kernels::ceiling {
const Loop* const avx512_loop = nullptr;
}  // namespace clade::kernels::ceiling
#endif

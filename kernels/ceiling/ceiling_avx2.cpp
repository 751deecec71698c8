// The loop of multiply-adds for AVX2 and FMA.
#include "kernels/ceiling/ceiling_kernels.h"

#if defined(__AVX2__)
#define CLADE_CEILING_LANES 8
#include "kernels/ceiling/ceiling_body.h"

namespace clade::kernels::ceiling {
const Loop* const avx2_loop = &kLoop;
}  // namespace clade::kernels::ceiling

#else
namespace clade::kernels::ceiling {
const Loop* const avx2_loop = nullptr;
}  // namespace clade::kernels::ceiling
#endif

// The loop for vectors of CLADE_CEILING_LANES floats. A multiply-add takes 4 or 5 cycles and two
// begin in each: 12 sums that do not wait for each other keep both units busy.
#include "kernels/ceiling/ceiling_kernels.h"

namespace clade::kernels::ceiling {
namespace {

typedef float Vector __attribute__((vector_size(CLADE_CEILING_LANES * 4)));

constexpr int kSums = 12;

void multiply_adds(int64_t rounds, float* out) {
  Vector sum[kSums], factor = Vector{} + 0.5f, term = Vector{} + out[0];
  for (int i = 0; i < kSums; i++) sum[i] = Vector{} + float(i);  // else they would be one sum
  for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; i++) sum[i] = sum[i] * factor + term;
  }
  Vector total{};
#pragma GCC unroll 12
  for (int i = 0; i < kSums; i++) total += sum[i];
  for (int lane = 0; lane < CLADE_CEILING_LANES; lane++) out[lane] = total[lane];
}

constexpr Loop kLoop = {multiply_adds, int64_t{2} * kSums* CLADE_CEILING_LANES};

}  // namespace
}  // namespace clade::kernels::ceiling

// The loop of multiply-adds, compiled once for each instruction set. Plain data only, for the
// reason that conv_direct_kernels.h gives.
#pragma once

#include <cstdint>

namespace clade::kernels::ceiling {

struct Loop {
  void (*run)(int64_t rounds, float* out);  // out [lanes]
  int64_t flops;                            // a round
};

// Null where the compiler was not given the instruction set.
extern const Loop* const avx512_loop;
extern const Loop* const avx2_loop;
extern const Loop* const baseline_loop;

}  // namespace clade::kernels::ceiling

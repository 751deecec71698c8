// What the sources that are compiled once for each instruction set share: vectors of CLADE_LANES
// floats and the steps that all of them take. Included by such sources alone; everything here has
// internal linkage, for the reason that conv_direct_kernels.h gives.
#pragma once

#include <cstdint>

#if defined(__clang__)
#define CLADE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CLADE_UNROLL _Pragma("GCC unroll 16")
#endif

namespace clade::kernels {
namespace {

constexpr int64_t kLanes = CLADE_LANES;
typedef float Vector __attribute__((vector_size(kLanes * 4), may_alias));
typedef float LooseVector __attribute__((vector_size(kLanes * 4), may_alias, aligned(4)));
typedef float LooseFour __attribute__((vector_size(16), may_alias, aligned(4)));

// b - 0 is b to the last bit, so compilers make it a plain broadcast; 0 + b is not (b may be -0).
inline Vector broadcast(float b) { return b - Vector{}; }

// The first `count` of a vector's floats.
inline void copy_some(const float* from, int64_t count, float* to) {
  for (; count >= 4; count -= 4, from += 4, to += 4) *(LooseFour*)to = *(const LooseFour*)from;
  for (; count > 0; count--) *to++ = *from++;
}

// v > 0 ? v : slope v, for slope 1 as well; ReLU of minus infinity is 0, of NaN NaN.
inline Vector activate(Vector v, float slope) {
  if (slope == 1) return v;
  if (slope == 0) return v <= 0 ? Vector{} : v;
  return v > 0 ? v : v * slope;
}
inline float activate(float v, float slope) {
  if (slope == 1) return v;
  return v > 0 ? v : slope != 0 ? v * slope : v <= 0 ? 0 : v;
}

}  // namespace
}  // namespace clade::kernels

// Philox4x32-10, the counter-based generator of all randomness in the project
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), and exact normals.
//
// A draw is a pure function of (seed, stream, index): no state, so the same number comes out on any
// device, at any thread count, on any rank. Block c of a stream is philox(counter = (c, stream),
// key = seed): four 32-bit words; word i % 4 of block i / 4 belongs to element i.
//
// Normals are Box-Muller pairs. Their log, sine and cosine are polynomials made of fma, multiply
// and sqrt alone, each correctly rounded everywhere, so the CPU and the GPU give the same bits,
// whatever the compiler flags (measured: the libm functions differ between the two).
#pragma once

#include <cstdint>
#include <cstring>

#include "tensor/host_device.h"

namespace clade {

struct PhiloxBlock {
  uint32_t word[4];
};

CLADE_HD inline PhiloxBlock philox(uint64_t counter_low, uint64_t counter_high, uint64_t key) {
  uint32_t c0 = uint32_t(counter_low), c1 = uint32_t(counter_low >> 32);
  uint32_t c2 = uint32_t(counter_high), c3 = uint32_t(counter_high >> 32);
  uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1), c3 = uint32_t(p0), c0 = n0, c2 = n2;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

CLADE_HD inline uint32_t philox_word(uint64_t seed, uint64_t stream, uint64_t index) {
  return philox(index / 4, stream, seed).word[index % 4];
}

// [0, 1) in steps of 2^-24: every value is exact in f32.
CLADE_HD inline float unit_float(uint32_t word) { return float(word >> 8) * 0x1p-24f; }

namespace detail {

// Natural logarithm on (0, 1]; relative error below 2e-7 (polynomial of Cephes logf).
CLADE_HD inline float exact_log(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  int e = int(bits >> 23) - 126;
  bits = (bits & 0x007fffffu) | 0x3f000000u;  // mantissa in [0.5, 1)
  float m;
  memcpy(&m, &bits, 4);
  const bool small = m < 0.70710678f;
  m = small ? m + m : m;
  e -= small;
  m -= 1.0f;
  float p = 7.0376836292e-2f;
  p = __builtin_fmaf(p, m, -1.1514610310e-1f);
  p = __builtin_fmaf(p, m, 1.1676998740e-1f);
  p = __builtin_fmaf(p, m, -1.2420140846e-1f);
  p = __builtin_fmaf(p, m, 1.4249322787e-1f);
  p = __builtin_fmaf(p, m, -1.6668057665e-1f);
  p = __builtin_fmaf(p, m, 2.0000714765e-1f);
  p = __builtin_fmaf(p, m, -2.4999993993e-1f);
  p = __builtin_fmaf(p, m, 3.3333331174e-1f);
  float m2 = m * m;
  float y = m2 * m;
  y = y * p;
  float fe = float(e);
  y = __builtin_fmaf(fe, -2.12194440e-4f, y);
  y = __builtin_fmaf(-0.5f, m2, y);
  float r = m + y;
  return __builtin_fmaf(fe, 0.693359375f, r);
}

// sin and cos of 2 pi u for u in [0, 1); absolute error below 1e-7 (polynomials of Cephes sinf).
CLADE_HD inline void exact_sincos_turns(float u, float* s, float* c) {
  int quadrant = int(__builtin_fmaf(u, 4.0f, 0.5f));
  float x = __builtin_fmaf(float(quadrant), -0.25f, u) * 6.28318531f;  // [-pi/4, pi/4]
  float x2 = x * x;
  float ps = __builtin_fmaf(-1.9515295891e-4f, x2, 8.3321608736e-3f);
  ps = __builtin_fmaf(ps, x2, -1.6666654611e-1f);
  float sin_x = __builtin_fmaf(ps * x2, x, x);
  float pc = __builtin_fmaf(2.443315711809948e-5f, x2, -1.388731625493765e-3f);
  pc = __builtin_fmaf(pc, x2, 4.166664568298827e-2f);
  float cos_x = __builtin_fmaf(pc * x2, x2, __builtin_fmaf(-0.5f, x2, 1.0f));
  // Quadrant by quadrant (sin, cos), (cos, -sin), (-sin, -cos), (-cos, sin), without a branch.
  const bool odd = quadrant & 1;
  const float first = odd ? cos_x : sin_x, second = odd ? sin_x : cos_x;
  *s = quadrant & 2 ? -first : first;
  *c = (quadrant + 1) & 2 ? -second : second;
}

}  // namespace detail

// Two independent N(0, 1) draws from two words (Box-Muller). |z| is at most 5.77.
CLADE_HD inline void normal_pair(uint32_t w0, uint32_t w1, float* z0, float* z1) {
  float u = (float(w0 >> 8) + 1.0f) * 0x1p-24f;  // (0, 1], so the log is finite
  float r = __builtin_sqrtf(-2.0f * detail::exact_log(u));
  float s, c;
  detail::exact_sincos_turns(unit_float(w1), &s, &c);
  *z0 = r * c;
  *z1 = r * s;
}

// The four normals of a block, for elements 4 c .. 4 c + 3 of the stream.
CLADE_HD inline void normal_block(const PhiloxBlock& b, float z[4]) {
  normal_pair(b.word[0], b.word[1], &z[0], &z[1]);
  normal_pair(b.word[2], b.word[3], &z[2], &z[3]);
}

}  // namespace clade

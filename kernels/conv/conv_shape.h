// ConvShape: the sizes of one convolution under the names the formula in conv.h gives them.
#pragma once

#include "kernels/conv/conv.h"
#include "tensor/host_device.h"

namespace clade::kernels {

struct ConvShape : ConvParams {
  ConvShape(const View& x, const View& w, const View& y, const ConvParams& p)
      : ConvParams(p),
        N(x.shape[0]),
        C(x.shape[1]),
        H(x.shape[2]),
        W(x.shape[3]),
        O(y.shape[1]),
        P(y.shape[2]),
        Q(y.shape[3]),
        R(w.shape[2]),
        S(w.shape[3]) {}

  CLADE_HD int64_t group_inputs() const { return C / groups; }
  CLADE_HD int64_t group_outputs() const { return O / groups; }
  CLADE_HD int64_t weights() const { return O * group_inputs() * R * S; }
  double flops() const { return 2.0 * double(N * P * Q) * double(weights()); }

  int64_t N, C, H, W;  // x
  int64_t O, P, Q;     // y
  int64_t R, S;        // w
};

// How many images one chunk of a weight gradient sums. Each chunk clears and hands on a gradient of
// its own, so it should hold work enough beside that: 2048 output pixels (4096 FLOPs a weight), or
// 512 where that leaves fewer than 16 chunks. No more chunks than processors (64) or than fit in
// memory with ease (2^24 weights). It depends on the shape alone: so do the bits of the sum.
inline int64_t images_per_chunk(const ConvShape& s) {
  auto clamp = [](int64_t n, int64_t most) { return n < 1 ? 1 : n > most ? most : n; };
  const int64_t pixels = s.N * s.P * s.Q;
  const int64_t large = clamp(pixels / 2048, 64), small = clamp(pixels / 512, 16);
  const int64_t fitting = (int64_t{1} << 24) / clamp(s.weights(), int64_t{1} << 24);
  const int64_t chunks = clamp(large > small ? large : small, fitting);
  return clamp((s.N + chunks - 1) / chunks, s.N);
}

}  // namespace clade::kernels

// ConvShape: the sizes of one convolution under the names the formula in conv.h gives them.
#pragma once

#include "kernels/conv/conv.h"

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

  int64_t group_inputs() const { return C / groups; }
  int64_t group_outputs() const { return O / groups; }
  int64_t weights() const { return O * group_inputs() * R * S; }
  double flops() const { return 2.0 * double(N * P * Q) * double(weights()); }

  int64_t N, C, H, W;  // x
  int64_t O, P, Q;     // y
  int64_t R, S;        // w
};

// How many images one chunk of a weight gradient sums. Each chunk clears and hands on a gradient of
// its own, so it holds work enough beside that (2048 output pixels: 4096 FLOPs a weight), and there
// are no more chunks than processors (64) or than fit in memory with ease (2^24 weights). It
// depends on the shape alone: so do the bits of the sum.
inline int64_t images_per_chunk(const ConvShape& s) {
  auto at_least_one = [](int64_t n) { return n > 1 ? n : 1; };
  int64_t fitting = at_least_one((int64_t{1} << 24) / at_least_one(s.weights()));
  int64_t chunks = fitting < 64 ? fitting : 64;
  int64_t images = (s.N + chunks - 1) / chunks;
  int64_t pixels = at_least_one(s.P * s.Q), enough = (2048 + pixels - 1) / pixels;
  return images > enough ? images : enough;
}

}  // namespace clade::kernels

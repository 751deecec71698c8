// Convolution and its transpose: two faces of one trilinear form (kernels/conv/conv.h).
#pragma once

#include "autograd/var.h"
#include "kernels/conv/conv.h"

namespace clade {

using kernels::ConvParams;

// x (N, C, H, W), w (O, C / groups, R, S), b (O) or undefined -> (N, O, P, Q), channels-last. With
// another slope than 1 (0 or more), leaky_relu(., slope) is taken in the same pass; 0 is ReLU.
Var conv2d(const Var& x, const Var& w, const Var& b = {}, const ConvParams& p = {},
           double slope = 1);

// x (N, C, H, W), w (C, O / groups, R, S) as in PyTorch, b (O) or undefined ->
// (N, O, (H - 1) stride - 2 padding + dilation (R - 1) + output_padding + 1, ...).
// output_padding says which of the sizes that conv2d would map to H is meant: it must be smaller
// than the stride or the dilation.
struct ConvTransposeParams : ConvParams {
  int64_t output_padding[2] = {0, 0};
};
Var conv_transpose2d(const Var& x, const Var& w, const Var& b = {},
                     const ConvTransposeParams& p = {}, double slope = 1);

}  // namespace clade

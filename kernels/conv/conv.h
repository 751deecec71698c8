// conv: one trilinear form with three faces,
//
//     T(x, w, y) = sum over n, o, i, j, c, r, s of
//                  x[n, c, i * stride + r * dilation - padding, j * ...] w[o, c, r, s] y[n, o, i,
//                  j]
//
//     forward      y[n, o, i, j] = dT / dy   (Conv2d forward)
//     grad_input   x[n, c, h, l] = dT / dx   (gradient of Conv2d's input, ConvTranspose2d forward)
//     grad_weight  w[o, c, r, s] = dT / dw   (gradient of either layer's weight)
//
// Every gradient of Conv2d and ConvTranspose2d is one of the three, and <y, A x> = <A* y, x> tests
// them against each other at any size. Positions outside x count as 0. As everywhere in the field
// this is cross-correlation: the kernel is not flipped.
//
// Shapes: x (N, C, H, W); w (O, C / groups, R, S), row-major; y (N, O, P, Q) where
// P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1, rounded down; grad_input takes the H and
// W of its output view (a transposed convolution's output_padding is the rounded-off remainder).
// Layout: x and y are channels-last in memory (View::is_channels_last); see docs/layout.md.
// Required: one floating dtype, sizes as above, groups divides C and O, no overlap. Outputs are
// overwritten. `bias` (dense, one a channel of the output, or data == nullptr) is added to what
// forward and grad_input give, and then v > 0 ? v : slope v of it is written: slope 0 is ReLU (0
// for minus infinity, too), 1 nothing. Cost: 2 N O P Q (C / groups) R S FLOPs each.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

struct ConvParams {
  int64_t stride[2] = {1, 1};  // along H, W
  int64_t padding[2] = {0, 0};
  int64_t dilation[2] = {1, 1};
  int64_t groups = 1;
};

// Output size along one axis, 0 when the kernel does not fit once.
inline int64_t conv_output_size(int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                                int64_t dilation) {
  int64_t span = size + 2 * padding - dilation * (kernel - 1) - 1;
  return span < 0 ? 0 : span / stride + 1;
}

void conv2d_forward(const Cpu&, const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p, double slope = 1);
void conv2d_grad_input(const Cpu&, const View& y, const View& w, const View& bias, const View& x,
                       const ConvParams& p, double slope = 1);
void conv2d_grad_weight(const Cpu&, const View& x, const View& y, const View& w,
                        const ConvParams& p);

// The same on a GPU: implicit matrix products (conv_gather.cuh); see Cuda::Products.
void conv2d_forward(const Cuda&, const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p, double slope = 1);
void conv2d_grad_input(const Cuda&, const View& y, const View& w, const View& bias, const View& x,
                       const ConvParams& p, double slope = 1);
void conv2d_grad_weight(const Cuda&, const View& x, const View& y, const View& w,
                        const ConvParams& p);

// Winograd's method (conv.md) is the fastest for many shapes in f32. Its error is that of the
// largest value in a tile of 6 x 6, on average twice that of the formula's sums; values beyond
// about 1e35, or infinite ones, spoil the whole tile. With true, it is never used. For the whole
// process; not while a convolution runs.
void set_exact_convolution(bool exact);
bool exact_convolution();

namespace reference {  // any strides, any floating dtype, sums in f64
void conv2d_forward(const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p, double slope = 1);
void conv2d_grad_input(const View& y, const View& w, const View& bias, const View& x,
                       const ConvParams& p, double slope = 1);
void conv2d_grad_weight(const View& x, const View& y, const View& w, const ConvParams& p);
}  // namespace reference

}  // namespace clade::kernels

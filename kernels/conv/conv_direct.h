// Direct convolution in f32: no patch matrix, sums held in registers, channels in vectors. See
// conv.md.
#pragma once

#include "kernels/conv/conv_direct_kernels.h"
#include "kernels/conv/conv_shape.h"

namespace clade::kernels::direct {

// Whether the kernels below take this shape: groups of channels, shapes without channels, and taps
// or strides far apart are left to im2col.
bool serves(const ConvShape& s);

// x (N, H, W, C) and y (N, P, Q, O) dense in that order, w (O, C, R, S) row-major; `bias` may be
// null. What is written goes through v > 0 ? v : slope v.
void forward(const ConvShape& s, const float* x, const float* w, const float* bias, float slope,
             float* y);
void grad_input(const ConvShape& s, const float* y, const float* w, const float* bias, float slope,
                float* x);
void grad_weight(const ConvShape& s, const float* x, const float* y, float* w);

// Those of vectors().
const Kernels& kernels();

}  // namespace clade::kernels::direct

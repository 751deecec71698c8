// Winograd's convolution F(4 x 4, 3 x 3) in f32: 36 products where a direct convolution takes 144.
// See conv.md.
#pragma once

#include "kernels/conv/conv_shape.h"

namespace clade::kernels::winograd {

// Whether the functions below take this shape (3 x 3, stride 1, dilation 1, one group) and are
// faster than the direct ones: enough channels to pay for the transforms, and images that waste
// little of their last tiles.
bool pays(const ConvShape& s);

// As in conv_direct.h.
void forward(const ConvShape& s, const float* x, const float* w, const float* bias, float slope,
             float* y);
void grad_input(const ConvShape& s, const float* y, const float* w, const float* bias, float slope,
                float* x);
void grad_weight(const ConvShape& s, const float* x, const float* y, float* w);

}  // namespace clade::kernels::winograd

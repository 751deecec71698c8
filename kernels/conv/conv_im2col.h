// The three faces of convolution as matrix products, for every shape and both dtypes.
#pragma once

#include "kernels/conv/conv_shape.h"

namespace clade::kernels::im2col {

// x (N, H, W, C) and y (N, P, Q, O) dense in that order, w (O, C / groups, R, S) row-major.
// `bias` may be null. What forward and grad_input write goes through v > 0 ? v : slope v.
template <class T>
void forward(const ConvShape& s, const T* x, const T* w, const T* bias, T slope, T* y);
template <class T>
void grad_input(const ConvShape& s, const T* y, const T* w, const T* bias, T slope, T* x);
template <class T>
void grad_weight(const ConvShape& s, const T* x, const T* y, T* w);

}  // namespace clade::kernels::im2col

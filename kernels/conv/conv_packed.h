// The weight gradient as one product, in f32: y turned, times the patches of x. See conv.md.
#pragma once

#include "kernels/conv/conv_shape.h"

namespace clade::kernels::packed {

// Whether the function below takes this shape and is faster than the direct one: one group, enough
// channels to fill the product's tiles, and a processor that it has kernels for.
bool weight_pays(const ConvShape& s);

// As in conv_direct.h.
void grad_weight(const ConvShape& s, const float* x, const float* y, float* w);

}  // namespace clade::kernels::packed

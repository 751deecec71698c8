// Pooling and upsampling of images (N, C, H, W).
#pragma once

#include "autograd/var.h"
#include "kernels/pool/pool.h"

namespace clade {

using kernels::PoolParams;
using kernels::Upsample;

Var max_pool2d(const Var& x, const PoolParams& p = {});
Var avg_pool2d(const Var& x, const PoolParams& p = {});  // padding counts as zeros
// Height and width times `factor`; bilinear as PyTorch's align_corners = false.
Var upsample2d(const Var& x, int64_t factor, Upsample mode = Upsample::nearest);

}  // namespace clade

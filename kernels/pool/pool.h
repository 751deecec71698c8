// pool: max and average pooling, nearest and bilinear upsampling of images (N, C, H, W).
//
// Pooling windows are kernel x kernel, every `stride`, with `padding` on each side (at most half
// the kernel); output size as for convolution. Max pooling ignores the padding; average pooling
// counts it as zeros (PyTorch's count_include_pad = true). Layout: x and y channels-last; f32 or
// f64.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

struct PoolParams {
  int64_t kernel[2] = {2, 2};  // along H, W
  int64_t stride[2] = {2, 2};
  int64_t padding[2] = {0, 0};
};

// index (i64, sizes of y, channels-last): h * W + w of the winner, the first on ties; NaN wins.
void max_pool2d(const Cpu&, const View& x, const View& y, const View& index, const PoolParams& p);
void max_pool2d_backward(const Cpu&, const View& dy, const View& index, const View& dx);
void avg_pool2d(const Cpu&, const View& x, const View& y, const PoolParams& p);
void avg_pool2d_backward(const Cpu&, const View& dy, const View& dx, const PoolParams& p);

enum class Upsample : uint8_t { nearest, bilinear };  // bilinear: align_corners = false
// Sizes of y are x's times whole numbers (at least 1).
void upsample2d(const Cpu&, Upsample mode, const View& x, const View& y);
void upsample2d_backward(const Cpu&, Upsample mode, const View& dy, const View& dx);

// The same on a GPU.
void max_pool2d(const Cuda&, const View& x, const View& y, const View& index, const PoolParams& p);
void max_pool2d_backward(const Cuda&, const View& dy, const View& index, const View& dx);
void avg_pool2d(const Cuda&, const View& x, const View& y, const PoolParams& p);
void avg_pool2d_backward(const Cuda&, const View& dy, const View& dx, const PoolParams& p);
void upsample2d(const Cuda&, Upsample mode, const View& x, const View& y);
void upsample2d_backward(const Cuda&, Upsample mode, const View& dy, const View& dx);

namespace reference {
void max_pool2d(const View& x, const View& y, const View& index, const PoolParams& p);
void max_pool2d_backward(const View& dy, const View& index, const View& dx);
void avg_pool2d(const View& x, const View& y, const PoolParams& p);
void avg_pool2d_backward(const View& dy, const View& dx, const PoolParams& p);
void upsample2d(Upsample mode, const View& x, const View& y);
void upsample2d_backward(Upsample mode, const View& dy, const View& dx);
}  // namespace reference

}  // namespace clade::kernels

// How well images were given back: MSE, PSNR and SSIM, means over the images.
//
//   MSE = mean (x - y)^2,     PSNR = 10 log10(1 / MSE) dB of each image     (values in [0, 1])
//
// and SSIM as data/imputation.h has it.
#pragma once

#include "tensor/tensor.h"

namespace clade::data {

struct ImageQuality {
  double mse = 0;
  double psnr = 0;  // dB; an image given back exactly counts as 100
  double ssim = 0;  // NaN for images smaller than its window of 11 x 11
};

// images and given (n, C, H, W) f32, n >= 1; `given` is clipped to [0, 1]. Throws Error on shapes
// that differ. Same numbers at any number of threads.
ImageQuality image_quality(const Tensor& images, const Tensor& given);

}  // namespace clade::data

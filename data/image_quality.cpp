#include "data/image_quality.h"

#include <algorithm>
#include <cmath>

#include "data/imputation.h"

namespace clade::data {
namespace {

constexpr double kExact = 100;  // dB
constexpr int64_t kWindow = 11;

}  // namespace

ImageQuality image_quality(const Tensor& images, const Tensor& given) {
  if (images.rank() != 4 || !(images.shape() == given.shape()) || images.size(0) < 1 ||
      images.dtype() != DType::f32 || given.dtype() != DType::f32)
    fail("image quality", "images and as many given back, f32 (n, C, H, W)",
         text(images, " and ", given));
  const Tensor a = images.contiguous();
  Tensor b = given.contiguous().clone();
  float* value = b.data<float>();
  for (int64_t i = 0; i < b.numel(); i++) value[i] = std::clamp(value[i], 0.0f, 1.0f);

  ImageQuality mean;
  const int64_t n = a.size(0), size = a.numel() / n;
  const float* clean = a.data<float>();
  for (int64_t i = 0; i < n; i++) {
    double mse = 0;
    for (int64_t p = i * size; p < (i + 1) * size; p++)
      mse += std::pow(double(clean[p]) - double(value[p]), 2) / double(size);
    mean.mse += mse / double(n);
    mean.psnr += (mse > 0 ? std::min(kExact, -10 * std::log10(mse)) : kExact) / double(n);
  }
  const bool fits = a.size(2) >= kWindow && a.size(3) >= kWindow;
  mean.ssim = fits ? data::structural_similarity(a, b) : std::nan("");
  return mean;
}

}  // namespace clade::data

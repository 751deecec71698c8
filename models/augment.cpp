#include "models/augment.h"

#include <cmath>
#include <numbers>

#include "tensor/parallel.h"

namespace clade::models {
namespace {

// The value at (y, x), between pixels by its four neighbours, 0 outside.
float sample(const float* image, int64_t h, int64_t w, int64_t channels, int64_t c, double y,
             double x) {
  const double top = std::floor(y), left = std::floor(x);
  const double dy = y - top, dx = x - left;
  const auto at = [&](double row, double column) -> double {
    if (row < 0 || column < 0 || row >= double(h) || column >= double(w)) return 0;
    return image[(int64_t(row) * w + int64_t(column)) * channels + c];
  };
  const double above = at(top, left) * (1 - dx) + at(top, left + 1) * dx;
  const double below = at(top + 1, left) * (1 - dx) + at(top + 1, left + 1) * dx;
  return float(above * (1 - dy) + below * dy);
}

}  // namespace

Tensor moved(const Tensor& images, double shift, double rotate, const Random& rng) {
  if (images.rank() != 4) fail("augmentation", "images (N, C, H, W)", text(images));
  if (!images.device().is_cpu())
    return moved(images.to(Device::cpu()), shift, rotate, rng).to(images.device());
  if (images.dtype() != DType::f32)
    return moved(images.to(DType::f32), shift, rotate, rng).to(images.dtype());
  const Tensor from = images.to_layout(Layout::channels_last);
  Tensor to = Tensor::empty_like(from);
  const int64_t n = from.size(0), channels = from.size(1), h = from.size(2), w = from.size(3);
  const float* source = from.data<float>();
  float* target = to.data<float>();
  parallel_for(n, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      Random own = rng.fork(uint64_t(i));
      const double angle = rotate * (2 * own.uniform() - 1) * std::numbers::pi / 180;
      const double down = shift * (2 * own.uniform() - 1) * double(h);
      const double right = shift * (2 * own.uniform() - 1) * double(w);
      const double cosine = std::cos(angle), sine = std::sin(angle);
      const double cy = double(h - 1) / 2, cx = double(w - 1) / 2;
      const float* image = source + i * h * w * channels;
      float* out = target + i * h * w * channels;
      for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
          const double v = double(y) - cy - down, u = double(x) - cx - right;
          for (int64_t c = 0; c < channels; c++)
            *out++ = sample(image, h, w, channels, c, cy + cosine * v - sine * u,
                            cx + sine * v + cosine * u);
        }
    }
  });
  return to;
}

Tensor noisy(const Tensor& x, double sigma, const Random& rng) {
  if (!x.device().is_cpu()) return noisy(x.to(Device::cpu()), sigma, rng).to(x.device());
  if (x.dtype() != DType::f32) return noisy(x.to(DType::f32), sigma, rng).to(x.dtype());
  Tensor noise = Tensor::empty_like(x);
  Random own = rng;
  fill_normal(own, noise, 0, sigma);
  const Tensor from = x;
  float* value = noise.data<float>();
  const float* clean = from.data<float>();
  if (!from.is_dense()) fail("noise", "dense rows", text(x));
  parallel_for(noise.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) value[i] += clean[i];
  });
  return noise;
}

}  // namespace clade::models

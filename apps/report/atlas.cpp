#include "apps/report/atlas.h"

#include <algorithm>
#include <cmath>

#include "apps/report/encode.h"

namespace clade::apps {

AtlasPainter::AtlasPainter(int64_t count, int64_t columns, const Shape& image, int64_t shrink,
                           int levels)
    : columns_(std::max<int64_t>(1, std::min(columns, count))),
      rows_((count + columns_ - 1) / columns_),
      width_(std::max<int64_t>(1, image[2] / shrink)),
      height_(std::max<int64_t>(1, image[1] / shrink)),
      shrink_(shrink),
      levels_(levels),
      colours_(image[0] == 3 ? 3 : 1),
      pixels_(size_t(columns_ * width_ * rows_ * height_ * (colours_ + 1))) {}

void AtlasPainter::paint(int64_t slot, const Tensor& images, const Tensor& mask, int64_t row) {
  const View& x = images.view();
  const View& m = mask.view();
  const float* image = x.as<float>() + row * x.stride[0];
  const uint8_t* observed = mask.defined() ? m.as<uint8_t>() + row * m.stride[0] : nullptr;
  const int64_t left = slot % columns_ * width_, top = slot / columns_ * height_;
  const int channels = colours_ + 1;

  // A sprite's pixel is the mean of the observed pixels of its shrink x shrink cell; alpha tells
  // what share of the cell was observed.
  for (int64_t v = 0; v < height_; v++)
    for (int64_t u = 0; u < width_; u++) {
      uint8_t* out = &pixels_[size_t(((top + v) * columns_ * width_ + left + u) * channels)];
      double alpha = 0;
      for (int c = 0; c < colours_; c++) {
        double sum = 0;
        int64_t seen = 0, cell = 0;
        const int64_t mask_channel = observed && m.shape[1] > 1 ? c : 0;
        for (int64_t h = v * shrink_; h < std::min((v + 1) * shrink_, x.shape[2]); h++)
          for (int64_t w = u * shrink_; w < std::min((u + 1) * shrink_, x.shape[3]); w++) {
            cell++;
            float value = image[c * x.stride[1] + h * x.stride[2] + w * x.stride[3]];
            if (std::isnan(value)) continue;
            if (observed &&
                !observed[mask_channel * m.stride[1] + h * m.stride[2] + w * m.stride[3]])
              continue;
            sum += std::clamp(value, 0.0f, 1.0f);
            seen++;
          }
        const double steps = levels_ - 1;
        out[c] =
            seen ? uint8_t(255 * std::floor(steps * sum / double(seen) + 0.5) / steps + 0.5) : 0;
        alpha += double(seen) / double(cell);
      }
      out[colours_] = uint8_t(255 * alpha / colours_ + 0.5);
    }
}

Atlas AtlasPainter::finish() const {
  return {png(pixels_, columns_ * width_, rows_ * height_, colours_ + 1), columns_, rows_, width_,
          height_};
}

}  // namespace clade::apps

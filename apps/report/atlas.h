// An atlas: many small images of one size in one PNG, row by row. The page cuts sprites out of it.
// Missing pixels are transparent: the page's hatching shines through.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace clade::apps {

struct Atlas {
  std::string png;
  int64_t columns = 0, rows = 0;  // sprites across and down
  int64_t width = 0, height = 0;  // of one sprite, pixels
};

class AtlasPainter {
 public:
  // Room for `count` images of (channels, height, width), each made `shrink` times smaller, in
  // `levels` <= 256 shades: fewer pack better.
  AtlasPainter(int64_t count, int64_t columns, const Shape& image, int64_t shrink = 1,
               int levels = 256);

  // Image `row` of images (n, C, H, W) f32 in [0, 1] becomes sprite `slot`; NaN and pixels whose
  // mask (n, 1 or C, H, W) u8 is 0 become transparent. The mask may be undefined.
  void paint(int64_t slot, const Tensor& images, const Tensor& mask, int64_t row);

  Atlas finish() const;

 private:
  int64_t columns_, rows_, width_, height_, shrink_;
  int levels_;
  int colours_;  // 1 grey or 3 RGB; one more channel in pixels_ for alpha
  std::vector<uint8_t> pixels_;
};

}  // namespace clade::apps

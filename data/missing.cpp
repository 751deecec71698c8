#include "data/missing.h"

#include <algorithm>
#include <cmath>

#include "tensor/parallel.h"

namespace clade::data {
namespace {

// The same data with values and mask of its own, dense and in the same layout, to be written to.
Dataset writable(const Dataset& d) {
  const Layout layout = d.is_images() ? Layout::channels_last : Layout::row_major;
  Dataset copy = d;
  copy.values = d.values.to_layout(layout).clone();
  copy.mask = observed(d).to_layout(layout).clone();
  return copy;
}

}  // namespace

PatchOptions PatchOptions::for_width(int64_t width) {
  const int64_t mean = std::max<int64_t>(std::lround(double(width) * 10 / 32), 1);
  const int64_t spread = std::min<int64_t>(std::lround(double(width) * 3 / 32), mean - 1);
  return {mean - spread, mean + spread};
}

Dataset hide_patches(const Dataset& images, const PatchOptions& o, const Random& rng) {
  if (!images.is_images()) fail("hide_patches", "images (N, C, H, W)", text(images.values));
  const int64_t c = images.values.size(1), h = images.values.size(2), w = images.values.size(3);
  if (o.min_side < 1 || o.max_side < o.min_side || o.max_side > INT32_MAX)
    fail("hide_patches", "1 <= min_side <= max_side < 2^31", text(o.min_side, " .. ", o.max_side));
  if (o.margin < 0 || o.margin >= (std::min(h, w) + 1) / 2)
    fail("hide_patches", text("a margin of 0 or more that leaves pixels of ", h, " x ", w),
         text(o.margin));
  Dataset out = writable(images);
  float* values = out.values.data<float>();
  float* mask = out.mask.data<float>();
  const int64_t sides = o.max_side - o.min_side + 1;
  parallel_for(images.size(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const uint64_t draw = 4 * uint64_t(i);
      const int64_t height = o.min_side + rng.below_at(draw, sides);
      const int64_t width = o.min_side + rng.below_at(draw + 1, sides);
      const int64_t top = o.margin + rng.below_at(draw + 2, h - 2 * o.margin);
      const int64_t left = o.margin + rng.below_at(draw + 3, w - 2 * o.margin);
      const int64_t across = (std::min(left + width, w) - left) * c;
      for (int64_t y = top; y < std::min(top + height, h); y++) {
        const int64_t first = ((i * h + y) * w + left) * c;
        std::fill_n(values + first, across, 0.0f);
        std::fill_n(mask + first, across, 0.0f);
      }
    }
  });
  return out;
}

Dataset hide_at_random(const Dataset& d, double rate, const Random& rng) {
  if (!(rate >= 0 && rate <= 1)) fail("hide_at_random", "a rate in 0 .. 1", text(rate));
  Dataset out = writable(d);
  float* values = out.values.data<float>();
  float* mask = out.mask.data<float>();
  // Word i of the stream belongs to value i in memory; a Philox block gives four of them at once.
  const int64_t n = out.values.numel();
  parallel_for((n + 3) / 4, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const PhiloxBlock block = philox(uint64_t(b), rng.stream(), rng.seed());
      for (int64_t i = 4 * b; i < std::min(4 * b + 4, n); i++)
        if (double(unit_float(block.word[i % 4])) < rate) values[i] = mask[i] = 0;
    }
  });
  return out;
}

}  // namespace clade::data

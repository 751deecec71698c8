// Images brought to the size and colours that a network wants.
//
// The dynamic blocks of P0 halve an image down to 2 x 2, so its side must be a power of two: 28 is
// padded to 32, COIL's 128 averaged to 64 (P0, IV.C.1), the 8 of the small digits enlarged to 16.
//
// All take images (N, C, H, W) f32 and give them channels-last. On a data set the mask comes along:
// padding counts as observed background; a resized pixel is the mean of what was observed in its
// place, and missing where that is less than half; grey is observed where all channels are.
#pragma once

#include <cstdint>

#include "data/dataset.h"

namespace clade::data {

// Centred on a (height, width) ground of `value`, the odd pixel going below and right. Neither side
// may shrink: Error.
Tensor pad(const Tensor& images, int64_t height, int64_t width, double value = 0);
Dataset pad(const Dataset& d, int64_t height, int64_t width);

// To a square whose side is the next power of two of the longer side (itself if it is one).
Dataset pad_to_power_of_two(const Dataset& d);

// Each axis on its own: one that shrinks is averaged over the area that an output pixel covers
// (antialiased; whole blocks where sizes divide), one that grows is interpolated linearly between
// pixel centres. Cost: N C H (W + W') taps.
Tensor resize(const Tensor& images, int64_t height, int64_t width);
Dataset resize(const Dataset& d, int64_t height, int64_t width);

// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601); grey images pass through. Error on C other than 1, 3.
Tensor to_grey(const Tensor& images);
Dataset to_grey(const Dataset& d);

}  // namespace clade::data

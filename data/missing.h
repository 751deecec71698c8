// Making values missing, to see how a method bears it: the mask becomes 0 there, and the value 0.
//
// Draws belong to an image or to a value, not to a thread or an order of work, so the same
// generator hides the same values everywhere. What is missing already stays missing.
#pragma once

#include <cstdint>

#include "data/dataset.h"
#include "tensor/random.h"

namespace clade::data {

// One rectangle in each image, in all its channels (P0, IV.C.2). Height and width are drawn
// independently from min_side .. max_side, the top-left pixel from [margin, H - margin - 1] x
// [margin, W - margin - 1]; what reaches beyond the image is cut off.
struct PatchOptions {
  int64_t min_side = 7, max_side = 13;
  int64_t margin = 4;

  static PatchOptions fixed(int64_t side) { return {side, side}; }
  // 7 .. 13 at a width of 32 and in proportion elsewhere: 3 .. 7 at 16, 14 .. 26 at 64.
  static PatchOptions for_width(int64_t width);
};
Dataset hide_patches(const Dataset& images, const PatchOptions& options, const Random& rng);

// Each value on its own with probability `rate` in [0, 1]: missing completely at random (MCAR).
Dataset hide_at_random(const Dataset& d, double rate, const Random& rng);

// Missing at random (MAR): what hides a value was itself observed. One column, drawn, stays whole
// (columns are pixels for images) and drives the others, which lose the value of a row with
// probability sigmoid(slope s + c), s the standardised driver, slope 2 or -2, and c such
// that `rate` of all values go. Needs 2 columns or more, and rate below 1 - 1 / columns.
Dataset hide_by_column(const Dataset& d, double rate, const Random& rng);

// Missing not at random (MNAR), self-masking: a value is hidden with probability
// sigmoid(slope s + c) of its own standardised size s, slope 2: large values go first. (The case of
// Ipsen, Mattei and Frellsen, not-MIWAE, 2021, there with a sharp threshold at the mean.) A column
// of one value alone hides as at random.
Dataset hide_by_value(const Dataset& d, double rate, const Random& rng);

}  // namespace clade::data

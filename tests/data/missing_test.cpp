#include "data/missing.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::data {
namespace {

using clade::testing::message_of;

Dataset ones(const Shape& shape) {
  Dataset d;
  d.values = Tensor::full(shape, 1);
  return d;
}

struct Box {
  int64_t top = 0, left = 0, height = 0, width = 0;
};

// The box around the missing pixels of image i, after checking that it is filled with them.
Box box_of(const Dataset& d, int64_t i) {
  const int64_t h = d.mask.size(2), w = d.mask.size(3);
  const std::vector<float> mask = d.mask.select(0, i).select(0, 0).to_vector<float>();
  int64_t top = h, left = w, bottom = -1, right = -1, missing = 0;
  for (int64_t p = 0; p < h * w; p++) {
    if (mask[size_t(p)] != 0) continue;
    missing++;
    top = std::min(top, p / w), bottom = std::max(bottom, p / w);
    left = std::min(left, p % w), right = std::max(right, p % w);
  }
  const Box box{top, left, bottom - top + 1, right - left + 1};
  EXPECT_EQ(missing, box.height * box.width);
  return box;
}

TEST(Patches, SizesForWidths) {
  for (auto [width, low, high] : {std::array{32, 7, 13}, {16, 3, 7}, {64, 14, 26}, {2, 1, 1}}) {
    const PatchOptions o = PatchOptions::for_width(width);
    EXPECT_EQ(o.min_side, low) << width;
    EXPECT_EQ(o.max_side, high) << width;
    EXPECT_EQ(o.margin, 4);
  }
}

TEST(Patches, OneRectangleInEachImageAsDrawn) {
  const int64_t n = 20000;
  const Dataset d = hide_patches(ones({n, 1, 32, 32}), {}, Random(5));
  std::map<int64_t, int64_t> tops, lefts, heights, widths;
  for (int64_t i = 0; i < n; i++) {
    const Box b = box_of(d, i);
    tops[b.top]++, lefts[b.left]++;
    if (b.top + b.height < 32) heights[b.height]++;  // not cut off at the border
    if (b.left + b.width < 32) widths[b.width]++;
  }
  // Corners are uniform in 4 .. 27: 24 places of 833 each, standard deviation 28.
  for (const auto& places : {tops, lefts}) {
    EXPECT_EQ(places.size(), 24u);
    EXPECT_EQ(places.begin()->first, 4);
    for (auto [place, count] : places) EXPECT_NEAR(double(count), double(n) / 24, 5 * 28.3);
  }
  for (const auto& sides : {heights, widths}) {
    EXPECT_EQ(sides.begin()->first, 7);
    EXPECT_EQ(sides.rbegin()->first, 13);
  }
  // From the top-left corner at 4 .. 18 no patch reaches the border: there sides are uniform.
  std::map<int64_t, int64_t> inside;
  int64_t total = 0;
  for (int64_t i = 0; i < n; i++) {
    const Box b = box_of(d, i);
    if (b.top <= 18) inside[b.height]++, total++;
  }
  for (auto [side, count] : inside)
    EXPECT_NEAR(double(count), double(total) / 7, 5 * std::sqrt(double(total) / 7)) << side;
}

TEST(Patches, FixedSideAndAllChannels) {
  const Dataset d = hide_patches(ones({50, 3, 64, 64}), PatchOptions::fixed(10), Random(1));
  for (int64_t i = 0; i < 50; i++) {
    const Box b = box_of(d, i);
    EXPECT_EQ(b.height, std::min<int64_t>(10, 64 - b.top));
    EXPECT_EQ(b.width, std::min<int64_t>(10, 64 - b.left));
  }
  const std::vector<float> first = d.mask.select(1, 0).to_vector<float>();
  EXPECT_EQ(d.mask.select(1, 1).to_vector<float>(), first);
  EXPECT_EQ(d.mask.select(1, 2).to_vector<float>(), first);
  EXPECT_EQ(d.values.to_vector<float>(), d.mask.to_vector<float>());  // ones, zero where missing
}

TEST(Missing, TheInputIsLeftAlone) {
  const Dataset d = ones({4, 1, 16, 16});
  hide_patches(d, PatchOptions::for_width(16), Random(1));
  hide_at_random(d, 0.5, Random(1));
  EXPECT_FALSE(d.mask.defined());
  for (float v : d.values.to_vector<float>()) EXPECT_EQ(v, 1);
}

TEST(Missing, WhatIsMissingStaysMissing) {
  Dataset d = ones({300, 40});
  d = hide_at_random(d, 0.3, Random(1));
  const std::vector<float> before = d.mask.to_vector<float>();
  const Dataset more = hide_at_random(d, 0.5, Random(2));
  const std::vector<float> after = more.mask.to_vector<float>();
  for (size_t i = 0; i < before.size(); i++) EXPECT_LE(after[i], before[i]);
  EXPECT_NEAR(missing_rate(more), 1 - 0.7 * 0.5, 0.02);
}

TEST(AtRandom, RateHolds) {
  const Dataset d = ones({1000, 100});  // standard deviation of the rate at most 0.0016
  for (double rate : {0.05, 0.5, 0.9})
    EXPECT_NEAR(missing_rate(hide_at_random(d, rate, Random(3))), rate, 0.008);
  EXPECT_EQ(missing_rate(hide_at_random(d, 0, Random(3))), 0);
  EXPECT_EQ(missing_rate(hide_at_random(d, 1, Random(3))), 1);
}

TEST(Missing, SameBitsAtAnyThreadCountAndInAnyPart) {
  const Dataset images = ones({500, 1, 16, 16});
  clade::testing::expect_same_at_any_thread_count([&] {
    return hide_patches(images, PatchOptions::for_width(16), Random(9)).mask.to_vector<float>();
  });
  clade::testing::expect_same_at_any_thread_count(
      [&] { return hide_at_random(images, 0.2, Random(9)).mask.to_vector<float>(); });

  // An image's draws are its own: the first ten do not depend on how many follow.
  const Dataset whole = hide_patches(images, {3, 7}, Random(9));
  const Dataset part = hide_patches(slice(images, 0, 10), {3, 7}, Random(9));
  EXPECT_EQ(slice(whole, 0, 10).mask.to_vector<float>(), part.mask.to_vector<float>());
  EXPECT_NE(hide_patches(images, {3, 7}, Random(10)).mask.to_vector<float>(),
            whole.mask.to_vector<float>());
}

TEST(Missing, Refused) {
  const Dataset images = ones({1, 1, 8, 16});
  EXPECT_EQ(message_of([&] { hide_patches(images, {}, Random(1)); }),
            "hide_patches: expected a margin of 0 or more that leaves pixels of 8 x 16; got 4");
  EXPECT_EQ(message_of([&] {
              hide_patches(images, {5, 4, 1}, Random(1));
            }),
            "hide_patches: expected 1 <= min_side <= max_side < 2^31; got 5 .. 4");
  EXPECT_EQ(message_of([&] {
              hide_patches(images, {1, INT64_MAX - 1, 1}, Random(1));
            }),
            "hide_patches: expected 1 <= min_side <= max_side < 2^31; got 1 .. "
            "9223372036854775806");
  EXPECT_EQ(message_of([&] {
              hide_patches(images, {1, 2, INT64_MAX}, Random(1));
            }),
            "hide_patches: expected a margin of 0 or more that leaves pixels of 8 x 16; got "
            "9223372036854775807");
  EXPECT_EQ(message_of([&] {
              hide_patches(ones({3, 4}), {}, Random(1));
            }),
            "hide_patches: expected images (N, C, H, W); got f32 [3, 4]");
  EXPECT_EQ(message_of([&] { hide_at_random(images, 1.5, Random(1)); }),
            "hide_at_random: expected a rate in 0 .. 1; got 1.5");
}

}  // namespace
}  // namespace clade::data

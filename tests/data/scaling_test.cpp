#include "data/scaling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/missing.h"
#include "tensor/random.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::data {
namespace {

using clade::testing::message_of;
using Floats = std::vector<float>;

// Columns: 1, 2, 3, (missing) | 7 four times | nothing observed.
Dataset small() {
  Dataset d;
  d.values = Tensor::from<float>({1, 7, 0, 2, 7, 0, 3, 7, 0, 0, 7, 0}, {4, 3});
  d.mask = Tensor::from<float>({1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0}, {4, 3});
  return d;
}

TEST(Scaling, StandardOverWhatIsObserved) {
  const Scaling s = Scaling::standard(small());
  EXPECT_EQ(s.shift.to_vector<float>(), (Floats{2, 7, 0}));
  EXPECT_FLOAT_EQ(float(s.scale.at({0})), 1 / std::sqrt(2.0f / 3));
  EXPECT_EQ(s.scale.at({1}), 1);
  EXPECT_EQ(s.scale.at({2}), 1);
  const float z = std::sqrt(1.5f);
  const Floats scaled = s.apply(small()).values.to_vector<float>();
  const Floats expected = {-z, 0, 0, 0, 0, 0, z, 0, 0, 0, 0, 0};  // missing stays 0
  for (size_t i = 0; i < expected.size(); i++) EXPECT_NEAR(scaled[i], expected[i], 1e-6) << i;
}

TEST(Scaling, MinMax) {
  const Scaling s = Scaling::min_max(small());
  EXPECT_EQ(s.apply(small()).values.to_vector<float>(),
            (Floats{0, 0, 0, 0.5, 0, 0, 1, 0, 0, 0, 0, 0}));
}

TEST(Scaling, BigOffsetsKeepTheirDigits) {
  Dataset d;
  d.values = Tensor::from<float>({1e7f, 1e7f + 1, 1e7f + 2, 1e7f + 1}, {4, 1});
  const Floats z = Scaling::standard(d).apply(d).values.to_vector<float>();
  for (size_t i : {0, 1, 2, 3}) EXPECT_NEAR(z[i], (Floats{-1, 0, 1, 0})[i] * std::sqrt(2.0f), 1e-6);
}

TEST(Scaling, TheSmallestAndTheLargestColumns) {
  const float tiny = 1e-45f, huge = 3e38f;
  Dataset d;
  d.values = Tensor::from<float>({0, -huge, tiny, huge, 0, 0}, {3, 2});
  EXPECT_EQ(Scaling::min_max(d).apply(d).values.to_vector<float>(), (Floats{0, 0, 1, 1, 0, 0.5f}));
  const Floats z = Scaling::standard(d).apply(d).values.to_vector<float>();
  const Floats expected = {-std::sqrt(0.5f), -std::sqrt(1.5f), std::sqrt(2.0f),
                           std::sqrt(1.5f),  -std::sqrt(0.5f), 0};
  for (size_t i = 0; i < z.size(); i++) EXPECT_NEAR(z[i], expected[i], 1e-6) << i;
  for (const Scaling& s : {Scaling::min_max(d), Scaling::standard(d)})
    for (float v : s.invert(s.apply(d)).values.to_vector<float>()) EXPECT_TRUE(std::isfinite(v));
}

TEST(Scaling, InvertGoesBack) {
  Random rng(1);
  Dataset d;
  d.values = rand({200, 17}, rng);
  d = hide_at_random(d, 0.2, rng);
  const Scaling s = Scaling::standard(d);
  const Floats back = s.invert(s.apply(d)).values.to_vector<float>();
  const Floats values = d.values.to_vector<float>();
  for (size_t i = 0; i < back.size(); i++) EXPECT_NEAR(back[i], values[i], 1e-6);
}

TEST(Scaling, SameBitsAtAnyThreadCount) {
  Random rng(1);
  Dataset d;
  d.values = rand({1000, 40}, rng);
  clade::testing::expect_same_at_any_thread_count(
      [&] { return Scaling::standard(d).apply(d).values.to_vector<float>(); });
}

TEST(Scaling, WhatTheScaleCannotHoldIsRefusedByName) {
  Dataset learned, other;
  learned.values = Tensor::from<float>({0, 0, 1, 1e-45f}, {2, 2});
  learned.columns = {"a", "b"};
  other = learned;
  other.values = Tensor::from<float>({0, 0, 1, 2}, {2, 2});
  EXPECT_EQ(
      message_of([&] { Scaling::min_max(learned).apply(other); }),
      "scaling: expected values that are finite on the scale of column 2 (b); got 2 with scale "
      "7.13624e+44; look for damaged values, or drop the column");
  other.values = Tensor::from<float>({NAN, 0}, {1, 2});
  EXPECT_EQ(message_of([&] { Scaling::standard(other).apply(other); }),
            "scaling: expected values that are finite on the scale of column 1 (a); got nan with "
            "scale 1; look for damaged values, or drop the column");
}

TEST(Scaling, Refused) {
  Dataset images;
  images.values = Tensor::zeros({1, 1, 2, 2});
  EXPECT_EQ(message_of([&] { Scaling::standard(images); }),
            "scaling: expected a table f32 (N, D); got f32 [1, 1, 2, 2]; images are in [0, 1] "
            "already");
  Dataset narrow;
  narrow.values = Tensor::zeros({1, 2});
  EXPECT_EQ(
      message_of([&] { Scaling::standard(small()).apply(narrow); }),
      "scaling: expected a table of 3 columns, as the one it was learned from; got f32 [1, 2]");
}

}  // namespace
}  // namespace clade::data

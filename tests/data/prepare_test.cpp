#include "data/prepare.h"

#include <gtest/gtest.h>

#include "tensor/random.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::data {
namespace {

using clade::testing::message_of;
using Floats = std::vector<float>;

void expect_near(const Tensor& t, const Floats& expected) {
  const Floats values = t.to_vector<float>();
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); i++) EXPECT_NEAR(values[i], expected[i], 1e-6) << i;
}

TEST(Pad, CentredWithTheOddPixelBelowAndRight) {
  const Tensor image = Tensor::from<float>({1, 2, 3, 4}, {1, 1, 2, 2});
  expect_near(pad(image, 4, 4), {0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0});
  expect_near(pad(image, 2, 3, 9), {1, 2, 9, 3, 4, 9});
  EXPECT_EQ(message_of([&] { pad(image, 1, 4); }),
            "pad: expected a size of 2 x 2 or more; got 1 x 4; use resize to make images smaller");
}

TEST(Pad, PowerOfTwo) {
  Random rng(1);
  Dataset d;
  d.values = rand({2, 3, 28, 20}, rng);
  d.mask = Tensor::zeros({2, 3, 28, 20});
  const Dataset padded = pad_to_power_of_two(d);
  EXPECT_EQ(padded.values.shape(), Shape({2, 3, 32, 32}));
  EXPECT_TRUE(padded.values.is_channels_last());
  EXPECT_EQ(padded.values.slice(2, 2, 30).slice(3, 6, 26).to_vector<float>(),
            d.values.to_vector<float>());
  EXPECT_EQ(padded.mask.at({0, 0, 0, 0}), 1);  // background is known
  EXPECT_EQ(padded.mask.at({0, 0, 2, 6}), 0);
  d.values = Tensor::zeros({1, 1, 16, 16});
  d.mask = Tensor();
  EXPECT_EQ(pad_to_power_of_two(d).values.shape(), Shape({1, 1, 16, 16}));
}

TEST(Resize, WholeBlocksAreAveraged) {
  const Tensor image = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 1, 2, 4});
  expect_near(resize(image, 1, 2), {3.5, 5.5});
  expect_near(resize(image, 1, 1), {4.5});
}

TEST(Resize, PartsOfPixelsWeighAsTheirArea) {
  // Output pixel 0 of 3 covers input [0, 4/3): 3/4 of it is pixel 0, 1/4 pixel 1; and so on.
  const Tensor image = Tensor::from<float>({0, 1, 2, 3}, {1, 1, 1, 4});
  expect_near(resize(image, 1, 3), {0.25, 1.5, 2.75});
}

TEST(Resize, GrowingIsBilinear) {
  // torch.nn.functional.interpolate(x, (6, 7), mode="bilinear"), its second row.
  const Tensor image =
      Tensor::from<float>({0, 1, 2.82842712f, 5.19615242f, 8, 11.1803399f, 14.6969385f, 18.5202592f,
                           22.6274170f, 27, 31.6227766f, 36.4828727f},
                          {1, 1, 3, 4});
  expect_near(resize(image, 6, 7).slice(2, 1, 2),
              {2, 2.55181606f, 3.43472176f, 4.67031996f, 5.99067097f, 7.55159906f, 8.52717911f});
  expect_near(resize(Tensor::full({1, 1, 1, 1}, 7), 2, 2), {7, 7, 7, 7});
}

TEST(Resize, ChannelsStayApartAndConstantsStay) {
  Tensor image = Tensor::empty({1, 3, 5, 7}, DType::f32, Layout::channels_last);
  for (int c = 0; c < 3; c++) image.slice(1, c, c + 1).fill_(c + 1);
  for (const Shape& size : {Shape{2, 3}, Shape{11, 4}, Shape{5, 7}})
    for (int c = 0; c < 3; c++)
      for (float v : resize(image, size[0], size[1]).select(1, c).to_vector<float>())
        EXPECT_NEAR(v, c + 1, 1e-6);
}

TEST(Resize, MissingPixelsAreLeftOut) {
  Dataset d;
  d.values = Tensor::from<float>({1, 0, 3, 5, 0, 0, 0, 8}, {1, 1, 2, 4});
  d.mask = Tensor::from<float>({1, 0, 1, 1, 0, 0, 0, 1}, {1, 1, 2, 4});
  const Dataset half = resize(d, 1, 2);
  expect_near(half.values, {0, 16.0f / 3});  // one of four observed: missing; three of four: mean
  expect_near(half.mask, {0, 1});
}

TEST(Resize, SameBitsAtAnyThreadCount) {
  Random rng(2);
  const Tensor images = rand({100, 3, 9, 13}, rng);
  clade::testing::expect_same_at_any_thread_count(
      [&] { return resize(images, 4, 17).to_vector<float>(); });
}

TEST(Grey, Luma) {
  Dataset d;
  d.values = Tensor::from<float>({1, 0.5f, 0, 0.5f, 0, 0.5f}, {1, 3, 1, 2});
  d.mask = Tensor::from<float>({1, 1, 1, 1, 0, 1}, {1, 3, 1, 2});
  const Dataset grey = to_grey(d);
  expect_near(grey.values, {0, 0.5f});
  expect_near(grey.mask, {0, 1});
  expect_near(to_grey(d.values), {0.299f, 0.5f});
  EXPECT_EQ(message_of([] {
              to_grey(Tensor::zeros({1, 2, 1, 1}));
            }),
            "to_grey: expected images with 1 or 3 channels; got f32 [1, 2, 1, 1]");
}

TEST(Prepare, TablesAreRefused) {
  EXPECT_EQ(message_of([] {
              resize(Tensor::zeros({3, 2}), 1, 1);
            }),
            "resize: expected images f32 (N, C, H, W); got f32 [3, 2]");
  EXPECT_EQ(message_of([] {
              resize(Tensor::zeros({1, 1, 2, 2}), 0, 1);
            }),
            "resize: expected a height and a width of 1 or more; got 0 x 1");
}

}  // namespace
}  // namespace clade::data

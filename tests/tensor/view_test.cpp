// Views are compared with the plainest description of what they mean: an index computed by hand.
#include <gtest/gtest.h>

#include "tensor/tensor.h"
#include "tests/support/errors.h"

namespace clade {
namespace {

using testing::message_of;

Tensor counting(const Shape& shape) {
  std::vector<int> values(size_t(shape.numel()));
  for (size_t i = 0; i < values.size(); i++) values[i] = int(i);
  return Tensor::from(values, shape);
}

TEST(View, PermuteMovesAxes) {
  Tensor t = counting({2, 3, 4}), p = t.permute({2, 0, 1});
  EXPECT_EQ(p.shape(), (Shape{4, 2, 3}));
  EXPECT_TRUE(p.shares_storage_with(t));
  for (int64_t i = 0; i < 2; i++)
    for (int64_t j = 0; j < 3; j++)
      for (int64_t k = 0; k < 4; k++) EXPECT_EQ(p.at({k, i, j}), t.at({i, j, k}));
  EXPECT_EQ(t.permute({-1, 0, 1}).to_vector<int>(), p.to_vector<int>());
  EXPECT_EQ(Tensor::scalar(1).permute(std::initializer_list<int>{}).rank(), 0);
}

TEST(View, TransposeExchangesTwoAxes) {
  Tensor t = counting({2, 3});
  EXPECT_EQ(t.transpose(0, 1).to_vector<int>(), (std::vector<int>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(t.transpose(-1, -2).shape(), (Shape{3, 2}));
  EXPECT_TRUE(t.transpose(0, 1).is_dense());
}

TEST(View, SliceTakesARange) {
  Tensor t = counting({3, 5});
  EXPECT_EQ(t.slice(0, 1, 3).to_vector<int>(),
            (std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}));
  EXPECT_EQ(t.slice(1, 1, 5, 2).to_vector<int>(), (std::vector<int>{1, 3, 6, 8, 11, 13}));
  EXPECT_EQ(t.slice(-1, 0, 5, 4).to_vector<int>(), (std::vector<int>{0, 4, 5, 9, 10, 14}));
  EXPECT_EQ(t.slice(1, 2, 3, INT64_MAX).to_vector<int>(), (std::vector<int>{2, 7, 12}));
  EXPECT_EQ(t.slice(1, 5, 5).numel(), 0);
  EXPECT_EQ(t.slice(1, 0, 5, 2).slice(1, 1, 3).to_vector<int>(),
            (std::vector<int>{2, 4, 7, 9, 12, 14}));
  EXPECT_FALSE(t.slice(1, 0, 3).is_dense());
}

TEST(View, SelectDropsAnAxis) {
  Tensor t = counting({2, 3, 2});
  EXPECT_EQ(t.select(1, 2).to_vector<int>(), (std::vector<int>{4, 5, 10, 11}));
  EXPECT_EQ(t.select(-1, 0).shape(), (Shape{2, 3}));
  EXPECT_EQ(t.select(0, 1).select(0, 1).select(0, 1).item(), 9);
}

TEST(View, SqueezeAndUnsqueeze) {
  Tensor t = counting({2, 3});
  EXPECT_EQ(t.unsqueeze(0).shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(t.unsqueeze(1).shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(t.unsqueeze(-1).shape(), (Shape{2, 3, 1}));
  for (int d : {0, 1, 2}) {
    EXPECT_TRUE(t.unsqueeze(d).is_contiguous());
    EXPECT_EQ(t.transpose(0, 1).unsqueeze(d).squeeze(d).to_vector<int>(),
              t.transpose(0, 1).to_vector<int>());
  }
}

TEST(View, ExpandRepeatsWithoutCopying) {
  Tensor t = counting({3, 1});
  Tensor e = t.expand({2, 3, 4});
  EXPECT_TRUE(e.shares_storage_with(t));
  for (int64_t i = 0; i < 2; i++)
    for (int64_t j = 0; j < 3; j++)
      for (int64_t k = 0; k < 4; k++) EXPECT_EQ(e.at({i, j, k}), double(j));
  EXPECT_EQ(Tensor::scalar(3).expand({2, 2}).to_vector<int>(), (std::vector<int>{3, 3, 3, 3}));
  EXPECT_EQ(t.expand({3, 0}).numel(), 0);
}

TEST(View, ReshapeKeepsTheRowMajorOrder) {
  Tensor t = counting({2, 3, 4});
  std::vector<int> values = t.to_vector<int>();
  for (const Tensor& r : {t.reshape({24}), t.reshape({4, -1}), t.reshape({-1}),
                          t.reshape({3, 8, 1}), t.reshape(Shape{4, 3, 2})}) {
    EXPECT_EQ(r.to_vector<int>(), values) << text(r);
    EXPECT_TRUE(r.shares_storage_with(t)) << text(r);
  }
  Tensor p = t.permute({1, 2, 0});
  EXPECT_EQ(p.reshape({-1}).to_vector<int>(), p.to_vector<int>());
  EXPECT_FALSE(p.reshape({-1}).shares_storage_with(t));
  EXPECT_EQ(counting({0, 3}).reshape({-1, 5}).shape(), (Shape{0, 5}));
  EXPECT_EQ(Tensor::scalar(2).reshape({1, 1}).at({0, 0}), 2);
  EXPECT_EQ(counting({1}).reshape(Shape{}).item(), 0);
}

TEST(View, FlattenJoinsAxes) {
  Tensor t = counting({2, 3, 4, 5});
  EXPECT_EQ(t.flatten().shape(), (Shape{120}));
  EXPECT_EQ(t.flatten(1).shape(), (Shape{2, 60}));
  EXPECT_EQ(t.flatten(1, 2).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(t.flatten(-3, -2).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(t.flatten(2, 2).shape(), t.shape());
  EXPECT_EQ(Tensor::scalar(1).flatten().shape(), (Shape{1}));
  // Channels-last memory does not change what PyTorch's Flatten gives.
  Tensor image = t.to_layout(Layout::channels_last);
  EXPECT_EQ(image.flatten(1).to_vector<int>(), t.flatten(1).to_vector<int>());
}

TEST(View, MessagesOfWrongViews) {
  Tensor t = counting({2, 3});
  EXPECT_EQ(message_of([&] { t.permute({0}); }),
            "permute: expected each of the 2 axes once; got [0] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.permute({0, 0});
            }),
            "permute: expected each of the 2 axes once; got [0, 0] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.permute({0, 2});
            }),
            "permute: expected an axis in -2 .. 1; got axis 2 of i32 [2, 3]");
  EXPECT_EQ(message_of([&] { t.transpose(0, 5); }),
            "transpose: expected an axis in -2 .. 1; got axis 5 of i32 [2, 3]");
  EXPECT_EQ(message_of([&] { t.slice(1, 0, 4); }),
            "slice: expected 0 <= begin <= end <= 3 and step >= 1; got begin 0, end 4, step 1");
  EXPECT_EQ(message_of([&] { t.slice(1, -1, 2); }),
            "slice: expected 0 <= begin <= end <= 3 and step >= 1; got begin -1, end 2, step 1");
  EXPECT_EQ(message_of([&] { t.slice(1, 2, 1); }),
            "slice: expected 0 <= begin <= end <= 3 and step >= 1; got begin 2, end 1, step 1");
  EXPECT_EQ(message_of([&] { t.slice(1, 0, 2, 0); }),
            "slice: expected 0 <= begin <= end <= 3 and step >= 1; got begin 0, end 2, step 0");
  EXPECT_EQ(message_of([&] { t.select(0, 2); }), "select: expected an index below 2; got 2");
  EXPECT_EQ(message_of([&] { t.select(0, -1); }), "select: expected an index below 2; got -1");
  EXPECT_EQ(message_of([&] { t.squeeze(1); }),
            "squeeze: expected an axis of size 1; got axis 1 of i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              counting({1, 1, 1, 1, 1, 1}).unsqueeze(0);
            }),
            "unsqueeze: expected fewer than 6 axes; got i32 [1, 1, 1, 1, 1, 1]");
  EXPECT_EQ(message_of([&] { t.unsqueeze(3); }),
            "unsqueeze: expected an axis in -3 .. 2; got axis 3 of i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.expand({3, 3});
            }),
            "expand: expected sizes equal to the target's, or 1; got i32 [2, 3] to [3, 3]");
  EXPECT_EQ(message_of([&] { t.expand({3}); }),
            "expand: expected sizes equal to the target's, or 1; got i32 [2, 3] to [3]");
  EXPECT_EQ(message_of([&] { t.flatten(1, 0); }),
            "flatten: expected first axis <= last axis; got 1 and 0");
}

TEST(View, MessagesOfWrongReshapes) {
  Tensor t = counting({2, 3});
  EXPECT_EQ(message_of([&] { t.reshape({4}); }),
            "reshape: expected 6 elements; got [4] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.reshape({4, -1});
            }),
            "reshape: expected sizes whose product divides 6; got [4, -1] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.reshape({0, -1});
            }),
            "reshape: expected sizes whose product divides 6; got [0, -1] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.reshape({-1, -1});
            }),
            "reshape: expected sizes whose product divides 6; got [-1, -1] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.reshape({-1, int64_t{1} << 40, int64_t{1} << 40});
            }),
            "reshape: expected sizes whose product divides 6; got [-1, 1099511627776, "
            "1099511627776] for i32 [2, 3]");
  EXPECT_EQ(message_of([&] {
              t.reshape({1, 1, 1, 1, 1, 1, 6});
            }),
            "Shape: expected at most 6 axes; got 7 axes; join some axes");
}

}  // namespace
}  // namespace clade

#include "data/dataset.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/errors.h"

namespace clade::data {
namespace {

using clade::testing::message_of;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(FromTensor, TableWithNan) {
  const Dataset d = from_tensor("t", Tensor::from<double>({1, kNan, -2.5, 4}, {2, 2}));
  EXPECT_FALSE(d.is_images());
  EXPECT_EQ(d.size(), 2);
  EXPECT_EQ(d.values.to_vector<float>(), (std::vector<float>{1, 0, -2.5, 4}));
  EXPECT_EQ(d.mask.to_vector<float>(), (std::vector<float>{1, 0, 1, 1}));
  EXPECT_EQ(missing_rate(d), 0.25);
  EXPECT_FALSE(d.labels.defined());
}

TEST(FromTensor, TakesOverWhatNobodyElseHas) {
  Tensor own = Tensor::from<float>({1, NAN, 3, 4}, {2, 2});
  const Tensor kept = own;  // NaN becomes 0 in the data set, but not in the caller's tensor
  const Dataset copied = from_tensor("t", own);
  EXPECT_NE(copied.values.data<float>(), kept.data<float>());
  EXPECT_TRUE(std::isnan(kept.data<float>()[1]));
  EXPECT_EQ(copied.values.data<float>()[1], 0);

  Tensor free = Tensor::from<float>({1, NAN, 3, 4}, {2, 2});
  const float* at = free.data<float>();
  const Dataset taken = from_tensor("t", std::move(free));
  EXPECT_EQ(taken.values.data<float>(), at);
  EXPECT_EQ(taken.values.to_vector<float>(), (std::vector<float>{1, 0, 3, 4}));
  Tensor large = Tensor::zeros({100, 2});
  const Dataset part = from_tensor("t", large.slice(0, 0, 3));
  large = {};
  EXPECT_EQ(part.values.storage().bytes(), 24u);
}

TEST(FromTensor, U8RowsStayImagesAreScaled) {
  const Tensor bytes = Tensor::from<uint8_t>({0, 51, 255, 102}, {1, 2, 2});
  const Dataset images = from_tensor("i", bytes);
  EXPECT_EQ(images.values.shape(), Shape({1, 1, 2, 2}));
  EXPECT_EQ(images.values.to_vector<float>(), (std::vector<float>{0, 0.2f, 1, 0.4f}));
  EXPECT_FALSE(images.mask.defined());
  EXPECT_EQ(from_tensor("t", bytes.reshape({2, 2})).values.at({1, 0}), 255);
}

TEST(FromTensor, ImagesAreChannelsLastInMemory) {
  Tensor nchw = Tensor::empty({1, 3, 1, 2});
  std::copy_n(std::vector<float>{1, 2, 3, 4, 5, 6}.begin(), 6, nchw.data<float>());
  const Dataset d = from_tensor("i", nchw);
  EXPECT_TRUE(d.values.is_channels_last());
  EXPECT_EQ(d.values.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const float* memory = d.values.data<float>();
  EXPECT_EQ(std::vector<float>(memory, memory + 6), (std::vector<float>{1, 3, 5, 2, 4, 6}));
}

TEST(FromTensor, LastAxisAsChannelsWhereOnlyItCanBe) {
  EXPECT_EQ(from_tensor("i", Tensor::zeros({2, 4, 5, 3})).values.shape(), Shape({2, 3, 4, 5}));
  EXPECT_EQ(from_tensor("i", Tensor::zeros({2, 3, 5, 3})).values.shape(), Shape({2, 3, 5, 3}));
  EXPECT_EQ(from_tensor("i", Tensor::zeros({2, 4, 5, 6})).values.shape(), Shape({2, 4, 5, 6}));
}

TEST(FromTensor, TablesThatF32DoesNotKeepAreRefused) {
  const double nan = std::nan("");
  // A constant column, a hole, a wide range beside an offset, seconds of a year: kept.
  const Tensor kept = Tensor::from<double>({0.1, 1e8, 1.70e9, 0.1, nan, 1.73e9}, {2, 3});
  EXPECT_EQ(from_tensor("t", kept).values.shape(), Shape({2, 3}));
  EXPECT_EQ(
      message_of([] {
        from_tensor("t", Tensor::from<double>({1, 1e8, 2, 1e8 + 0.125}, {2, 2}));
      }),
      "dataset: expected columns whose values differ within 7 digits, as f32 keeps, in t; got "
      "column 1 about 1e+08, over a range of 0.125; take the mean off first");
  const int64_t large = int64_t{1} << 53;
  EXPECT_NE(message_of([&] {
              from_tensor("t", Tensor::from<int64_t>({large, large + 2}, {2, 1}));
            }).find("over a range of 2;"),
            std::string::npos);
}

TEST(FromTensor, Refused) {
  EXPECT_EQ(message_of([] { from_tensor("a.npy", Tensor::zeros({5})); }),
            "dataset: expected a table (N, D) or images (N, H, W), (N, C, H, W) with one row or "
            "more; got f32 [5] in a.npy");
  EXPECT_EQ(message_of([] {
              from_tensor("a.npy", Tensor::zeros({0, 3}));
            }),
            "dataset: expected a table (N, D) or images (N, H, W), (N, C, H, W) with one row or "
            "more; got f32 [0, 3] in a.npy");
  EXPECT_EQ(message_of([] {
              from_tensor("a.npy", Tensor::full({2, 2}, INFINITY));
            }),
            "dataset: expected finite values, or NaN for missing ones, in a.npy; got an infinite "
            "value");
  EXPECT_EQ(
      message_of([] {
        from_tensor("a.npy", Tensor::full({2, 2}, 1e300, DType::f64));
      }),
      "dataset: expected values that f32 holds in a.npy; got 1e+300 in row 0, column 0; scale "
      "the data");
}

TEST(Dataset, SliceAndConcat) {
  Dataset d = from_tensor("t", Tensor::from<double>({1, 2, 3, kNan, 5, 6}, {3, 2}));
  d.labels = Labels::from_words({"x", "y", "x"});
  const Dataset complete = from_tensor("u", Tensor::from<float>({7, 8}, {1, 2}));
  Dataset last = complete;
  last.labels = Labels(Tensor::from<int32_t>({1}, {1}), {"x", "y"});

  const Dataset both = concat(slice(d, 1, 3), last);
  EXPECT_EQ(both.values.to_vector<float>(), (std::vector<float>{3, 0, 5, 6, 7, 8}));
  EXPECT_EQ(both.mask.to_vector<float>(), (std::vector<float>{1, 0, 1, 1, 1, 1}));
  EXPECT_EQ(both.labels.ids().to_vector<int32_t>(), (std::vector<int32_t>{1, 0, 1}));
  EXPECT_EQ(message_of([&] {
              concat(d, from_tensor("w", Tensor::zeros({1, 3})));
            }),
            "dataset: expected two parts with rows alike: f32 [3, 2]; got f32 [1, 3]");
}

}  // namespace
}  // namespace clade::data

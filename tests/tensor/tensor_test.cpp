// Making tensors and asking them; their views stand in view_test.cpp, their copies in
// copy_test.cpp.
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace clade {
namespace {

using testing::message_of;

TEST(Tensor, UndefinedHasNothing) {
  Tensor t;
  EXPECT_FALSE(t.defined());
  EXPECT_EQ(t.numel(), 0);
  EXPECT_EQ(text(t), "undefined tensor");
  EXPECT_FALSE(t.clone().defined());
}

TEST(Tensor, UndefinedIsRefusedByName) {
  Tensor t, one = Tensor::zeros({});
  EXPECT_EQ(message_of([&] { t.storage(); }),
            "storage: expected a defined tensor; got undefined tensor");
  EXPECT_EQ(message_of([&] { t.data<float>(); }),
            "data: expected a f32 tensor; got an undefined tensor");
  EXPECT_EQ(message_of([&] { t.item(); }),
            "item: expected a tensor with one element; got undefined tensor");
  EXPECT_EQ(message_of([&] { t.fill_(1); }),
            "copy: expected defined tensors; got an undefined target");
  EXPECT_EQ(message_of([&] { t.copy_(one); }),
            "copy: expected defined tensors; got an undefined target");
  EXPECT_EQ(message_of([&] { one.copy_(t); }),
            "copy: expected defined tensors; got an undefined source");
  EXPECT_EQ(message_of([&] { t.to(DType::f64); }),
            "copy: expected defined tensors; got an undefined source");
  EXPECT_EQ(message_of([&] { t.to_vector<double>(); }),
            "copy: expected defined tensors; got an undefined source");
  EXPECT_EQ(message_of([&] { t.to_vector<float>(); }),
            "data: expected a f32 tensor; got an undefined tensor");
  EXPECT_EQ(message_of([&] { t.reshape({1}); }),
            "reshape: expected 0 elements; got [1] for undefined tensor");
  EXPECT_EQ(message_of([&] { t.size(0); }),
            "size: expected a tensor with axes; got axis 0 of undefined tensor");
}

TEST(Tensor, IsMadeFilled) {
  for (DType dtype : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8}) {
    EXPECT_EQ(Tensor::zeros({2, 2}, dtype).to_vector<double>(), (std::vector<double>{0, 0, 0, 0}));
    Tensor t = Tensor::full({3}, 7, dtype);
    EXPECT_EQ(t.dtype(), dtype);
    EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{7, 7, 7}));
  }
  EXPECT_EQ(Tensor::full({1}, 1e10, DType::i32).item(), 2147483647);
  Tensor s = Tensor::scalar(2.5, DType::f64);
  EXPECT_EQ(s.rank(), 0);
  EXPECT_EQ(s.item(), 2.5);
}

TEST(Tensor, IsMadeFromValues) {
  Tensor t = Tensor::from({1.5, 2.0, 3.0, 4.0, 5.0, 6.0}, {2, 3});
  EXPECT_EQ(text(t), "f64 [2, 3]");
  EXPECT_EQ(t.at({1, 0}), 4);
  EXPECT_EQ(t.to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(message_of([] {
              Tensor::from({1, 2, 3}, {2, 2});
            }),
            "Tensor::from: expected 4 values for shape [2, 2]; got 3 values");
}

TEST(Tensor, EmptyTensorsHaveAnAddress) {
  Tensor t = Tensor::empty({3, 0});
  EXPECT_TRUE(t.defined());
  EXPECT_NE(t.data<float>(), nullptr);
  EXPECT_TRUE(t.to_vector<float>().empty());
  EXPECT_TRUE(t.is_contiguous());
  EXPECT_TRUE(t.is_dense());
}

TEST(Tensor, Layouts) {
  Tensor rows = Tensor::zeros({2, 3, 4, 5});
  EXPECT_TRUE(rows.is_contiguous());
  EXPECT_FALSE(rows.is_channels_last());
  Tensor image = Tensor::zeros({2, 3, 4, 5}, DType::u8, Layout::channels_last);
  EXPECT_TRUE(image.is_channels_last());
  EXPECT_FALSE(image.is_contiguous());
  EXPECT_TRUE(image.is_dense());
  EXPECT_EQ(image.stride(1), 1);
  EXPECT_EQ(image.stride(-1), 3);
  EXPECT_EQ(image.stride(2), 15);
  EXPECT_EQ(image.stride(0), 60);
  // With one channel or one pixel the two orders are one.
  Tensor gray = Tensor::zeros({2, 1, 4, 5});
  EXPECT_TRUE(gray.is_contiguous() && gray.is_channels_last());
  Tensor pixel = Tensor::zeros({2, 3, 1, 1});
  EXPECT_TRUE(pixel.is_contiguous() && pixel.is_channels_last());
  // Other ranks have no channels.
  EXPECT_TRUE(Tensor::zeros({2, 3}, DType::f32, Layout::channels_last).is_contiguous());
}

TEST(Tensor, LikeAnother) {
  Tensor image = Tensor::full({2, 3, 4, 5}, 3, DType::i32).to_layout(Layout::channels_last);
  Tensor like = Tensor::zeros_like(image);
  EXPECT_EQ(text(like), "i32 [2, 3, 4, 5]");
  EXPECT_TRUE(like.is_channels_last());
  EXPECT_FALSE(like.shares_storage_with(image));
  EXPECT_EQ(like.to_vector<int>(), std::vector<int>(120, 0));
  // A view with gaps has no order of its own to copy.
  EXPECT_TRUE(Tensor::empty_like(image.slice(1, 0, 2)).is_contiguous());
}

TEST(Tensor, SharesStorageWithItsCopiesAndViews) {
  Tensor a = Tensor::zeros({4});
  Tensor b = a, c = a.slice(0, 1, 3);
  b.data<float>()[2] = 5;
  EXPECT_EQ(c.at({1}), 5);
  EXPECT_TRUE(a.shares_storage_with(c));
  EXPECT_FALSE(a.shares_storage_with(a.clone()));
}

TEST(Tensor, MessagesOfWrongQuestions) {
  Tensor t = Tensor::zeros({2, 3});
  EXPECT_EQ(message_of([&] { t.data<double>(); }),
            "data: expected a f64 tensor; got f32 [2, 3]; use .to(DType::f64)");
  EXPECT_EQ(message_of([&] { t.item(); }),
            "item: expected a tensor with one element; got f32 [2, 3]");
  EXPECT_EQ(message_of([&] { t.size(2); }),
            "size: expected an axis in -2 .. 1; got axis 2 of f32 [2, 3]");
  EXPECT_EQ(message_of([&] { t.stride(-3); }),
            "stride: expected an axis in -2 .. 1; got axis -3 of f32 [2, 3]");
  EXPECT_EQ(message_of([&] { t.at({1}); }), "at: expected 2 indices for f32 [2, 3]; got 1 indices");
  EXPECT_EQ(message_of([&] { t.at({1, 3}); }), "at: expected an index below 3 at axis 1; got 3");
  EXPECT_EQ(message_of([&] { t.at({-1, 0}); }), "at: expected an index below 2 at axis 0; got -1");
}

TEST(Tensor, AnAbsurdSizeIsAnError) {
  for (int64_t n : {int64_t{1} << 50, int64_t{1} << 60}) {
    std::string message = message_of([&] { Tensor::empty({n}, DType::f64); });
    EXPECT_TRUE(message.starts_with(text("allocate: expected ", uint64_t(n) * 8,
                                         " bytes of memory"
                                         "; got none (")))
        << message;
  }
}

}  // namespace
}  // namespace clade

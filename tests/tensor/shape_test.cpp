#include "tensor/shape.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace clade {
namespace {

using testing::message_of;

constexpr int64_t kBig = int64_t{1} << 30;

TEST(Shape, HoldsSizes) {
  Shape s{2, 3, 4};
  EXPECT_EQ(s.rank(), 3);
  EXPECT_EQ(s[2], 4);
  EXPECT_EQ(s.numel(), 24);
  EXPECT_EQ(text(s), "[2, 3, 4]");
  EXPECT_EQ(text(Shape{}), "[]");
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ((Shape{3, 0, 2}.numel()), 0);
}

TEST(Shape, Compares) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2, 1}), (Shape{2}));
  EXPECT_NE((Shape{}), (Shape{1}));
}

TEST(Shape, ChangesOneAxis) {
  EXPECT_EQ((Shape{2, 3, 4}.with(1, 7)), (Shape{2, 7, 4}));
  EXPECT_EQ((Shape{2, 3, 4}.without(0)), (Shape{3, 4}));
  EXPECT_EQ((Shape{2, 3, 4}.without(2)), (Shape{2, 3}));
  EXPECT_EQ((Shape{5}.without(0)), Shape{});
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_EQ(message_of([] { Shape{1, 2, 3, 4, 5, 6, 7}; }),
            "Shape: expected at most 6 axes; got 7 axes; join some axes");
  EXPECT_EQ(message_of([] {
              Shape{2, -1};
            }),
            "Shape: expected sizes of 0 or more; got size -1 at axis 1");
}

TEST(Shape, RefusesSizesWhoseProductOverflows) {
  EXPECT_EQ((Shape{kBig, kBig}.numel()), int64_t{1} << 60);
  EXPECT_EQ(message_of([] {
              Shape{kBig, kBig, 2};
            }),
            "Shape: expected at most 2^60 elements; got [1073741824, 1073741824, 2]; use a smaller "
            "size");
  EXPECT_EQ(message_of([] {
              Shape{kBig, kBig, kBig, kBig};
            }),
            "Shape: expected at most 2^60 elements; got [1073741824, 1073741824, 1073741824, "
            "1073741824]; use a smaller size");
  // An empty axis does not hide the others: strides are products of theirs.
  EXPECT_EQ(
      message_of([] {
        Shape{kBig, kBig, 2, 0};
      }),
      "Shape: expected at most 2^60 elements; got [1073741824, 1073741824, 2, 0]; use a smaller "
      "size");
}

TEST(Shape, BroadcastsAsNumPy) {
  EXPECT_EQ(broadcast("add", {2, 3}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast("add", {2, 1}, {1, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast("add", {4, 1, 3}, {2, 1}), (Shape{4, 2, 3}));
  EXPECT_EQ(broadcast("add", {}, {5}), (Shape{5}));
  EXPECT_EQ(broadcast("add", {}, {}), Shape{});
  EXPECT_EQ(broadcast("add", {0}, {1}), (Shape{0}));
  EXPECT_EQ(broadcast("add", {3, 1}, {0}), (Shape{3, 0}));
}

TEST(Shape, RefusesToBroadcastOtherSizes) {
  EXPECT_EQ(
      message_of([] {
        broadcast("add", {2, 3}, {4});
      }),
      "add: expected shapes that broadcast (equal or 1 from the last axis back); got [2, 3] and "
      "[4]; axis 1 has 3 against 4");
  EXPECT_EQ(message_of([] { broadcast("add", {0}, {2}); }),
            "add: expected shapes that broadcast (equal or 1 from the last axis back); got [0] and "
            "[2]; axis 0 has 0 against 2");
}

}  // namespace
}  // namespace clade

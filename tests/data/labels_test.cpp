#include "data/labels.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "data/natural_order.h"
#include "tests/support/errors.h"

namespace clade::data {
namespace {

using clade::testing::message_of;
using Words = std::vector<std::string>;

static_assert(!std::is_convertible_v<Labels, Tensor>, "labels must not pass for a model's input");
static_assert(!std::is_convertible_v<Tensor, Labels>);

TEST(NaturalOrder, NumbersByValue) {
  EXPECT_TRUE(natural_less("obj2", "obj10"));
  EXPECT_FALSE(natural_less("obj10", "obj2"));
  EXPECT_TRUE(natural_less("a9b1", "a10"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_TRUE(natural_less("a01", "a1"));  // equal in value: plain order decides
  EXPECT_FALSE(natural_less("a1", "a01"));
  EXPECT_FALSE(natural_less("a1", "a1"));
  EXPECT_TRUE(natural_less("9999999999999999999998", "9999999999999999999999"));
  EXPECT_TRUE(natural_less("", "a"));
}

TEST(Labels, WordsAreNumberedInNaturalOrder) {
  const Labels labels = Labels::from_words({"obj10", "obj2", "", "obj2", "obj1"});
  EXPECT_EQ(labels.names(), (Words{"obj1", "obj2", "obj10"}));
  EXPECT_EQ(labels.ids().to_vector<int32_t>(), (std::vector<int32_t>{2, 1, -1, 1, 0}));
  EXPECT_EQ(labels.counts(), (std::vector<int64_t>{1, 2, 1}));
  EXPECT_EQ(labels.unknown(), 1);
  EXPECT_EQ(labels.classes(), 3);
}

TEST(Labels, SliceAndConcat) {
  const Labels labels(Tensor::from<uint8_t>({0, 1, 1, 0, 1}, {5}), {"a", "b"});
  const Labels turned = Labels::concat(labels.slice(2, 5), labels.slice(0, 2));
  EXPECT_EQ(turned.ids().to_vector<int32_t>(), (std::vector<int32_t>{1, 0, 1, 0, 1}));
  EXPECT_FALSE(Labels::concat({}, {}).defined());
}

TEST(Labels, Refused) {
  EXPECT_EQ(message_of([] {
              Labels(Tensor::from<int32_t>({0, 2}, {2}), {"a", "b"});
            }),
            "labels: expected ids in 0 .. 1 (or -1: unknown); got 2 at row 1");
  EXPECT_EQ(message_of([] { Labels(Tensor::zeros({2}), {"a"}); }),
            "labels: expected ids as i32 or u8 [n]; got f32 [2]");
  EXPECT_EQ(
      message_of([] { Labels::concat(Labels::from_words({"a"}), Labels::from_words({"b"})); }),
      "labels: expected two parts with the same classes [a]; got [b]");
}

}  // namespace
}  // namespace clade::data

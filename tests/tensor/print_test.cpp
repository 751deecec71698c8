// What a person sees when a tensor is printed.
#include <gtest/gtest.h>

#include <cmath>

#include "tensor/random.h"

namespace clade {
namespace {

constexpr double kInf = INFINITY, kNaN = NAN;

Tensor counting(int64_t n) {
  Tensor t = Tensor::empty({n}, DType::i64);
  for (int64_t i = 0; i < n; i++) t.data<int64_t>()[i] = i;
  return t;
}

TEST(Print, NestsAndAligns) {
  EXPECT_EQ(to_string(Tensor::from({1.0f, 2.5f, -3.0f, 0.0f, 0.125f, NAN}, {2, 3})),
            "f32 [2, 3]\n"
            "[[ 1.0000,  2.5000, -3.0000],\n"
            " [ 0.0000,  0.1250,     nan]]");
  EXPECT_EQ(to_string(counting(12).reshape({2, 3, 2})),
            "i64 [2, 3, 2]\n"
            "[[[ 0,  1],\n"
            "  [ 2,  3],\n"
            "  [ 4,  5]],\n"
            "\n"
            " [[ 6,  7],\n"
            "  [ 8,  9],\n"
            "  [10, 11]]]");
  EXPECT_EQ(to_string(counting(2).reshape({2, 1, 1, 1})),
            "i64 [2, 1, 1, 1]\n"
            "[[[[0]]],\n"
            "\n"
            "\n"
            " [[[1]]]]");
}

TEST(Print, FollowsStrides) {
  EXPECT_EQ(to_string(counting(6).reshape({2, 3}).transpose(0, 1)),
            "i64 [3, 2]\n"
            "[[0, 3],\n"
            " [1, 4],\n"
            " [2, 5]]");
}

TEST(Print, ChoosesOnePatternForAllFloats) {
  EXPECT_EQ(to_string(Tensor::from({1.0, -2.0, kInf}, {3})), "f64 [3]\n[ 1., -2., inf]");
  EXPECT_EQ(to_string(Tensor::from({1.0, 1e-5}, {2})), "f64 [2]\n[1.0000e+00, 1.0000e-05]");
  EXPECT_EQ(to_string(Tensor::from({1e9, 0.5}, {2})), "f64 [2]\n[1.0000e+09, 5.0000e-01]");
  EXPECT_EQ(to_string(Tensor::from({kNaN, -kInf}, {2})), "f64 [2]\n[ nan, -inf]");
}

TEST(Print, SmallCases) {
  EXPECT_EQ(to_string(Tensor()), "undefined tensor");
  EXPECT_EQ(to_string(Tensor::scalar(2.5)), "f32 []\n2.5000");
  EXPECT_EQ(to_string(Tensor::zeros({0, 3})), "f32 [0, 3]\n[]");
  EXPECT_EQ(to_string(Tensor::zeros({2, 0})), "f32 [2, 0]\n[]");
  EXPECT_EQ(to_string(Tensor::full({2}, 200, DType::u8)), "u8 [2]\n[200, 200]");
  // Beyond 2^53 a double would round it.
  EXPECT_EQ(to_string(Tensor::from(std::vector<int64_t>{9007199254740993}, {1})),
            "i64 [1]\n[9007199254740993]");
}

TEST(Print, LongAxesShowTheirEnds) {
  EXPECT_EQ(to_string(counting(1000)), "i64 [1000]\n[  0,   1,   2, ..., 997, 998, 999]");
  EXPECT_EQ(to_string(counting(1000), 1), "i64 [1000]\n[  0, ..., 999]");
  EXPECT_EQ(to_string(counting(2000).reshape({1000, 2})),
            "i64 [1000, 2]\n"
            "[[   0,    1],\n"
            " [   2,    3],\n"
            " [   4,    5],\n"
            " ...,\n"
            " [1994, 1995],\n"
            " [1996, 1997],\n"
            " [1998, 1999]]");
}

TEST(Print, LongLinesAreBroken) {
  std::string printed = to_string(counting(40));
  EXPECT_NE(printed.find(" 23,\n 24,"), printed.npos) << printed;
  size_t start = 0, longest = 0;
  for (size_t i = 0; i <= printed.size(); i++) {
    if (i < printed.size() && printed[i] != '\n') continue;
    longest = std::max(longest, i - start);
    start = i + 1;
  }
  EXPECT_LE(longest, 100u);
}

}  // namespace
}  // namespace clade

#include "data/readers/har.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace clade::data {
namespace {

// A line of 561 numbers as the files have them, blanks before each and all equal.
std::string line(const std::string& number, int count = 561) {
  std::string out;
  for (int i = 0; i < count; i++) out += "  " + number;
  return out + "\n";
}

std::string message(const std::string& x, const std::string& y) {
  return clade::testing::message_of([&] { parse_har(x, y, "X", "y"); });
}

TEST(Har, Reads) {
  const Dataset d = parse_har(line("2.5000000e-001") + line("-1.0000000e+000"), "5\n1\n", "X", "y");
  EXPECT_EQ(d.values.shape(), Shape({2, 561}));
  EXPECT_EQ(d.values.at({0, 560}), 0.25);
  EXPECT_EQ(d.values.at({1, 0}), -1);
  EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{4, 0}));
  EXPECT_EQ(d.labels.names()[4], "standing");
}

TEST(Har, Malformed) {
  EXPECT_EQ(message(line("1", 560), "1\n"), "har: expected 561 numbers a line in X; got 560");
  EXPECT_EQ(message(line("1", 560) + "", "1\n"), "har: expected 561 numbers a line in X; got 560");
  EXPECT_EQ(message(line("NaN"), "1\n"), "har: expected 561 numbers a line in X; got missing ones");
  EXPECT_EQ(message(line("1") + line("2"), "1\n"),
            "har: expected as many lines in y as in X, 2; got 1");
  EXPECT_EQ(message(line("1"), "7\n"), "har: expected an activity in 1 .. 6 in line 1 of y; got 7");
  EXPECT_EQ(message(line("1"), "1.5\n"),
            "har: expected an activity in 1 .. 6 in line 1 of y; got 1.5");
  EXPECT_EQ(message("", "1\n"), "csv: expected a table in X; got an empty file");
  EXPECT_EQ(message(line("1") + line("1", 3), "1\n1\n"),
            "csv: expected 561 cells in line 2 of X, as in its first line; got 3");
}

}  // namespace
}  // namespace clade::data

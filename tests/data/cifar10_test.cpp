#include "data/readers/cifar10.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace clade::data {
namespace {

using clade::testing::message_of;

std::string record(int label, int red, int green, int blue) {
  return std::string(1, char(label)) + std::string(1024, char(red)) +
         std::string(1024, char(green)) + std::string(1024, char(blue));
}

TEST(Cifar10, PlanesBecomeChannels) {
  std::string bytes = record(3, 51, 102, 153) + record(9, 0, 255, 0);
  bytes[1 + 33] = char(204);  // red of pixel (1, 1)
  const Dataset d = parse_cifar10(bytes, "f");
  EXPECT_EQ(d.values.shape(), Shape({2, 3, 32, 32}));
  EXPECT_TRUE(d.values.is_channels_last());
  EXPECT_FLOAT_EQ(float(d.values.at({0, 0, 0, 0})), 0.2f);
  EXPECT_FLOAT_EQ(float(d.values.at({0, 0, 1, 1})), 0.8f);
  EXPECT_FLOAT_EQ(float(d.values.at({0, 1, 1, 1})), 0.4f);
  EXPECT_FLOAT_EQ(float(d.values.at({0, 2, 31, 31})), 0.6f);
  EXPECT_EQ(d.values.at({1, 1, 7, 9}), 1);
  EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{3, 9}));
  EXPECT_EQ(d.labels.names()[3], "cat");
}

TEST(Cifar10, Malformed) {
  for (size_t size : {size_t(0), size_t(3072), size_t(3074)})
    EXPECT_EQ(message_of([&] { parse_cifar10(std::string(size, '\0'), "f"); }),
              text("cifar10: expected records of 3073 bytes; got ", size,
                   " bytes in f; this reads the binary version, not the one for Python or MATLAB"));
  EXPECT_EQ(message_of([] { parse_cifar10(record(1, 0, 0, 0) + record(10, 0, 0, 0), "f"); }),
            "cifar10: expected labels in 0 .. 9; got 10 in record 1 of f");
}

}  // namespace
}  // namespace clade::data

#include "data/synthetic.h"

#include <gtest/gtest.h>

namespace clade::data {
namespace {

TEST(FourClusters, IsDrawnByItsSeed) {
  const Dataset a = four_clusters(1), b = four_clusters(2);
  EXPECT_EQ(a.values.shape(), Shape({10000, 100}));
  EXPECT_EQ(a.labels.counts(), (std::vector<int64_t>(4, 2500)));
  EXPECT_EQ(a.values.to_vector<float>(), four_clusters(1).values.to_vector<float>());
  EXPECT_NE(a.values.to_vector<float>(), b.values.to_vector<float>());
  for (float v : a.values.to_vector<float>()) ASSERT_TRUE(v > 0 && v < 1);
}

// Rows of one cluster resemble each other more than those of different ones.
TEST(FourClusters, HasClusters) {
  const Dataset d = four_clusters(3);
  const auto x = d.values.to_vector<double>();
  auto distance = [&](int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t c = 0; c < 100; c++) {
      const double difference = x[size_t(i * 100 + c)] - x[size_t(j * 100 + c)];
      sum += difference * difference;
    }
    return sum;
  };
  double within = 0, between = 0;
  for (int64_t i = 0; i < 2500; i++) {
    within += distance(i, (i + 7) % 2500);
    between += distance(i, 7500 + i);
  }
  EXPECT_LT(within, 0.75 * between);  // rows at random: 1
}

}  // namespace
}  // namespace clade::data

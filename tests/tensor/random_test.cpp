#include <gtest/gtest.h>

#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade {

TEST(Philox, KnownAnswer) {  // kat_vectors of Random123: counter 0, key 0
  PhiloxBlock b = philox(0, 0, 0);
  EXPECT_EQ(b.word[0], 0x6627e8d5u);
  EXPECT_EQ(b.word[1], 0xe169c58du);
  EXPECT_EQ(b.word[2], 0xbc57ac4cu);
  EXPECT_EQ(b.word[3], 0x9b00dbd8u);
}

TEST(Random, NormalMoments) {
  Random rng(7);
  std::vector<double> z = randn({200000}, rng).to_vector<double>();
  double mean = 0, var = 0, fourth = 0;
  for (double v : z) mean += v / double(z.size());
  for (double v : z) var += (v - mean) * (v - mean) / double(z.size());
  for (double v : z) fourth += v * v * v * v / double(z.size());
  EXPECT_NEAR(mean, 0, 0.01);
  EXPECT_NEAR(var, 1, 0.015);
  EXPECT_NEAR(fourth, 3, 0.1);
}

TEST(Random, SameBitsAtAnyThreadCount) {
  set_threads(1);
  Random a(3);
  std::vector<float> one = randn({100003}, a).to_vector<float>();
  set_threads(3);
  Random b(3);
  EXPECT_EQ(one, randn({100003}, b).to_vector<float>());
}

}  // namespace clade

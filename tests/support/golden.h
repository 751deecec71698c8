// Golden files of PyTorch (tests/golden/make_pytorch.py) and how they are compared.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tensor/safetensors.h"

namespace clade::test {

inline SafeTensors load_golden(const std::string& name) {
  return load_safetensors(std::string(CLADE_GOLDEN_DIR) + "/pytorch/" + name + ".safetensors");
}

// |a - b| <= tolerance (1 + largest |b|), everywhere.
inline void expect_close(const Tensor& a, const Tensor& b, double tolerance,
                         const std::string& what) {
  ASSERT_TRUE(a.defined()) << what;
  ASSERT_EQ(text(a.shape()), text(b.shape())) << what;
  std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double scale = 1, worst = 0;
  for (double v : y) scale = std::max(scale, 1 + std::abs(v));
  for (size_t i = 0; i < x.size(); i++) {
    double difference = std::abs(x[i] - y[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  EXPECT_LE(worst, tolerance * scale) << what;
}

}  // namespace clade::test

// Golden files of tests/golden/clustering/, written by tests/golden/make_clustering.py.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tensor/npy.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::cluster {

using testing::expect_same_at_any_thread_count;
using testing::message_of;

inline Tensor golden(const std::string& name) {
  return load_npy(text(CLADE_GOLDEN_DIR, "/clustering/", name, ".npy"));
}

// |got - want| <= tolerance max(1, |want|), element by element.
inline void expect_close(const Tensor& got, const Tensor& want, double tolerance) {
  ASSERT_EQ(got.shape(), want.shape());
  std::vector<double> a = got.to_vector<double>(), b = want.to_vector<double>();
  for (size_t i = 0; i < a.size(); i++)
    ASSERT_NEAR(a[i], b[i], tolerance * std::max(1.0, std::abs(b[i]))) << "element " << i;
}

inline void expect_same(const Tensor& got, const Tensor& want) {
  ASSERT_EQ(got.shape(), want.shape());
  EXPECT_EQ(got.to_vector<double>(), want.to_vector<double>());
}

// EXPECTs that body() throws an Error whose message contains `part`.
template <class Body>
void expect_error(const std::string& part, Body&& body) {
  std::string message = message_of(body);
  EXPECT_NE(message.find(part), std::string::npos) << "message: " << message;
}

}  // namespace clade::cluster

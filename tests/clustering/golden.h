// Golden files of tests/golden/clustering/, written by tests/golden/make_clustering.py.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tensor/npy.h"
#include "tensor/parallel.h"

namespace clade::cluster {

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

// The message of the Error that body() throws.
template <class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

// EXPECTs that body() throws an Error whose message contains `part`.
template <class Body>
void expect_error(const std::string& part, Body&& body) {
  std::string message = message_of(body);
  EXPECT_NE(message.find(part), std::string::npos) << "message: " << message;
}

// Calls run() with 1, 2 and 3 threads and compares the vectors of doubles that it returns by ==.
template <class Run>
void expect_same_bits_at_any_thread_count(Run&& run) {
  set_threads(1);
  std::vector<double> one = run();
  for (int t : {2, 3}) {
    set_threads(t);
    EXPECT_EQ(one, run()) << t << " threads";
  }
  set_threads(2);
}

}  // namespace clade::cluster

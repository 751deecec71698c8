// Runs a test at several thread counts and puts the count back at the end.
#pragma once

#include <gtest/gtest.h>

#include "tensor/parallel.h"

namespace clade::testing {

class ThreadsScope {
 public:
  explicit ThreadsScope(int n) : before_(threads()) { set_threads(n); }
  ~ThreadsScope() { set_threads(before_); }
  ThreadsScope(const ThreadsScope&) = delete;
  ThreadsScope& operator=(const ThreadsScope&) = delete;

 private:
  int before_;
};

// compute() must give equal results (==, bit for bit) with 1, 2 and 3 threads.
template <class Compute>
void expect_same_at_any_thread_count(Compute&& compute) {
  ThreadsScope one(1);
  const auto expected = compute();
  for (int n : {2, 3}) {
    ThreadsScope scope(n);
    EXPECT_EQ(compute(), expected) << "with " << n << " threads";
  }
}

}  // namespace clade::testing

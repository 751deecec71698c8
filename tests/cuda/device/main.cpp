// The tests of tests/cuda on a real device. Without one: exit code 77, which ctest calls skipped.
#include <gtest/gtest.h>

#include <cstdio>

#include "tensor/device_memory.h"
#include "tensor/error.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    clade::device_deallocate(clade::device_allocate(1));
  } catch (const clade::Error& e) {
    std::printf("skipped: %s\n", e.what());
    return 77;
  }
  if (testing::GTEST_FLAG(filter) == "*") testing::GTEST_FLAG(filter) = CLADE_ABOUT_THE_DEVICE;
  return RUN_ALL_TESTS();
}

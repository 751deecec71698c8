// For tests on the device that runs this build's CUDA kernels; in a build for GPUs without a GPU
// they are skipped.
#pragma once

#include <gtest/gtest.h>

#include "tensor/device.h"
#include "tensor/error.h"

namespace clade::testing {

// Why there is no device; empty when there is one.
inline std::string why_no_device() {
  try {
    require_device(device_of_kernels());
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace clade::testing

#define CLADE_SKIP_WITHOUT_DEVICE() \
  if (const std::string why = ::clade::testing::why_no_device(); !why.empty()) GTEST_SKIP() << why

// Times every op of the table, forward and backward, on its bench samples, with Google Benchmark.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/bench/roofline.h"

namespace clade::apps {

struct KernelBench {
  std::string filter;    // only names ("conv2d/32x32, 32 to 32, 3x3/backward") that contain it
  double seconds = 0.2;  // of measuring, a name
};

// In the order of the table; FLOPs and bytes are what the kernels of the op say of themselves.
// Throws Error when no name contains the filter, and in a build without Google Benchmark.
using PointCallback = std::function<void(const Point&)>;  // called as each is measured
std::vector<Point> bench_kernels(const KernelBench& options, const PointCallback& done = {});

}  // namespace clade::apps

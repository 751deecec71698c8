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

// The speed-ups that the cut of a pass's work into chunks allows (tensor/scaling.h).
struct ScalingRow {
  std::string name;
  std::vector<double> speed_ups;  // for each of kScalingThreads
};
constexpr int kScalingThreads[] = {2, 4, 8, 16};
std::vector<ScalingRow> bench_scaling(const std::string& filter,
                                      const std::function<void(const ScalingRow&)>& done);

}  // namespace clade::apps

// Seconds by stage: watch.start("umap") ends the stage before it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "apps/report/report.h"

namespace clade::apps {

class Stopwatch {
 public:
  void start(const std::string& stage) {
    stop();
    stages_.push_back({stage, 0});
    begun_ = Clock::now();
    running_ = true;
  }
  void stop() {
    if (running_)
      stages_.back().seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    running_ = false;
  }
  const std::vector<StageTime>& stages() const { return stages_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<StageTime> stages_;
  Clock::time_point begun_;
  bool running_ = false;
};

}  // namespace clade::apps

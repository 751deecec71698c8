// Shows how long work goes on: a bar with rate and time left on a terminal, else a plain line at
// every tenth of a stage. It also carries the request to stop (apps/cli/interrupt.h) to the work.
#pragma once

#include <chrono>
#include <string>

#include "tensor/progress.h"

namespace clade::apps {

class ProgressLine {
 public:
  // quiet: shows nothing, but still lets the work be stopped.
  explicit ProgressLine(bool quiet);
  ~ProgressLine() { finish(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // To hand to the work; valid as long as this object.
  Progress progress() { return {&ProgressLine::report, this}; }
  // Ends the line of the stage that was shown last.
  void finish();

 private:
  static bool report(void* self, const char* stage, int64_t done, int64_t total);
  void show(const char* stage, int64_t done, int64_t total);
  void draw(int64_t done, int64_t total, double elapsed, bool last);

  using Clock = std::chrono::steady_clock;
  bool quiet_, terminal_;
  std::string stage_;
  int64_t done_ = 0, total_ = 0, told_ = 0;  // told_: tenths printed
  Clock::time_point begun_, drawn_;
};

// "0.4 s", "3 min 05 s", "2 h 10 min": how times are told everywhere.
std::string duration(double seconds);

}  // namespace clade::apps

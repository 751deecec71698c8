#include "apps/cli/progress_line.h"

#include <unistd.h>

#include <cstdio>

#include "apps/cli/interrupt.h"

namespace clade::apps {
namespace {

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

std::string duration(double seconds) {
  char out[40];
  const auto whole = static_cast<long>(seconds + 0.5);
  if (seconds < 59.95)
    std::snprintf(out, sizeof out, "%.1f s", seconds);
  else if (whole < 3600)
    std::snprintf(out, sizeof out, "%ld min %02ld s", whole / 60, whole % 60);
  else
    std::snprintf(out, sizeof out, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  return out;
}

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO)) {}

bool ProgressLine::report(void* self, const char* stage, int64_t done, int64_t total) {
  if (interrupted()) return false;
  static_cast<ProgressLine*>(self)->show(stage, done, total);
  return true;
}

void ProgressLine::show(const char* stage, int64_t done, int64_t total) {
  if (quiet_) return;
  const auto now = Clock::now();
  if (stage_ != stage || done < done_) {
    finish();
    stage_ = stage, begun_ = drawn_ = now, told_ = 0;
    if (terminal_) draw(done, total, 0, false);
  }
  done_ = done, total_ = total;
  const double elapsed = seconds_between(begun_, now);
  if (terminal_) {
    if (seconds_between(drawn_, now) < 0.1) return;
    drawn_ = now;
    draw(done, total, elapsed, false);
  } else if (const int64_t tenths = total > 0 ? 10 * done / total : 0;
             tenths > told_ && tenths < 10 && elapsed > 1) {
    told_ = tenths;
    draw(done, total, elapsed, false);
  }
}

// Stages that were over at once leave no line behind.
void ProgressLine::finish() {
  if (!stage_.empty()) {
    const double elapsed = seconds_between(begun_, Clock::now());
    if (elapsed >= 0.5 || interrupted())
      draw(done_, total_, elapsed, true);
    else if (terminal_)
      std::fputs("\r\x1b[K", stderr);
  }
  stage_.clear();
  done_ = 0;
}

// e.g. "umap layout       [########............]  40 %  12.3/s  0 min 09 s left"
void ProgressLine::draw(int64_t done, int64_t total, double elapsed, bool last) {
  const double part = total > 0 ? double(done) / double(total) : 0;
  std::string line = stage_;
  line.resize(line.size() < 26 ? 26 : line.size() + 1, ' ');
  if (last) {
    if (interrupted()) line.append(text("stopped at ", int(100 * part), " %, "));
    line.append(duration(elapsed));
  } else {
    if (terminal_) {
      const int filled = int(24 * part);
      line.append("[").append(size_t(filled), '#').append(size_t(24 - filled), '.').append("] ");
    }
    char rest[96];
    std::snprintf(rest, sizeof rest, "%3.0f %%", 100 * part);
    line.append(rest);
    if (done > 0 && elapsed > 0.5) {
      std::snprintf(rest, sizeof rest, "  %.3g/s  %s left", double(done) / elapsed,
                    duration(elapsed * (1 / part - 1)).c_str());
      line.append(rest);
    }
  }
  std::fprintf(stderr, terminal_ ? (last ? "\r%s\x1b[K\n" : "\r%s\x1b[K") : "%s\n", line.c_str());
}

}  // namespace clade::apps

// The profiler: time, FLOPs and bytes of every kernel call, as a table and as a trace.
//
//     profiler::start();  ...work...  profiler::stop();
//     puts(profiler::table().c_str());  profiler::write_trace("trace.json");
//
// A kernel opens a Span; when the profiler is off that costs one load and a branch. The trace is
// Chrome's JSON format, which https://ui.perfetto.dev opens.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace clade::profiler {

extern std::atomic<bool> enabled;

void start();  // clears earlier records
void stop();

// What all calls of one kernel took since start(); Rows::shapes: those of one shape, which the name
// then ends with, where the kernel tells it.
enum class Rows { kernels, shapes };
struct Total {
  std::string name;
  int64_t calls = 0, ns = 0;
  double flops = 0, bytes = 0;
};
std::vector<Total> totals(Rows rows = Rows::kernels);  // sorted by time

// One row per kernel name, or per name and shape: calls, total ms, share, GFLOP/s, GB/s; sorted by
// time. The share is of the time from start() to stop(): spans within spans count in both, threads
// side by side add up.
std::string table(Rows rows = Rows::kernels);
// The first 2^20 calls, times in microseconds since start(). Throws Error when it cannot write.
void write_trace(const std::string& path);

class Span {
 public:
  // `name` must be a string literal. flops and bytes: what the call computes and must move.
  explicit Span(const char* name, double flops = 0, double bytes = 0)
      : active_(enabled.load(std::memory_order_relaxed)) {
    if (active_) begin(name, flops, bytes);
  }
  // shape(): a std::string for the trace, "64 x 500 x 784"; made only while the profiler is on.
  template <class Describe>
  Span(const char* name, double flops, double bytes, const Describe& shape)
      : Span(name, flops, bytes) {
    if (active_) shape_ = kept(shape());
  }
  ~Span() {
    if (active_) end();
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  void begin(const char* name, double flops, double bytes);
  void end();
  static const char* kept(const std::string& text);  // the same text, for as long as the program
  bool active_;
  const char *name_, *shape_ = nullptr;
  double flops_, bytes_;
  int64_t start_ns_;
};

}  // namespace clade::profiler

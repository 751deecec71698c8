#include "tensor/profiler.h"

namespace clade::profiler {

std::atomic<bool> enabled{false};

void start() { enabled = true; }
void stop() { enabled = false; }
std::string table() { return {}; }
void write_trace(const std::string&) {}
void Span::begin(const char* name, double flops, double bytes) {
  name_ = name, flops_ = flops, bytes_ = bytes, start_ns_ = 0;
}
void Span::end() {}

}  // namespace clade::profiler

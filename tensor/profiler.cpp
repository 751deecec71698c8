#include "tensor/profiler.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/file.h"

namespace clade::profiler {

std::atomic<bool> enabled{false};

namespace {

// The trace keeps this many calls (some 50 MB); the table counts all of them.
constexpr size_t kMaxEvents = 1 << 20;

struct Event {
  const char *name, *shape;  // shape: nullptr if the span told none
  int thread;
  int64_t start_ns, length_ns;
  double flops, bytes;
};

struct Records {
  std::mutex mutex;
  int64_t start_ns = 0, stop_ns = 0;  // stop_ns is 0 while recording
  std::vector<Event> events;
  // By text: a literal may have several addresses. The second key is the shape, or "".
  std::map<std::pair<std::string_view, std::string_view>, Total> totals;
  std::set<std::string> shapes;
};

// Never destroyed: a span may end in a thread that outlives main().
Records& records() {
  static Records* instance = new Records;
  return *instance;
}

int64_t now_ns() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// 0, 1, 2, ... in the order in which threads first record.
int thread_number() {
  static std::atomic<int> next{0};
  thread_local int number = next++;
  return number;
}

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char buffer[160];
  std::snprintf(buffer, sizeof buffer, pattern, args...);
  return buffer;
}

// amount / ns is in units of 10^9 a second; "-" where the kernel does not say its amount.
std::string rate(double amount, int64_t ns) {
  return amount > 0 ? format("%.1f", amount / double(std::max<int64_t>(ns, 1))) : "-";
}

}  // namespace

void start() {
  Records& r = records();
  std::lock_guard lock(r.mutex);
  r.events.clear();
  r.totals.clear();
  r.start_ns = now_ns();
  r.stop_ns = 0;
  enabled = true;
}

void stop() {
  Records& r = records();
  std::lock_guard lock(r.mutex);
  if (enabled.exchange(false)) r.stop_ns = now_ns();
}

void Span::begin(const char* name, double flops, double bytes) {
  name_ = name, flops_ = flops, bytes_ = bytes;
  start_ns_ = now_ns();
}

const char* Span::kept(const std::string& text) {
  Records& r = records();
  std::lock_guard lock(r.mutex);
  return r.shapes.insert(text).first->c_str();
}

void Span::end() {
  int64_t length = now_ns() - start_ns_;
  int thread = thread_number();
  Records& r = records();
  std::lock_guard lock(r.mutex);
  if (start_ns_ < r.start_ns) return;  // opened before the present recording
  Total& total = r.totals[{name_, shape_ ? shape_ : ""}];
  total.calls++;
  total.ns += length;
  total.flops += flops_;
  total.bytes += bytes_;
  if (r.events.size() < kMaxEvents)
    r.events.push_back({name_, shape_, thread, start_ns_, length, flops_, bytes_});
}

std::vector<Total> totals(Rows kind) {
  Records& r = records();
  std::lock_guard lock(r.mutex);
  std::vector<Total> rows;
  for (const auto& [key, total] : r.totals) {  // the shapes of a kernel stand together
    const std::string name(key.first), shape(key.second);
    if (kind == Rows::shapes || rows.empty() || rows.back().name != name) {
      rows.push_back(total);
      rows.back().name = kind == Rows::shapes && !shape.empty() ? name + ", " + shape : name;
    } else {
      Total& sum = rows.back();
      sum.calls += total.calls;
      sum.ns += total.ns;
      sum.flops += total.flops;
      sum.bytes += total.bytes;
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Total& a, const Total& b) { return a.ns > b.ns; });
  return rows;
}

std::string table(Rows kind) {
  const std::vector<Total> rows = totals(kind);
  int64_t wall_ns = 1;
  {
    Records& r = records();
    std::lock_guard lock(r.mutex);
    wall_ns = std::max<int64_t>((enabled ? now_ns() : r.stop_ns) - r.start_ns, 1);
  }
  size_t width = 6;
  for (const Total& total : rows) width = std::max(width, total.name.size());

  auto row = [&](std::string_view name, const std::string& numbers) {
    return std::string(name) + std::string(width - name.size(), ' ') + numbers + "\n";
  };
  std::string out =
      row("kernel", format("%10s%12s%9s%10s%10s", "calls", "total ms", "share", "GFLOP/s", "GB/s"));
  for (const Total& total : rows) {
    out += row(total.name,
               format("%10lld%12.3f%7.1f %%%10s%10s", (long long)total.calls,
                      double(total.ns) * 1e-6, 100 * double(total.ns) / double(wall_ns),
                      rate(total.flops, total.ns).c_str(), rate(total.bytes, total.ns).c_str()));
  }
  return out;
}

void write_trace(const std::string& path) {
  std::string out = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  {
    Records& r = records();
    std::lock_guard lock(r.mutex);
    for (const Event& e : r.events) {
      out += &e == r.events.data() ? "\n" : ",\n";
      out += "{\"ph\": \"X\", \"name\": " + nlohmann::json(e.name).dump() +
             format(
                 ", \"pid\": 1, \"tid\": %d, \"ts\": %.3f, \"dur\": %.3f, "
                 "\"args\": {\"flops\": %.17g, \"bytes\": %.17g",
                 e.thread, double(e.start_ns - r.start_ns) * 1e-3, double(e.length_ns) * 1e-3,
                 e.flops, e.bytes);
      if (e.shape) out += ", \"shape\": " + nlohmann::json(e.shape).dump();
      out += "}}";
    }
  }
  out += "\n]}\n";
  write_file_atomically(path, out);
}

}  // namespace clade::profiler

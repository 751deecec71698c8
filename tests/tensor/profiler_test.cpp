#include "tensor/profiler.h"

#include <gtest/gtest.h>

#include <chrono>
#include <regex>
#include <thread>

#include "tensor/error.h"
#include "tensor/file.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"
#include "tests/support/threads.h"

namespace clade {
namespace {

using testing::message_of;
using testing::TempDir;

void work(const char* name, int ms, double flops = 0, double bytes = 0) {
  profiler::Span span(name, flops, bytes);
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  for (size_t start = 0; start < text.size();) {
    size_t end = text.find('\n', start);
    result.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return result;
}

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) n++;
  return n;
}

TEST(Profiler, TheTableAddsUpByNameAndSortsByTime) {
  profiler::start();
  work("short", 1);
  work("a_long_kernel_name", 10, 4e7, 2e6);
  work("a_long_kernel_name", 10, 4e7, 2e6);
  profiler::stop();
  std::vector<std::string> rows = lines(profiler::table());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0], "kernel                 calls    total ms    share   GFLOP/s      GB/s");
  for (const std::string& row : rows) EXPECT_EQ(row.size(), rows[0].size()) << row;

  std::smatch long_row, short_row;
  ASSERT_TRUE(std::regex_match(
      rows[1], long_row,
      std::regex(R"(a_long_kernel_name +2 +([\d.]+) +([\d.]+) % +([\d.]+) +([\d.]+))")))
      << rows[1];
  double ms = std::stod(long_row[1]), share = std::stod(long_row[2]);
  EXPECT_GE(ms, 20);
  EXPECT_GT(share, 0);
  EXPECT_LE(share, 100);
  EXPECT_NEAR(std::stod(long_row[3]), 80 / ms, 0.051);  // 8e7 FLOPs in ms 1e-3 s, in 1e9 a second
  EXPECT_NEAR(std::stod(long_row[4]), 4 / ms, 0.051);
  EXPECT_TRUE(std::regex_match(rows[2], std::regex(R"(short +1 +[\d.]+ +[\d.]+ % +- +-)")))
      << rows[2];
}

TEST(Profiler, RecordsOnlyWhileItIsOn) {
  work("before", 0);
  profiler::start();
  work("old", 0);
  profiler::start();  // clears what was recorded
  work("now", 0);
  profiler::stop();
  work("after", 0);
  EXPECT_EQ(lines(profiler::table()).size(), 2u);
  EXPECT_EQ(count(profiler::table(), "now"), 1);
}

TEST(Profiler, ASpanFromBeforeTheStartIsNotCounted) {
  profiler::start();
  {
    profiler::Span span("across");
    profiler::start();
  }
  profiler::stop();
  EXPECT_EQ(count(profiler::table(), "across"), 0);
}

TEST(Profiler, ThreadsMayRecordAtOnce) {
  testing::ThreadsScope scope(3);
  profiler::start();
  parallel_for(3000, 1, [](int64_t, int64_t) { profiler::Span span("chunk"); });
  profiler::stop();
  EXPECT_TRUE(std::regex_search(profiler::table(), std::regex("\nchunk +3000 ")))
      << profiler::table();
}

TEST(Profiler, TheTraceIsInTheFormatOfChrome) {
  TempDir dir;
  profiler::start();
  {
    profiler::Span outer("outer");
    work("in\"ner", 2, 1e6, 3e5);
  }
  profiler::stop();
  profiler::write_trace(dir / "trace.json");
  std::string trace = read_file(dir / "trace.json");
  std::regex whole(
      R"(\{"displayTimeUnit": "ms", "traceEvents": \[\n)"
      R"(\{"ph": "X", "name": "in\\"ner", "pid": 1, "tid": (\d+), "ts": ([\d.]+), "dur": ([\d.]+), )"
      R"("args": \{"flops": 1000000, "bytes": 300000\}\},\n)"
      R"(\{"ph": "X", "name": "outer", "pid": 1, "tid": (\d+), "ts": ([\d.]+), "dur": ([\d.]+), )"
      R"("args": \{"flops": 0, "bytes": 0\}\}\n\]\}\n)");
  std::smatch found;
  ASSERT_TRUE(std::regex_match(trace, found, whole)) << trace;
  double inner_at = std::stod(found[2]), inner = std::stod(found[3]);
  double outer_at = std::stod(found[5]), outer = std::stod(found[6]);
  EXPECT_EQ(found[1], found[4]);
  EXPECT_GE(inner, 2000);  // microseconds
  EXPECT_LE(outer_at, inner_at);
  EXPECT_GE(outer_at + outer + 0.002, inner_at + inner);
}

TEST(Profiler, AnEmptyTraceIsATrace) {
  TempDir dir;
  profiler::start();
  profiler::stop();
  profiler::write_trace(dir / "trace.json");
  EXPECT_EQ(read_file(dir / "trace.json"),
            "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n]}\n");
  EXPECT_TRUE(message_of([&] {
                profiler::write_trace(dir / "none/trace.json");
              }).starts_with("write_file: expected to write"));
}

TEST(Profiler, CostsNextToNothingWhenOff) {
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000000; i++) profiler::Span span("off", 1, 1);
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 0.1);  // 100 ns each, where a record takes about as much
}

}  // namespace
}  // namespace clade

#include "tensor/profiler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <map>
#include <sstream>
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

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) n++;
  return n;
}

TEST(Profiler, TheTableAddsUpByNameAndSortsByTime) {
  profiler::start();
  auto begin = std::chrono::steady_clock::now();
  work("short", 0);
  // However long a busy machine made "short" last, the other lasts longer.
  auto taken = std::chrono::steady_clock::now() - begin;
  int length = 10 + int(std::chrono::duration_cast<std::chrono::milliseconds>(taken).count());
  work("a_long_kernel_name", length, 4e7, 2e6);
  work("a_long_kernel_name", length, 4e7, 2e6);
  profiler::stop();
  std::vector<std::string> rows = lines(profiler::table());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0], "kernel                 calls    total ms    share   GFLOP/s      GB/s");
  for (const std::string& row : rows) EXPECT_EQ(row.size(), rows[0].size()) << row;

  // A row: the name, calls, total ms, share and its %, GFLOP/s, GB/s.
  std::vector<std::string> busy = words(rows[1]), brief = words(rows[2]);
  ASSERT_EQ(busy.size(), 7u) << rows[1];
  EXPECT_EQ(busy[0], "a_long_kernel_name");
  EXPECT_EQ(busy[1], "2");
  double ms = std::stod(busy[2]), share = std::stod(busy[3]);
  EXPECT_GE(ms, 2 * length);
  EXPECT_GT(share, 0);
  EXPECT_LE(share, 100);
  EXPECT_NEAR(std::stod(busy[5]), 80 / ms, 0.051);  // 8e7 FLOPs in ms 1e-3 s, in 1e9 a second
  EXPECT_NEAR(std::stod(busy[6]), 4 / ms, 0.051);
  ASSERT_EQ(brief.size(), 7u) << rows[2];
  EXPECT_EQ(brief[0] + " " + brief[1], "short 1");
  EXPECT_EQ(brief[5] + brief[6], "--") << "no rate where no amount was given";
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
  std::vector<std::string> row = words(lines(profiler::table()).at(1));
  EXPECT_EQ(row[0] + " " + row[1], "chunk 3000");
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
  auto number = [&](const char* key, size_t from) {
    size_t at = trace.find(key, from);
    EXPECT_NE(at, trace.npos) << key;
    return at == trace.npos ? 0 : std::stod(trace.substr(at + std::strlen(key)));
  };
  size_t second = trace.find("\"outer\"");
  ASSERT_NE(second, trace.npos);
  int thread = int(number("\"tid\": ", 0));
  double inner_at = number("\"ts\": ", 0), inner = number("\"dur\": ", 0);
  double outer_at = number("\"ts\": ", second), outer = number("\"dur\": ", second);
  EXPECT_GE(inner, 2000);  // microseconds
  EXPECT_LE(outer_at, inner_at);
  EXPECT_GE(outer_at + outer + 0.002, inner_at + inner);

  // With these numbers filled in, the file is known to the letter.
  auto event = [&](const char* name, double start, double length, const char* amounts) {
    char buffer[200];
    std::snprintf(buffer, sizeof buffer,
                  "{\"ph\": \"X\", \"name\": \"%s\", \"pid\": 1, \"tid\": %d, \"ts\": %.3f, "
                  "\"dur\": %.3f, \"args\": {%s}}",
                  name, thread, start, length, amounts);
    return std::string(buffer);
  };
  EXPECT_EQ(trace,
            "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n" +
                event("in\\\"ner", inner_at, inner, "\"flops\": 1000000, \"bytes\": 300000") +
                ",\n" + event("outer", outer_at, outer, "\"flops\": 0, \"bytes\": 0") + "\n]}\n");
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
  // The least of ten: in the others the machine may have done something else.
  double least = 1;
  for (int repeat = 0; repeat < 10; repeat++) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100000; i++) profiler::Span span("off", 1, 1);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    least = std::min(least, seconds.count());
  }
  EXPECT_LT(least / 100000, 50e-9);  // a span that records reads the clock twice: more than that
}

}  // namespace

TEST(Profiler, ShapesHaveRowsOfTheirOwnAndStandInTheTrace) {
  TempDir dir;
  bool asked = false;
  auto shape = [&](const char* text) {
    return [&asked, text] { return asked = true, std::string(text); };
  };
  { profiler::Span off("product", 1, 1, shape("never")); }
  EXPECT_FALSE(asked);  // costs nothing while the profiler is off
  profiler::start();
  { profiler::Span span("product", 2e9, 0, shape("2 x 3")); }
  { profiler::Span span("product", 3e9, 0, shape("4 x 5")); }
  { profiler::Span span("product", 4e9, 0, shape("4 x 5")); }
  { profiler::Span span("sum", 5e9); }
  profiler::stop();
  const auto kernels = profiler::totals();
  ASSERT_EQ(kernels.size(), 2u);
  std::map<std::string, std::pair<int64_t, double>> found;
  for (const auto& t : kernels) found[t.name] = {t.calls, t.flops};
  EXPECT_EQ(found["product"], (std::pair<int64_t, double>{3, 9e9}));
  found.clear();
  for (const auto& t : profiler::totals(profiler::Rows::shapes)) found[t.name] = {t.calls, t.flops};
  EXPECT_EQ(found.size(), 3u);
  EXPECT_EQ(found["product, 4 x 5"], (std::pair<int64_t, double>{2, 7e9}));
  EXPECT_EQ(found["sum"], (std::pair<int64_t, double>{1, 5e9}));
  profiler::write_trace(dir / "trace.json");
  EXPECT_NE(read_file(dir / "trace.json").find("\"shape\": \"4 x 5\""), std::string::npos);
}

}  // namespace clade

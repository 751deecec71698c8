#include "tensor/parallel.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tensor/random.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade {
namespace {

using testing::message_of;
using testing::ThreadsScope;

using Chunks = std::vector<std::pair<int64_t, int64_t>>;

// The chunks of a loop, by their index.
Chunks chunks_of(int64_t n, int64_t grain) {
  Chunks chunks(size_t(grain > 0 ? (n + grain - 1) / grain : n));
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    chunks[size_t(begin / std::max<int64_t>(grain, 1))] = {begin, end};
  });
  return chunks;
}

TEST(Parallel, ChunksDependOnTheGrainAlone) {
  testing::expect_same_at_any_thread_count([] { return chunks_of(10, 4); });
  EXPECT_EQ(chunks_of(10, 4), (Chunks{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(chunks_of(8, 4), (Chunks{{0, 4}, {4, 8}}));
  EXPECT_EQ(chunks_of(3, 4), (Chunks{{0, 3}}));
  EXPECT_EQ(chunks_of(2, 0), (Chunks{{0, 1}, {1, 2}}));  // a grain below 1 counts as 1
  EXPECT_EQ(chunks_of(0, 4), Chunks{});
  EXPECT_EQ(message_of([] { parallel_for(-5, 1, [](int64_t, int64_t) { fail("a", "b", "c"); }); }),
            "no error");
}

TEST(Parallel, EveryElementIsVisitedOnce) {
  for (int n : {1, 2, 3}) {
    ThreadsScope scope(n);
    std::vector<std::atomic<int>> visits(100003);
    parallel_for(int64_t(visits.size()), 17, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) visits[size_t(i)]++;
    });
    EXPECT_TRUE(std::all_of(visits.begin(), visits.end(), [](const auto& v) { return v == 1; }));
  }
}

TEST(Parallel, UsesTheThreadsThatWereAskedFor) {
  ThreadsScope scope(3);
  EXPECT_EQ(threads(), 3);
  // Each of three chunks waits for the others: only three threads at once can meet.
  std::atomic<int> arrived{0}, met{0};
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  parallel_for(3, 1, [&](int64_t, int64_t) {
    arrived++;
    while (arrived < 3 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    met += std::chrono::steady_clock::now() < deadline;
  });
  EXPECT_EQ(met, 3);
}

TEST(Parallel, NestedLoopsRunOnTheirThread) {
  ThreadsScope scope(3);
  EXPECT_FALSE(in_parallel());
  std::vector<int64_t> sums(8);
  std::atomic<bool> inside{true};
  parallel_for(8, 1, [&](int64_t i, int64_t) {
    inside = inside && in_parallel();
    parallel_for(1000, 10, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) sums[size_t(i)] += k;  // no race: one thread
    });
  });
  EXPECT_TRUE(inside);
  EXPECT_EQ(sums, std::vector<int64_t>(8, 499500));
}

TEST(Parallel, TheErrorOfTheLowestChunkIsRethrown) {
  for (int n : {1, 2, 3}) {
    ThreadsScope scope(n);
    for (int repeat = 0; repeat < 20; repeat++) {
      auto loop = [] {
        parallel_for(100, 1, [](int64_t i, int64_t) {
          if (i % 10 == 7) fail("chunk", "none", text(i));
        });
      };
      EXPECT_EQ(message_of(loop), "chunk: expected none; got 7") << n << " threads";
    }
    EXPECT_THROW(parallel_for(9, 1, [](int64_t, int64_t) { throw std::bad_alloc(); }),
                 std::bad_alloc);
    EXPECT_EQ(chunks_of(10, 4).size(), 3u) << "a loop after a failed one";
  }
}

TEST(Parallel, AReductionHasTheSameBitsAtAnyThreadCount) {
  Random rng(9);
  std::vector<float> values = randn({100003}, rng).to_vector<float>();
  auto sum = [&] {
    return parallel_reduce(
        int64_t(values.size()), 100, 0.0f,
        [&](int64_t begin, int64_t end) {
          float s = 0;
          for (int64_t i = begin; i < end; i++) s += values[size_t(i)];
          return s;
        },
        [](float a, float b) { return a + b; });
  };
  testing::expect_same_at_any_thread_count(sum);
  double exact = 0;
  for (float v : values) exact += v;
  EXPECT_NEAR(sum(), exact, 1e-2);
}

TEST(Parallel, PartsAreJoinedInOrder) {
  auto joined = [] {
    return parallel_reduce(
        10, 3, std::string("<"),
        [](int64_t begin, int64_t end) { return text(begin, "-", end, " "); },
        [](const std::string& a, const std::string& b) { return a + b; });
  };
  testing::expect_same_at_any_thread_count(joined);
  EXPECT_EQ(joined(), "<0-3 3-6 6-9 9-10 ");
  EXPECT_EQ(parallel_reduce(
                0, 3, 42, [](int64_t, int64_t) { return 1; }, [](int a, int b) { return a + b; }),
            42);
}

// The number is settled once a process, so each case is a process of its own.
TEST(ParallelDeathTest, StartsWithTheThreadsThatTheProcessMayUse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto report = [](const char* wanted) {
    wanted ? setenv("OMP_NUM_THREADS", wanted, 1) : unsetenv("OMP_NUM_THREADS");
    std::fprintf(stderr, "%d threads", threads());
    std::_Exit(0);
  };
  EXPECT_EXIT(report("3"), ::testing::ExitedWithCode(0), "^3 threads");
  EXPECT_EXIT(report("100000"), ::testing::ExitedWithCode(0), "^1024 threads");
  EXPECT_EXIT(report("99999999999999999999"), ::testing::ExitedWithCode(0), "^1024 threads");
  auto on_one_core = [&] {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(size_t(sched_getcpu()), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
    report(nullptr);
  };
  EXPECT_EXIT(on_one_core(), ::testing::ExitedWithCode(0), "^1 threads");
}

TEST(Parallel, RefusesAnAbsurdNumberOfThreads) {
  EXPECT_EQ(message_of([] { set_threads(0); }), "set_threads: expected 1 to 1024 threads; got 0");
  EXPECT_EQ(message_of([] { set_threads(-2); }), "set_threads: expected 1 to 1024 threads; got -2");
  EXPECT_EQ(message_of([] { set_threads(1025); }),
            "set_threads: expected 1 to 1024 threads; got 1025");
}

}  // namespace
}  // namespace clade

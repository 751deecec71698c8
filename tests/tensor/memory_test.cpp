#include "tensor/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tensor/random.h"
#include "tests/support/errors.h"

namespace clade {
namespace {

using testing::message_of;

// AddressSanitizer sees a use after free only if blocks go back to it: then nothing is kept.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kReuse = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kReuse = false;
#else
constexpr bool kReuse = true;
#endif
#else
constexpr bool kReuse = true;
#endif

TEST(Memory, BlocksAreAlignedAndAsLongAsAsked) {
  for (size_t bytes : {1, 63, 64, 65, 511, 513, 1000, 4097, 100000, 1 << 20}) {
    void* block = allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u) << bytes;
    std::fill_n(static_cast<char*>(block), bytes, 'x');  // the sanitizers watch the end
    deallocate(block, bytes);
  }
  EXPECT_EQ(allocate(0), nullptr);
  deallocate(nullptr, 0);
}

TEST(Memory, CountsWhatIsLiveAndItsPeak) {
  reset_peak_memory();
  MemoryStats before = memory_stats();
  EXPECT_EQ(before.peak, before.live);
  void* a = allocate(4096);
  void* b = allocate(64);
  EXPECT_EQ(memory_stats().live, before.live + 4160);
  EXPECT_EQ(memory_stats().requests, before.requests + 2);
  deallocate(a, 4096);
  EXPECT_EQ(memory_stats().live, before.live + 64);
  EXPECT_EQ(memory_stats().peak, before.live + 4160);
  deallocate(b, 64);
  EXPECT_EQ(memory_stats().live, before.live);
}

TEST(Memory, SizeClassesWasteAtMostAnEighth) {
  for (size_t bytes = 513; bytes < 5000000; bytes = bytes * 9 / 8 + 1) {
    int64_t before = memory_stats().live;
    void* block = allocate(bytes);
    int64_t taken = memory_stats().live - before;
    deallocate(block, bytes);
    EXPECT_GE(taken, int64_t(bytes));
    EXPECT_LE(double(taken), double(bytes) * 1.125);
  }
}

TEST(Memory, ARepeatedPatternTakesNothingFromTheSystem) {
  if (!kReuse) GTEST_SKIP() << "blocks are not reused under AddressSanitizer";
  Random rng(1);
  auto step = [&] {
    Tensor a = randn({300, 70}, rng), b = a.transpose(0, 1).contiguous();
    Scratch<double> scratch(12345);
    return b.reshape({-1}).to(DType::f64);
  };
  step();
  MemoryStats warm = memory_stats();
  for (int i = 0; i < 10; i++) step();
  EXPECT_EQ(memory_stats().system_calls, warm.system_calls);
  EXPECT_GT(memory_stats().requests, warm.requests);
  EXPECT_EQ(memory_stats().cached, warm.cached);
}

TEST(Memory, TheCacheCanBeGivenBack) {
  deallocate(allocate(1 << 20), 1 << 20);
  EXPECT_EQ(memory_stats().cached >= 1 << 20, kReuse);
  release_cached_memory();
  EXPECT_EQ(memory_stats().cached, 0);
  int64_t calls = memory_stats().system_calls;
  deallocate(allocate(1 << 20), 1 << 20);
  EXPECT_EQ(memory_stats().system_calls, calls + 1);
}

TEST(Memory, AnAbsurdSizeIsAnErrorAndChangesNothing) {
  MemoryStats before = memory_stats();
  for (size_t bytes : {size_t{1} << 50, size_t{1} << 63, SIZE_MAX}) {
    EXPECT_EQ(message_of([&] { allocate(bytes); }),
              text("allocate: expected ", bytes, " bytes of memory; got none (", before.live,
                   " bytes live); use a smaller batch or data set"));
  }
  EXPECT_EQ(memory_stats().live, before.live);
  EXPECT_EQ(memory_stats().requests, before.requests);
}

// The blocks are not written to, so the system need not have that much free.
TEST(Memory, LiveBlocksTogetherFitTheMachine) {
  if (!kReuse) GTEST_SKIP() << "AddressSanitizer writes beside such blocks";
  const size_t physical = size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGESIZE));
  const size_t more_than_half = physical / 10 * 6, half = physical / 10 * 5;
  void* first = allocate(more_than_half);
  EXPECT_EQ(message_of([&] { allocate(more_than_half); }),
            text("allocate: expected ", more_than_half, " bytes of memory; got none (",
                 memory_stats().live, " bytes live); use a smaller batch or data set"));
  deallocate(first, more_than_half);
  deallocate(allocate(half), half);  // in the room that the cached block held
  release_cached_memory();
}

TEST(Memory, ScratchRefusesCountsThatOverflow) {
  EXPECT_EQ(message_of([] { Scratch<double> s(-1); }),
            "allocate: expected an array that fits in memory; got -1 elements of 8 bytes");
  EXPECT_EQ(
      message_of([] { Scratch<double> s(int64_t{1} << 61); }),
      "allocate: expected an array that fits in memory; got 2305843009213693952 elements of 8 "
      "bytes");
  Scratch<int> none(0);
  EXPECT_EQ(none.data(), nullptr);
}

}  // namespace
}  // namespace clade

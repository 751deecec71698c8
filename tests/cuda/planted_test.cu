// Mistakes planted in kernels, and the report that each must get. Which build finds what:
//
//     every build         threads and lanes that do not meet, launches that a GPU refuses
//     sanitizers          memory beside an array, misaligned vectors
//     race checker        missing barriers, uninitialised shared memory, pointers of the host
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <regex>
#include <string>

#include "tensor/cuda.cuh"
#include "tests/cuda/device_vector.h"
#include "tests/support/errors.h"

#if defined(__SANITIZE_ADDRESS__)
#define CLADE_FOR_SANITIZERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CLADE_FOR_SANITIZERS 1
#endif
#endif

namespace clade {
namespace {

using testing::DeviceVector;
using testing::message_of;

// The message of what a launch of `Kernel` throws; "no error" when it runs through.
template <auto Kernel, class T = float>
std::string run(int threads, size_t shared_bytes = 0, int blocks = 1, size_t values = 64) {
  DeviceVector<T> y(values, T(0));
  return message_of([&] {
    launch<Kernel>(nullptr, {unsigned(blocks), unsigned(threads), shared_bytes}, y.data());
  });
}

// `pattern` with @ for a place in this file, as a regular expression for the whole message.
void expect_report(const std::string& message, std::string pattern) {
  for (size_t at; (at = pattern.find('@')) != std::string::npos;)
    pattern.replace(at, 1, "planted_test.cu:[0-9]+");
  EXPECT_TRUE(std::regex_match(message, std::regex(pattern))) << message << "\n" << pattern;
}

// -- every build
// -----------------------------------------------------------------------------------

__global__ void barrier_for_some(float* y) {
  if (threadIdx.x < 40) __syncthreads();
  y[threadIdx.x] = 1;
}

TEST(Planted, BarrierThatSomeThreadsNeverReach) {
  expect_report(
      run<barrier_for_some>(64),
      ".*barrier_for_some: __syncthreads: expected all threads of the block at one barrier; "
      "got block \\(0, 0, 0\\): threads 40-63 finished, threads 0-39 waiting in "
      "__syncthreads at @");
}

__global__ void leaves_early(float* y) {
  if (threadIdx.x == 7) return;
  __syncthreads();
  y[threadIdx.x] = 1;
}

TEST(Planted, ThreadThatLeavesBeforeTheBarrier) {
  expect_report(run<leaves_early>(64), ".*threads 7 finished, threads 0-6, 8-63 waiting in .*");
}

__global__ void two_barriers(float* y) {
  if (threadIdx.x % 2) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = 1;
}

TEST(Planted, TwoBarriersThatMeet) {
  expect_report(run<two_barriers>(4),
                ".*got block \\(0, 0, 0\\): threads (1, 3|0, 2) waiting in __syncthreads at @, "
                "threads (1, 3|0, 2) waiting in __syncthreads at @");
}

__global__ void lane_missing(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x != 3) v = __shfl_xor_sync(~0u, v, 1);
  y[threadIdx.x] = v;
}

TEST(Planted, LaneThatIsMissingFromItsWarp) {
  expect_report(
      run<lane_missing>(32),
      ".*expected all lanes of the mask in one collective; got block \\(0, 0, 0\\): threads "
      "3 finished, threads 0-2, 4-31 waiting in __shfl_xor_sync at @");
}

__global__ void not_in_own_mask(float* y) { y[threadIdx.x] = __shfl_sync(0xffu, 1.0f, 0); }

TEST(Planted, LaneThatIsNotInItsOwnMask) {
  expect_report(run<not_in_own_mask>(32),
                ".*__shfl_sync: expected the calling lane in its own mask; got block .*: lane "
                "[0-9]+, __shfl_sync at @");
}

__global__ void source_not_in_mask(float* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_sync(0xffffu, 1.0f, 20);
}

TEST(Planted, SourceLaneThatIsNotInTheMask) {
  expect_report(run<source_not_in_mask>(32),
                ".*expected a source lane that is in the mask; got "
                "block .*: lane [0-9]+ reading lane 20, .*@");
}

__global__ void different_collectives(float* y) {
  if (threadIdx.x < 16) {
    y[threadIdx.x] = __shfl_sync(~0u, 1.0f, 0);
  } else {
    y[threadIdx.x] = float(__ballot_sync(~0u, 1));
  }
}

TEST(Planted, LanesInDifferentCollectives) {
  expect_report(run<different_collectives>(32),
                ".*expected all lanes of the mask in one collective; got block .*: lane [0-9]+ in "
                "__(shfl|ballot)_sync at @, others in __(shfl|ballot)_sync at @");
}

__global__ void nothing(float*) {}

TEST(Planted, LaunchThatNoDeviceTakes) {
  expect_report(run<nothing>(1025),
                ".*nothing: expected a launch that a GPU takes; got blocks \\(1, 1, 1\\), threads "
                "\\(1025, 1, 1\\), 0 bytes of shared memory");
  expect_report(run<nothing>(1, 228 * 1024), ".*expected a launch that a GPU takes; .*");
}

TEST(Planted, AfterAReportTheNextLaunchRuns) {
  run<barrier_for_some>(64);
  run<lane_missing>(32);
  EXPECT_EQ(run<barrier_for_some>(40), "no error");
}

__global__ void no_wait(const float* x, float* y) {
  __shared__ __align__(16) float tile[4];
  cp_async<16>(tile, x, 16);
  cp_async_commit();
  for (int i = 0; i < 4; i++) y[i] = tile[i];
}

TEST(Planted, CopyThatIsNotWaitedForIsNaN) {
  DeviceVector<float> x({1, 2, 3, 4}), y(4, 0);
  launch<no_wait>(nullptr, {1, 1}, x.data(), y.data());
  EXPECT_TRUE(std::isnan(y.values()[0]));
}

__global__ void order_of_threads(int* y) {
  __shared__ int next;
  if (threadIdx.x == 0) next = 0;
  __syncthreads();
  y[atomicAdd(&next, 1)] = int(threadIdx.x);
}

TEST(Planted, ThreadOrderFollowsTheSeed) {
  auto order = [](unsigned seed) {
    cuda_on_cpu::set_thread_order(seed);
    DeviceVector<int> y(64, -1);
    launch<order_of_threads>(nullptr, {1, 64}, y.data());
    return y.values();
  };
  const auto natural = order(0), one = order(1), two = order(2), again = order(1);
  EXPECT_EQ(one, again);
  EXPECT_NE(natural, one);
  EXPECT_NE(one, two);
  cuda_on_cpu::set_thread_order(0);
}

// -- sanitizers
// ------------------------------------------------------------------------------------

#if defined(CLADE_FOR_SANITIZERS)

__global__ void beyond_global(float* y) { y[threadIdx.x + 1] = 1; }
__global__ void beyond_dynamic(float* y) {
  float* tile = dynamic_shared<float>();
  tile[threadIdx.x + 1] = 1;
  y[threadIdx.x] = tile[threadIdx.x];
}
__global__ void beyond_static(float* y) {
  __shared__ float tile[64];
  tile[threadIdx.x + 1] = 1;
  y[threadIdx.x] = tile[threadIdx.x];
}
#if !defined(__clang__)  // it does not check structures that are copied whole
__global__ void misaligned(float* y) {
  reinterpret_cast<float4*>(y + 1)[0] = make_float4(1, 2, 3, 4);
}
#endif
__global__ void misaligned_part(float* y) { reinterpret_cast<float4*>(y + 1)->z = 3; }
__global__ void endless_stack(float* y) {
  volatile char large[512 * 1024];
  large[threadIdx.x] = 1;  // Clang does not check a place that is known beforehand
  y[0] = large[threadIdx.x];
}

TEST(Planted, GlobalMemoryBesideAnArray) {
  EXPECT_DEATH(run<beyond_global>(64), "heap-buffer-overflow(.|\n)*planted_test.cu");
}
TEST(Planted, DynamicSharedMemoryBeyondItsSize) {
  EXPECT_DEATH(run<beyond_dynamic>(64, 64 * sizeof(float)),
               "use-after-poison(.|\n)*planted_test.cu");
}
TEST(Planted, StaticSharedMemoryBeyondItsSize) {
  EXPECT_DEATH(run<beyond_static>(64),
               "planted_test.cu:[0-9]+:[0-9]+: runtime error: index 64 out");
}
TEST(Planted, MisalignedVector) {
  const char* report = "planted_test.cu:[0-9]+:[0-9]+: runtime error: .*misaligned";
  EXPECT_DEATH(run<misaligned_part>(1), report);
#if !defined(__clang__)
  EXPECT_DEATH(run<misaligned>(1), report);
#endif
}
TEST(Planted, StackThatIsTooSmall) { EXPECT_DEATH(run<endless_stack>(1), "Sanitizer"); }

#endif

// -- race checker
// ----------------------------------------------------------------------------------

#if defined(CLADE_RACE_CHECK)

__global__ void no_barrier(float* y) {
  __shared__ float tile[64];
  tile[threadIdx.x] = 1;
  y[threadIdx.x] = tile[63 - threadIdx.x];
}

TEST(Planted, MissingBarrier) {
  cuda_on_cpu::set_thread_order(0);
  const std::string report = run<no_barrier>(64);
  expect_report(
      report,
      ".*no_barrier: expected (shared memory that was written; got an uninitialised read by "
      "thread 0 of block 0 at @; )?expected a barrier between two accesses to one word of "
      "shared memory; got a race: .* by thread [0-9]+ of block 0 at @, .* by thread [0-9]+ "
      "of block 0 at @.*|.*uninitialised.*race.*");
}

__global__ void one_barrier_in_a_loop(float* y) {
  __shared__ float tile[64];
  tile[threadIdx.x] = float(threadIdx.x);
  __syncthreads();
  for (int i = 0; i < 2; i++) {
    const float next = tile[(threadIdx.x + 1) % 64];
    tile[threadIdx.x] = next;  // a neighbour may still want the old one
    __syncthreads();
  }
  y[threadIdx.x] = tile[threadIdx.x];
}

TEST(Planted, ReadThenWriteWithoutABarrier) {
  expect_report(run<one_barrier_in_a_loop>(64),
                ".*got a race: (read|write) by thread .*@, (read|write) by thread .*@");
}

__global__ void all_blocks_write(float* y) { y[threadIdx.x] = float(blockIdx.x); }

TEST(Planted, BlocksThatWriteTheSamePlace) {
  expect_report(
      run<all_blocks_write>(4, 0, 2),
      ".*word of global memory; got a race: write by thread [0-3] of block [01] at @, write "
      "by thread [0-3] of block [01] at @");
}

__global__ void never_written(float* y) {
  __shared__ float tile[64];
  if (threadIdx.x != 5) tile[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}

TEST(Planted, SharedMemoryThatNobodyWrote) {
  expect_report(run<never_written>(64), ".*got an uninitialised read by thread 5 of block 0 at @");
}

template <bool Sync>
__global__ void neighbours(float* y) {
  __shared__ float tile[32];
  tile[threadIdx.x] = 1;
  if (Sync) __syncwarp();
  y[threadIdx.x] = tile[threadIdx.x ^ 1];
}

TEST(Planted, WarpThatTrustsInLockstep) {
  EXPECT_NE(run<neighbours<false>>(32), "no error");
  EXPECT_EQ(run<neighbours<true>>(32), "no error");
}

// The buffer of the next stage is filled while other warps may still read it.
template <bool Sync>
__global__ void refill(const float* x, float* y) {
  __shared__ __align__(16) float tile[256];
  for (int i = 0; i < 2; i++) {
    cp_async<16>(&tile[4 * threadIdx.x], x + 4 * threadIdx.x, 16);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    y[threadIdx.x] = tile[255 - threadIdx.x];
    if (Sync) __syncthreads();
  }
}

TEST(Planted, StageThatIsFilledTooEarly) {
  DeviceVector<float> x(256, 1), y(64, 0);
  auto message = [&](auto run_it) { return message_of(run_it); };
  EXPECT_EQ(message([&] {
              launch<refill<true>>(nullptr, {1, 64}, x.data(), y.data());
            }),
            "no error");
  expect_report(message([&] {
                  launch<refill<false>>(nullptr, {1, 64}, x.data(), y.data());
                }),
                ".*word of shared memory; got a race: .*");
}

__global__ void write_one(float* y) { y[0] = 1; }

TEST(Planted, PointerOfTheHost) {
  std::vector<float> host(4);
  expect_report(message_of([&] {
                  launch<write_one>(nullptr, {1, 1}, host.data());
                }),
                ".*expected an address in device memory; got one of the host: write by thread 0 of "
                "block 0 at @");
}

#endif

}  // namespace
}  // namespace clade

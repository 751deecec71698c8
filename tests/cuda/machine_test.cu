// CUDA on the CPU does what CUDA does: barriers, collectives, shared memory, atomics, cp.async and
// mma.sync, in any order of threads; and compiled by nvcc these tests say the same of a GPU.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tensor/cuda.cuh"
#include "tests/cuda/device_vector.h"

namespace clade {
namespace {

using testing::DeviceVector;

__global__ void indices(int* out) {
  const int block = int(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z));
  const int thread = int(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
  const int threads = int(blockDim.x * blockDim.y * blockDim.z);
  out[block * threads + thread] = 1000 * block + thread;
}

TEST(Machine, EveryThreadOfEveryBlockRunsOnce) {
  DeviceVector<int> out(2 * 3 * 4 * 30, -1);
  launch<indices>(nullptr, {{2, 3, 4}, {5, 3, 2}}, out.data());
  const std::vector<int> got = out.values();
  for (size_t i = 0; i < got.size(); i++) ASSERT_EQ(got[i], int(1000 * (i / 30) + i % 30));
}

__global__ void rotate(const float* x, float* y, int rounds) {
  __shared__ float tile[96];
  const int t = int(threadIdx.x);
  tile[t] = x[blockIdx.x * 96 + t];
  __syncthreads();
  for (int i = 0; i < rounds; i++) {
    const float next = tile[(t + 1) % 96];
    __syncthreads();
    tile[t] = next;
    __syncthreads();
  }
  y[blockIdx.x * 96 + t] = tile[t];
}

TEST(Machine, BarriersOrderSharedMemory) {
  std::vector<float> x(3 * 96);
  for (size_t i = 0; i < x.size(); i++) x[i] = float(i);
  DeviceVector<float> in(x), out(x.size(), 0);
  launch<rotate>(nullptr, {3, 96}, in.data(), out.data(), 40);
  const std::vector<float> y = out.values();
  for (size_t i = 0; i < x.size(); i++) ASSERT_EQ(y[i], x[i / 96 * 96 + (i + 40) % 96]);
}

__global__ void reverse(const float* x, float* y) {
  float* tile = dynamic_shared<float>();
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

TEST(Machine, DynamicSharedMemory) {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7};
  DeviceVector<float> in(x), out(7, 0);
  launch<reverse>(nullptr, {1, 7, 7 * sizeof(float)}, in.data(), out.data());
  EXPECT_EQ(out.values(), (std::vector<float>{7, 6, 5, 4, 3, 2, 1}));
}

__global__ void collectives(int* out) {
  const int lane = int(threadIdx.x % 32);
  int* mine = out + threadIdx.x * 8;
  mine[0] = __shfl_sync(~0u, lane, 5);
  mine[1] = __shfl_xor_sync(~0u, lane, 3);
  mine[2] = __shfl_down_sync(~0u, lane, 4, 8);
  mine[3] = __shfl_up_sync(~0u, lane, 1);
  mine[4] = int(__ballot_sync(~0u, lane % 3 == 0));
  mine[5] = __any_sync(~0u, lane == 40) * 2 + __all_sync(~0u, lane < 32);
  // Half a warp on its own, while the other half does something else.
  mine[6] = lane < 16 ? __shfl_xor_sync(0xffffu, lane, 8) : __popc(unsigned(lane));
  mine[7] = __syncthreads_count(lane < 3);
}

TEST(Machine, CollectivesOfAWarp) {
  DeviceVector<int> out(64 * 8, -1);
  launch<collectives>(nullptr, {1, 64}, out.data());
  const std::vector<int> got = out.values();
  int thirds = 0;
  for (int lane = 0; lane < 32; lane += 3) thirds |= int(1u << lane);
  for (int t = 0; t < 64; t++) {
    const int lane = t % 32, *mine = got.data() + t * 8;
    ASSERT_EQ(mine[0], 5);
    ASSERT_EQ(mine[1], lane ^ 3);
    ASSERT_EQ(mine[2], lane % 8 < 4 ? lane + 4 : lane);
    ASSERT_EQ(mine[3], lane ? lane - 1 : 0);
    ASSERT_EQ(mine[4], thirds);
    ASSERT_EQ(mine[5], 1);
    ASSERT_EQ(mine[6], lane < 16 ? lane ^ 8 : __builtin_popcount(unsigned(lane)));
    ASSERT_EQ(mine[7], 6);
  }
}

__global__ void count_all(int* counts, unsigned* largest, float* sum) {
  atomicAdd(&counts[threadIdx.x % 4], 1);
  atomicMax(largest, blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(sum, 0.5f);
  atomicCAS(&counts[4], 0, int(threadIdx.x) + 1);
}

TEST(Machine, Atomics) {
  DeviceVector<int> counts(5, 0);
  DeviceVector<unsigned> largest(1, 0);
  DeviceVector<float> sum(1, 0);
  launch<count_all>(nullptr, {3, 50}, counts.data(), largest.data(), sum.data());
  std::vector<int> got = counts.values();
  EXPECT_GT(got[4], 0);
  got.pop_back();
  EXPECT_EQ(got, (std::vector<int>{39, 39, 36, 36}));
  EXPECT_EQ(largest.values()[0], 149u);
  EXPECT_EQ(sum.values()[0], 75);
}

// Two groups in flight; the last lane of each four copies only half of its 16 bytes.
__global__ void copy_in_stages(const float* x, float* y) {
  __shared__ __align__(16) float stage[2][128];
  const int t = int(threadIdx.x);
  for (int s = 0; s < 2; s++) {
    cp_async<16>(&stage[s][4 * t], x + 128 * s + 4 * t, t % 4 == 3 ? 8 : 16);
    cp_async_commit();
  }
  cp_async_wait<1>();
  __syncthreads();
  for (int i = 0; i < 4; i++) y[32 * i + t] = stage[0][32 * i + t];
  cp_async_wait<0>();
  __syncthreads();
  for (int i = 0; i < 4; i++) y[128 + 32 * i + t] = stage[1][32 * i + t];
}

TEST(Machine, AsynchronousCopies) {
  std::vector<float> x(256);
  for (size_t i = 0; i < x.size(); i++) x[i] = float(i + 1);
  DeviceVector<float> in(x), out(256, -1);
  launch<copy_in_stages>(nullptr, {1, 32}, in.data(), out.data());
  const std::vector<float> y = out.values();
  for (size_t i = 0; i < x.size(); i++) ASSERT_EQ(y[i], i % 16 >= 14 ? 0 : x[i]) << i;
}

__global__ void multiply(const float* a, const float* b, float* c) {  // (16, 8) (8, 8)
  const int g = int(threadIdx.x) / 4, t = int(threadIdx.x) % 4;
  const uint32_t af[4] = {to_tf32(a[g * 8 + t]), to_tf32(a[(g + 8) * 8 + t]),
                          to_tf32(a[g * 8 + t + 4]), to_tf32(a[(g + 8) * 8 + t + 4])};
  const uint32_t bf[2] = {to_tf32(b[t * 8 + g]), to_tf32(b[(t + 4) * 8 + g])};
  float d[4] = {1, 1, 1, 1};
  mma_tf32(d, af, bf);
  for (int i = 0; i < 4; i++) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

TEST(Machine, MatrixProductOfAWarp) {
  std::vector<float> a(128), b(64);
  for (int i = 0; i < 128; i++) a[size_t(i)] = float(i % 11 - 5);
  for (int i = 0; i < 64; i++) b[size_t(i)] = float(i % 7) + 0.5f;
  DeviceVector<float> da(a), db(b), dc(128, 0);
  launch<multiply>(nullptr, {1, 32}, da.data(), db.data(), dc.data());
  const std::vector<float> c = dc.values();
  for (size_t i = 0; i < 16; i++)
    for (size_t j = 0; j < 8; j++) {
      float want = 1;
      for (size_t k = 0; k < 8; k++) want += a[i * 8 + k] * b[k * 8 + j];
      ASSERT_EQ(c[i * 8 + j], want) << i << ", " << j;
    }
}

__global__ void round_to_tf32(const float* x, uint32_t* y) {
  y[threadIdx.x] = to_tf32(x[threadIdx.x]);
}

TEST(Machine, TensorFloatsKeepTenBitsRoundedHalfAway) {
  DeviceVector<float> x(
      {1.0f, 1.0f + 0x1p-10f, 1.0f + 0x1p-11f, 1.0f + 0x1.8p-11f, -1.0f - 0x1p-11f});
  DeviceVector<uint32_t> y(5, 0);
  launch<round_to_tf32>(nullptr, {1, 5}, x.data(), y.data());
  EXPECT_EQ(y.values(),
            (std::vector<uint32_t>{0x3f800000, 0x3f802000, 0x3f802000, 0x3f802000, 0xbf802000}));
}

}  // namespace
}  // namespace clade

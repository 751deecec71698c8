#include "tensor/cuda_on_cpu/runtime.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>

extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void*, size_t);
}

namespace {

// From the first byte of each block to its size.
std::map<uintptr_t, size_t>& blocks() {
  static auto* map = new std::map<uintptr_t, size_t>;
  return *map;
}

}  // namespace

namespace clade::cuda_on_cpu {

bool is_device_memory(const void* address) {
  const uintptr_t a = uintptr_t(address);
  auto next = blocks().upper_bound(a);
  if (next == blocks().begin()) return false;
  --next;
  return a - next->first < next->second;
}

}  // namespace clade::cuda_on_cpu

const char* cudaGetErrorString(cudaError_t status) {
  return status == cudaSuccess ? "no error" : "out of memory";
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
  *free = size_t(sysconf(_SC_AVPHYS_PAGES)) * page;
  *total = size_t(sysconf(_SC_PHYS_PAGES)) * page;
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** data, size_t bytes, cudaStream_t) {
  const size_t room = (bytes + 255) / 256 * 256;
  *data = room < bytes ? nullptr : std::aligned_alloc(256, room);
  if (!*data) return cudaErrorMemoryAllocation;
  std::memset(*data, 0xFF, room);
  if (__asan_poison_memory_region)
    __asan_poison_memory_region(static_cast<char*>(*data) + bytes, room - bytes);
  blocks()[uintptr_t(*data)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* data, cudaStream_t) {
  blocks().erase(uintptr_t(data));
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t) {
  if (bytes) std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* data, int byte, size_t bytes, cudaStream_t) {
  if (bytes) std::memset(data, byte, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

#include "tensor/device_memory.h"

#include "tensor/cuda.cuh"

namespace clade {
namespace {

// Once: is there a device at all? On it, the pool keeps all that was freed.
void require_device() {
  static const bool there = [] {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0)
      fail("cuda", "a CUDA device and a driver that knows this toolkit",
           status == cudaSuccess ? "no device" : cudaGetErrorString(status),
           "use --device cpu, or see what nvidia-smi says");
#if defined(__CUDACC__)
    cudaMemPool_t pool;
    check_cuda("cuda", cudaDeviceGetDefaultMemPool(&pool, 0));
    uint64_t everything = ~uint64_t{0};
    check_cuda("cuda", cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &everything));
#endif
    return true;
  }();
  (void)there;
}

}  // namespace

void* device_allocate(size_t bytes, CUstream_st* stream) {
  if (bytes == 0) return nullptr;
  require_device();
  void* data = nullptr;
  const cudaError_t status = cudaMallocAsync(&data, bytes, stream);
  if (status == cudaErrorMemoryAllocation) {
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    fail("device_allocate", text(bytes, " bytes of device memory"),
         text(free, " bytes free of ", total), "use a smaller batch or data set");
  }
  check_cuda("device_allocate", status);
  return data;
}

void device_deallocate(void* data, CUstream_st* stream) noexcept {
  if (data) cudaFreeAsync(data, stream);
}

void copy_to_device(void* to, const void* from, size_t bytes, CUstream_st* stream) {
  check_cuda("copy_to_device", cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream));
}

void copy_to_host(void* to, const void* from, size_t bytes, CUstream_st* stream) {
  check_cuda("copy_to_host", cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream));
  synchronize(stream);
}

void fill_device_bytes(void* data, int byte, size_t bytes, CUstream_st* stream) {
  check_cuda("fill_device_bytes", cudaMemsetAsync(data, byte, bytes, stream));
}

void synchronize(CUstream_st* stream) { check_cuda("synchronize", cudaStreamSynchronize(stream)); }

}  // namespace clade

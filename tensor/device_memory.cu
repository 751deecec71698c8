#include "tensor/device_memory.h"

#include "tensor/capture.h"
#include "tensor/cuda.cuh"
#include "tensor/device.h"

namespace clade {
namespace {

#if defined(__CUDACC__)
constexpr Device kDevice = Device::cuda();
#else
constexpr Device kDevice = Device::cuda_on_cpu();
#endif

// Once: is there a device at all? On it, the pool keeps all that was freed.
void require_gpu() {
#if defined(__CUDACC__)
  static const bool there = [] {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorInsufficientDriver) {
      int driver = 0, runtime = 0;
      cudaDriverGetVersion(&driver);
      cudaRuntimeGetVersion(&runtime);
      auto version = [](int v) { return text(v / 1000, ".", v % 1000 / 10); };
      if (driver != 0)
        fail("cuda", text("a driver for CUDA ", version(runtime), " or later"),
             text("one for ", version(driver)),
             text("update the driver, build with CUDA ", version(driver), ", or use --device cpu"));
    }
    if (status != cudaSuccess || count == 0)
      fail("cuda", "a GPU with its driver",
           status == cudaSuccess ? "none" : cudaGetErrorString(status),
           "use --device cpu, or see what nvidia-smi says");
    cudaMemPool_t pool;
    check_cuda("cuda", cudaDeviceGetDefaultMemPool(&pool, 0));
    uint64_t everything = ~uint64_t{0};
    check_cuda("cuda", cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &everything));
    return true;
  }();
  (void)there;
#endif
}

thread_local CUstream_st* the_stream = nullptr;

// What needs the CPU's memory or waits cannot be part of a graph.
void refuse_while_recording(const char* what, const char* cure) {
  if (Capture::current()) fail("Capture::record", text("no ", what, " in the work"), "one", cure);
}

}  // namespace

Device device_of_kernels() { return kDevice; }

void require_device(Device device) {
  if (device.is_cpu()) return;
  if (device.kind != kDevice.kind)
    fail("device", text("cpu or ", kDevice.kind == Device::Kind::cuda ? "cuda" : "cuda-on-cpu"),
         text(device),
         kDevice.kind == Device::Kind::cuda
             ? "this build has GPUs; configure one with -DCLADE_CUDA=OFF"
             : "this build has no GPUs; configure one with -DCLADE_CUDA=ON where nvcc is");
  if (device.index != 0)
    fail("device", "cuda:0, the only GPU that a run uses", text(device),
         text("set CUDA_VISIBLE_DEVICES=", int(device.index), " and use cuda"));
  require_gpu();
}

CUstream_st* current_stream() { return the_stream; }
void set_current_stream(CUstream_st* stream) { the_stream = stream; }

void* device_allocate(size_t bytes, CUstream_st* stream) {
  if (bytes == 0) return nullptr;
  require_gpu();
  void* data = nullptr;
  const cudaError_t status = cudaMallocAsync(&data, bytes, stream);
  if (status == cudaErrorMemoryAllocation) {
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    cudaGetLastError();  // or the next launch would report it
    fail("device_allocate", text(bytes, " bytes of device memory"),
         text(free, " bytes free of ", total), "use a smaller batch or data set");
  }
  check_cuda("device_allocate", status);
  if (Capture* capture = Capture::current()) capture->allocated(data);
  return data;
}

void device_deallocate(void* data, CUstream_st* stream) noexcept {
  if (!data) return;
  if (Capture* capture = Capture::current()) capture->freed(data);
  cudaFreeAsync(data, stream);
}

void copy_to_device(void* to, const void* from, size_t bytes, CUstream_st* stream) {
  refuse_while_recording("copy to the GPU", "make the tensor before");
  check_cuda("copy_to_device", cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream));
}

void copy_to_host(void* to, const void* from, size_t bytes, CUstream_st* stream) {
  refuse_while_recording("value to be read", "copy it into a tensor made before, and read that");
  check_cuda("copy_to_host", cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream));
  synchronize(stream);
}

void fill_device_bytes(void* data, int byte, size_t bytes, CUstream_st* stream) {
  check_cuda("fill_device_bytes", cudaMemsetAsync(data, byte, bytes, stream));
}

void synchronize(CUstream_st* stream) {
  const cudaError_t status = cudaStreamSynchronize(stream);
  if (status == cudaSuccess) return;
  const LastLaunch& last = last_launch;
  check_cuda("synchronize", status,
             last.kernel ? text("after ", last.kernel(), ", ", words(last.grid)) : std::string());
}

}  // namespace clade

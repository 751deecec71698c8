#include "tests/cuda/shared_memory.h"

#include "tensor/cuda.cuh"

extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void*, size_t);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void*, size_t);
}

namespace clade::testing {

#if defined(__CUDACC__)

void* shared_allocate(size_t bytes) {
  void* data = nullptr;
  check_cuda("shared_allocate", cudaMallocHost(&data, bytes));
  return data;
}
void shared_deallocate(void* data) { cudaFreeHost(data); }
void begin_run(int) {}
void end_run(int) {}

#else

void* shared_allocate(size_t bytes) {
  void* data = nullptr;
  check_cuda("shared_allocate", cudaMallocAsync(&data, bytes, nullptr));
  return data;
}
void shared_deallocate(void* data) { cudaFreeAsync(data, nullptr); }

// The first run goes in the order that the environment asks for.
void begin_run(int run) {
  cuda_on_cpu::set_thread_order(cuda_on_cpu::thread_order() + unsigned(run));
}
void end_run(int run) {
  cuda_on_cpu::set_thread_order(cuda_on_cpu::thread_order() - unsigned(run));
}

#endif

void forbid_bytes(void* data, size_t bytes) {
  if (__asan_poison_memory_region) __asan_poison_memory_region(data, bytes);
}
void allow_bytes(void* data, size_t bytes) {
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(data, bytes);
}

}  // namespace clade::testing

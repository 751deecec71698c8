// CUDA C++ by nvcc, or on the CPU (cuda_on_cpu/): what every .cu file includes. And what both
// share: one launch syntax with checked errors, dynamic shared memory, cp.async and mma.sync.
//
//     launch<add_kernel<float>>(stream, {blocks, 256}, n, x, y);
//
// is add_kernel<float><<<blocks, 256, 0, stream>>>(n, x, y), which no other compiler can read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tensor/error.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "tensor/cuda_on_cpu/cuda_on_cpu.h"
#include "tensor/cuda_on_cpu/runtime.h"
#include "tensor/cuda_on_cpu/tensor_core.h"
#endif

namespace clade {

struct Grid {
  dim3 blocks, threads;
  size_t shared_bytes = 0;  // dynamic
};

// Throws Error with CUDA's own words when `status` is one.
inline void check_cuda(const char* op, cudaError_t status, const std::string& got = {}) {
  if (status == cudaSuccess) return;
  fail(op, "success", text(got.empty() ? "" : got + ": ", cudaGetErrorString(status)));
}

inline std::string words(const Grid& g) {
  return text("blocks (", g.blocks.x, ", ", g.blocks.y, ", ", g.blocks.z, "), threads (",
              g.threads.x, ", ", g.threads.y, ", ", g.threads.z, "), ", g.shared_bytes,
              " bytes of shared memory");
}

// What this thread launched last: the one to look at when a stream reports a fault.
struct LastLaunch {
  std::string (*kernel)() = nullptr;
  Grid grid;
};
inline thread_local LastLaunch last_launch;

namespace detail {

template <auto Kernel>
std::string kernel_name() {
  std::string_view name = __PRETTY_FUNCTION__;  // "... Kernel = add_kernel<float>; ..."
  name.remove_prefix(name.find("Kernel = ") + 9);
  return std::string(name.substr(0, name.find_first_of(";]")));
}

template <class F>
struct Signature;
template <class... P>
struct Signature<void (*)(P...)> {
#if defined(__CUDACC__)
  template <auto Kernel>
  static void launch(cudaStream_t stream, const Grid& g, P... p) {
    if (g.shared_bytes > 48 * 1024)  // more than that must be asked for
      cudaFuncSetAttribute(reinterpret_cast<const void*>(Kernel),
                           cudaFuncAttributeMaxDynamicSharedMemorySize, int(g.shared_bytes));
    Kernel<<<g.blocks, g.threads, g.shared_bytes, stream>>>(p...);
    const cudaError_t status = cudaGetLastError();
    if (status != cudaSuccess) check_cuda(kernel_name<Kernel>().c_str(), status, words(g));
    last_launch = {kernel_name<Kernel>, g};
  }
#else
  template <auto Kernel>
  static void launch(cudaStream_t stream, const Grid& g, P... p) {
    cuda_on_cpu::tell(stream, [=] {
      auto call = [&] { Kernel(p...); };
      cuda_on_cpu::run_grid(
          kernel_name<Kernel>().c_str(), g.blocks, g.threads, g.shared_bytes,
          [](void* body) { (*static_cast<decltype(call)*>(body))(); }, &call);
    });
  }
#endif
};

}  // namespace detail

// Runs Kernel(a...) for the grid, in the stream's order. A grid without blocks does nothing. Throws
// Error when the launch fails; what goes wrong in the kernel on a GPU is seen when it is waited
// for.
template <auto Kernel, class... A>
void launch(cudaStream_t stream, const Grid& g, const A&... a) {
  if (g.blocks.x && g.blocks.y && g.blocks.z)
    detail::Signature<decltype(Kernel)>::template launch<Kernel>(stream, g, a...);
}

// The dynamic shared memory of the block, 16-byte aligned.
template <class T>
__device__ T* dynamic_shared() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char clade_dynamic_shared[];
  return reinterpret_cast<T*>(clade_dynamic_shared);
#else
  return static_cast<T*>(cuda_on_cpu::dynamic_shared_memory());
#endif
}

// -- cp.async (sm_80): copies from global to shared memory that do not pass through registers
// ------

#if defined(__CUDACC__)

// Bytes (4 or 16); the first `valid` of them are read, the rest become 0.
template <int Bytes>
__device__ void cp_async(void* shared, const void* global, int valid) {
#if defined(__CUDA_ARCH__)
  const unsigned to = unsigned(__cvta_generic_to_shared(shared));
  if constexpr (Bytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global),
                 "r"(valid));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global), "n"(Bytes),
                 "r"(valid));
  }
#endif
}
__device__ inline void cp_async_commit() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Until at most N of the latest groups are on the way. Other threads' copies: after a barrier.
template <int N>
__device__ void cp_async_wait() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}

// -- mma.sync (sm_80): D (16, 8) = A (16, 8) B (8, 8) + C for a warp; see tensor_core.h for lanes
// ---

// x rounded to the 10 bits of tf32, to nearest, half away from zero.
__device__ inline uint32_t to_tf32(float x) {
  uint32_t bits = 0;
#if defined(__CUDA_ARCH__)
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#endif
  return bits;
}
__device__ inline void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

#else

template <int Bytes>
void cp_async(void* shared, const void* global, int valid, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) {
  cuda_on_cpu::async_copy(shared, global, Bytes, valid, {file, line});
}
inline void cp_async_commit() { cuda_on_cpu::async_commit(); }
template <int N>
void cp_async_wait() {
  cuda_on_cpu::async_wait(N);
}
inline uint32_t to_tf32(float x) { return (std::bit_cast<uint32_t>(x) + 0x1000u) & ~0x1fffu; }
inline void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                     const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  cuda_on_cpu::mma_m16n8k8_tf32(d, a, b, d, {file, line});
}

#endif

}  // namespace clade

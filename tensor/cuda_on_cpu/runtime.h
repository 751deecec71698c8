// The part of the CUDA runtime that Clade calls, on the CPU: device memory is memory of the host
// that only copies and kernels may touch, a stream does what it is told at once.
#pragma once

#include <cstddef>

struct CUstream_st;
using cudaStream_t = CUstream_st*;

enum cudaError_t { cudaSuccess = 0, cudaErrorMemoryAllocation = 2 };
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice
};

const char* cudaGetErrorString(cudaError_t status);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
// 256-byte aligned; begins as NaN. Under AddressSanitizer every byte beside it is out of bounds.
cudaError_t cudaMallocAsync(void** data, size_t bytes, cudaStream_t stream);
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* data, int byte, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
inline cudaError_t cudaGetLastError() { return cudaSuccess; }

// Graphs: while a stream is captured, what it is told is written down instead of done. Memory that
// is allocated then stays the graph's, and is NaN again whenever the graph runs.
struct CUgraph_st;
using cudaGraph_t = CUgraph_st*;
using cudaGraphExec_t = CUgraph_st*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
constexpr unsigned cudaStreamNonBlocking = 1;
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);

namespace clade::cuda_on_cpu {

bool is_device_memory(const void* address);

// What a stream is told to do.
struct Act {
  virtual ~Act() = default;
  virtual void run() = 0;
};
template <class F>
struct ActOf final : Act {
  F f;
  explicit ActOf(const F& function) : f(function) {}
  void run() override { f(); }
};
bool is_captured(cudaStream_t stream);
void write_down(cudaStream_t stream, Act* act);  // which the graph then owns

// Calls f now, or writes it down where the stream is being captured.
template <class F>
void tell(cudaStream_t stream, const F& f) {
  is_captured(stream) ? write_down(stream, new ActOf<F>(f)) : void(f());
}

}  // namespace clade::cuda_on_cpu

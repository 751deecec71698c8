#include "tensor/cuda_on_cpu/runtime.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void*, size_t);
}

struct CUgraph_st {
  std::vector<clade::cuda_on_cpu::Act*> acts;
  std::map<void*, bool> blocks;  // allocated in it; whether freed in it, too
  int holders = 1;
};
struct CUstream_st {
  CUgraph_st* graph = nullptr;  // while it is captured
};

namespace {

CUgraph_st* graph_of(cudaStream_t stream) { return stream ? stream->graph : nullptr; }

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

bool is_captured(cudaStream_t stream) { return graph_of(stream) != nullptr; }
void write_down(cudaStream_t stream, Act* act) { graph_of(stream)->acts.push_back(act); }

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

cudaError_t cudaMallocAsync(void** data, size_t bytes, cudaStream_t stream) {
  const size_t room = (bytes + 255) / 256 * 256;
  size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  // More than there is: asked for it, the sanitizers' allocator ends the program.
  *data = room < bytes || room > total ? nullptr : std::aligned_alloc(256, room);
  if (!*data) return cudaErrorMemoryAllocation;
  std::memset(*data, 0xFF, room);
  if (__asan_poison_memory_region)
    __asan_poison_memory_region(static_cast<char*>(*data) + bytes, room - bytes);
  blocks()[uintptr_t(*data)] = bytes;
  if (CUgraph_st* graph = graph_of(stream)) {
    graph->blocks[*data] = false;
    clade::cuda_on_cpu::tell(stream, [block = *data, bytes] { std::memset(block, 0xFF, bytes); });
  }
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
  CUgraph_st* graph = graph_of(stream);
  if (graph && graph->blocks.count(data)) {  // it is needed in the next run
    graph->blocks[data] = true;
    return cudaSuccess;
  }
  blocks().erase(uintptr_t(data));
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  clade::cuda_on_cpu::tell(stream, [=] {
    if (bytes) std::memcpy(to, from, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* data, int byte, size_t bytes, cudaStream_t stream) {
  clade::cuda_on_cpu::tell(stream, [=] {
    if (bytes) std::memset(data, byte, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->graph = new CUgraph_st;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->graph;
  stream->graph = nullptr;
  return cudaSuccess;
}

// The graph and what is made of it are one here, which whoever has one of the two still holds.
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  graph->holders++;
  *exec = graph;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
  for (clade::cuda_on_cpu::Act* act : exec->acts) act->run();
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (--graph->holders > 0) return cudaSuccess;
  for (const auto& [block, freed] : graph->blocks)  // others are still somebody's
    if (freed) cudaFreeAsync(block, nullptr);
  for (clade::cuda_on_cpu::Act* act : graph->acts) delete act;
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return cudaGraphDestroy(exec); }

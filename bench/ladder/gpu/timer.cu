#include "bench/ladder/gpu/timer.h"

#include "tensor/cuda.cuh"

namespace clade::ladder {

GpuTimer::GpuTimer() {
  cudaEvent_t begin = nullptr, end = nullptr;
  check_cuda("GpuTimer", cudaEventCreate(&begin));
  check_cuda("GpuTimer", cudaEventCreate(&end));
  begin_ = begin, end_ = end;
}
GpuTimer::~GpuTimer() {
  cudaEventDestroy(static_cast<cudaEvent_t>(begin_));
  cudaEventDestroy(static_cast<cudaEvent_t>(end_));
}
void GpuTimer::start() {
  check_cuda("GpuTimer", cudaEventRecord(static_cast<cudaEvent_t>(begin_), nullptr));
}
double GpuTimer::stop() {
  check_cuda("GpuTimer", cudaEventRecord(static_cast<cudaEvent_t>(end_), nullptr));
  check_cuda("GpuTimer", cudaEventSynchronize(static_cast<cudaEvent_t>(end_)));
  float milliseconds = 0;
  check_cuda("GpuTimer", cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(begin_),
                                              static_cast<cudaEvent_t>(end_)));
  return double(milliseconds) * 1e-3;
}

}  // namespace clade::ladder

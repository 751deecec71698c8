// Where a kernel runs. The type of the context chooses the implementation by overloading:
// conv2d_forward(const Cpu&, ...) or conv2d_forward(const Cuda&, ...). A kernel that a device lacks
// does not compile for it, so there are no stubs.
//
// Kernels know View and a context; they know nothing of Tensor or gradients. They require what
// their contract says and do not check it again: the checks with messages stand one floor up, in
// ops.
#pragma once

struct CUstream_st;  // what cudaStream_t points to

namespace clade::kernels {

// CPU: threads come from tensor/parallel.h, scratch memory from tensor/memory.h.
struct Cpu {};

// CUDA: the current device. Kernels run in the order of the stream and are not waited for; scratch
// memory comes from tensor/device_memory.h. Views point to device memory.
struct Cuda {
  CUstream_st* stream = nullptr;  // null: the default stream
  // Convolutions in f32 multiply on tensor cores: with factors split in two, which keeps f32's
  // accuracy; or, with true, rounded to tf32's 10 bits, at about three times the speed.
  bool tf32 = false;
};

}  // namespace clade::kernels

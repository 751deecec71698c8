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
  // How f32 products of convolutions and matrices are computed.
  enum class Products {
    exact,      // convolution: tensor cores, factors split in two, which keeps f32's accuracy
    tf32,       // tensor cores, factors rounded to tf32's 10 bits: about three times as fast
    one_by_one  // convolution: no tensor cores
  };
  Products products = Products::exact;
};

}  // namespace clade::kernels

// Where a kernel runs. The type of the context chooses the implementation by overloading:
// conv2d_forward(const Cpu&, ...) or conv2d_forward(const Cuda&, ...). A kernel that a device lacks
// does not compile for it, so there are no stubs.
//
// Kernels know View and a context; they know nothing of Tensor or gradients. They require what
// their contract says and do not check it again: the checks with messages stand one floor up, in
// ops.
#pragma once

namespace clade::kernels {

// CPU: threads come from tensor/parallel.h, scratch memory from tensor/memory.h.
struct Cpu {};

}  // namespace clade::kernels

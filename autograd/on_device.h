// on_device: from a tensor's device to the kernels for it.
//
//     on_device(y, [&](auto context) { kernels::unary(context, f, x.view(), y.view()); });
//
// The one place where a device becomes a type: kernels are overloaded on their context.
#pragma once

#include "kernels/context.h"
#include "tensor/device_memory.h"
#include "tensor/tensor.h"

namespace clade {

// body(context) with the kernel context of the tensor's device.
template <class Body>
decltype(auto) on_device(const Tensor& t, Body&& body) {
  return t.device().is_cpu() ? body(kernels::Cpu{})
                             : body(kernels::Cuda{.stream = current_stream()});
}

// The same for an op that has kernels for the CPU alone; a tensor on another device is an Error.
template <class Body>
decltype(auto) on_cpu(const char* op, const Tensor& t, Body&& body) {
  if (!t.device().is_cpu())
    fail(op, "tensors on the cpu: it has no CUDA kernel", text(t),
         "move them with .to(Device::cpu())");
  return body(kernels::Cpu{});
}

}  // namespace clade

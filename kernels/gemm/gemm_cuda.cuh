// The matrix products for GPUs: gemm.cu takes cuBLAS's; gemm_tiled.cu is one to read, for any
// strides, which stands in for cuBLAS where the CPU plays the GPU.
#pragma once

#include "kernels/elementwise/functions.h"
#include "kernels/gemm/gemm.h"
#include "tensor/host_device.h"

namespace clade::kernels {

void gemm_tiled(const Cuda& ctx, const View& a, const View& b, const View& c, double alpha,
                double beta, const Finish& finish);

// Finish for one element, on the device.
template <class T>
struct FinishElement {
  const T* bias;  // null: none
  int64_t step;   // from the bias of one column to the next
  T slope;

  explicit FinishElement(const Finish& f)
      : bias(f.bias ? f.bias->as<const T>() : nullptr),
        step(f.bias ? f.bias->stride[0] : 0),
        slope(T(f.slope)) {}
  bool is_needed() const { return bias || slope != 1; }
  CLADE_HD T operator()(T v, int64_t column) const {
    if (bias) v += bias[column * step];
    return activated(v, slope);
  }
};

}  // namespace clade::kernels

// Chooses the kernels of the direct convolution by the instruction set (tensor/vectors.h).
#include "kernels/conv/conv_direct.h"
#include "tensor/vectors.h"

namespace clade::kernels::direct {

const Kernels& kernels() {
  const Vectors set = vectors();
  if (set == Vectors::avx512 && avx512_kernels) return *avx512_kernels;
  if (set >= Vectors::avx2 && avx2_kernels) return *avx2_kernels;
  return *baseline_kernels;
}

}  // namespace clade::kernels::direct

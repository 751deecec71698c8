// gemm: C[M, N] = alpha A[M, K] B[K, N] + beta C, the matrix product under Linear and convolution;
// with a Finish, C = act(alpha A B + beta C + bias) in the same pass over C.
//
// Required: rank 2, one floating dtype, sizes that fit, C not overlapping A or B; C has one unit
// stride. Any strides for A and B: a transpose is a View with its strides exchanged. beta = 0
// never reads C (so NaN there does not spread). K = 0 gives beta C.
// Cost: 2 M N K FLOPs; (M K + K N + M N) elements moved at least.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// What is done to C once its sums are complete: a bias for each column (N floats side by side, or
// none), then act(v) = v > 0 ? v : slope v: 0 is ReLU (0 for minus infinity, too), 1 nothing.
struct Finish {
  const View* bias = nullptr;
  double slope = 1;
};

void gemm(const Cpu&, const View& a, const View& b, const View& c, double alpha = 1,
          double beta = 0, const Finish& finish = {});

// The same on a GPU. K = 0 and sizes of 0 too.
void gemm(const Cuda&, const View& a, const View& b, const View& c, double alpha = 1,
          double beta = 0, const Finish& finish = {});

// One product on the calling thread, for kernels that hold their own parallel loop: row-major A (or
// its transpose when trans_a), leading dimensions in elements.
template <class T>
void gemm_serial(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
                 int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc);

// The lower triangle of C (d, d) = X'X, for row-major x (n, d); what is above is not defined. Half
// the FLOPs of the product. Same bits at any number of threads.
void gram(const float* x, int64_t n, int64_t d, float* c);

namespace reference {
void gemm(const View& a, const View& b, const View& c, double alpha = 1, double beta = 0,
          const Finish& finish = {});
}

}  // namespace clade::kernels

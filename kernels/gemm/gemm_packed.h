// gemm_packed: large f32 products by a kernel of our own (gemm.md).
//
//     for every block of rows, for every block of K:
//       A packed, in panels of as many rows as a tile has           kept in the second-level cache
//       for every strip of columns, in parallel:
//         B packed, a panel of two vectors                          kept in the first-level cache
//         for every panel of A: a tile of C, one call of a kernel
//
// Every element of C is the sum of the same terms in the same order however C is cut: K in order
// within a block of K, then the blocks in order. Blocks of K depend on K alone; so the bits depend
// neither on the number of threads nor on the other rows and columns.
#pragma once

#include <cstdint>

namespace clade::kernels::packed {

// A matrix of any strides: element (i, j) at data[i * row + j * column].
struct Matrix {
  const float* data;
  int64_t row, column;
};

// Whether a product is large enough to pay for packing, and its operands lie so that packing is
// quick: one of the two strides of each is 1.
bool pays(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k);

// C (m, n) = act(alpha A (m, k) B (k, n) + beta C + bias); C row-major, ldc floats from row to row.
// With beta 0 C is not read. bias: n floats or null; act(v) = v > 0 ? v : slope v. Only where
// pays().
void gemm(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, float alpha,
          float beta, const float* bias, float slope, float* c, int64_t ldc);

// The lower triangle of C (d, d) = X'X, and some of what lies above; x (n, d) row-major, n >= 1.
void lower_gram(const float* x, int64_t n, int64_t d, float* c);

}  // namespace clade::kernels::packed

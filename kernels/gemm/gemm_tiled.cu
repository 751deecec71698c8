// The matrix product with plain multiply-adds: where to begin reading.
//
// A block of 256 threads computes a tile of 64 x 64 of C, eight steps of k at a time: its threads
// copy an 8 x 64 slice of A and of B into shared memory, meet, and each adds to its own 4 x 4
// numbers, which stay in registers. Each number in shared memory serves 16 threads, so that global
// memory is read 64 times less often than by a thread an element.
//
// A warp copies 32 neighbours along the axis of A (or B) that is dense in memory, whichever it is:
// the slice is filled with either its rows or its columns running fastest. Rows of a slice are four
// numbers longer than the tile, so that a warp that fills columns spreads over the banks.
#include "kernels/cuda/grid.cuh"
#include "kernels/gemm/gemm_cuda.cuh"

namespace clade::kernels {
namespace {

using cuda::ceil_div;

constexpr int kTile = 64, kStep = 8, kThreads = 256;

// A (rows, k) matrix of any strides, of which a block reads kTile rows.
template <class T>
struct Operand {
  const T* data;
  int64_t rows, depth, row_step, depth_step;
  bool rows_are_neighbours;

  Operand(const View& v, int row_axis)
      : data(v.as<const T>()),
        rows(v.shape[row_axis]),
        depth(v.shape[1 - row_axis]),
        row_step(v.stride[row_axis]),
        depth_step(v.stride[1 - row_axis]),
        rows_are_neighbours(row_step < depth_step) {}

  // slice[k][row] for k0 .. k0 + 7 and rows first .. first + 63; zeros beyond the edges.
  __device__ void load(int64_t first, int64_t k0, T (*slice)[kTile + 4]) const {
    for (int i = int(threadIdx.x); i < kTile * kStep; i += kThreads) {
      const int row = rows_are_neighbours ? i % kTile : i / kStep;
      const int k = rows_are_neighbours ? i / kTile : i % kStep;
      const bool inside = first + row < rows && k0 + k < depth;
      slice[k][row] = inside ? data[(first + row) * row_step + (k0 + k) * depth_step] : T(0);
    }
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    gemm_kernel(Operand<T> a, Operand<T> b, T alpha, T beta, FinishElement<T> finish, T* c,
                int64_t c_row, int64_t c_column) {
  __shared__ T a_slice[kStep][kTile + 4], b_slice[kStep][kTile + 4];
  const int64_t m0 = int64_t(blockIdx.x) * kTile, n0 = int64_t(blockIdx.y) * kTile;
  const int row = int(threadIdx.x) / 16 * 4, column = int(threadIdx.x) % 16 * 4;
  T sum[4][4] = {};
  for (int64_t k0 = 0; k0 < a.depth; k0 += kStep) {
    a.load(m0, k0, a_slice);
    b.load(n0, k0, b_slice);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kStep; k++)
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++)
          sum[i][j] = fma(a_slice[k][row + i], b_slice[k][column + j], sum[i][j]);
    __syncthreads();
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      const int64_t m = m0 + row + i, n = n0 + column + j;
      if (m >= a.rows || n >= b.rows) continue;
      T& out = c[m * c_row + n * c_column];
      out = finish(alpha * sum[i][j] + (beta == 0 ? T(0) : beta * out), n);
    }
}

}  // namespace

void gemm_tiled(const Cuda& ctx, const View& a, const View& b, const View& c, double alpha,
                double beta, const Finish& finish) {
  dispatch_floating(c.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Grid grid{{unsigned(ceil_div(c.shape[0], kTile)), unsigned(ceil_div(c.shape[1], kTile))},
                    {unsigned(kThreads)}};
    launch<gemm_kernel<T>>(ctx.stream, grid, Operand<T>(a, 0), Operand<T>(b, 1), T(alpha), T(beta),
                           FinishElement<T>(finish), c.as<T>(), c.stride[0], c.stride[1]);
  });
}

}  // namespace clade::kernels

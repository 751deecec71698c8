// A tile of 64 x 64 squared distances by a block of 256 threads, in registers.
//
// As a tiled matrix product, with (a - b)^2 in the place of a b: eight features at a time are
// copied into shared memory, and each thread adds to its own 4 x 4 distances. Differences cost one
// instruction more than ||x||^2 - 2 x.c + ||c||^2, and nothing cancels: for the few dimensions of a
// latent space, and for exact neighbours, that is the better trade.
#pragma once

#include "kernels/cuda/grid.cuh"

namespace clade::kernels::distance {

constexpr int kTile = 64, kStep = 8, kTileThreads = 256;

template <class T>
struct TileSlices {
  T x[kStep][kTile + 4], c[kStep][kTile + 4];
};

// Row-major (rows, d).
template <class T>
struct Rows {
  const T* data;
  int64_t rows, d;
};

template <class T>
__device__ void load_slice(const Rows<T>& from, int64_t first, int64_t j0, T (*slice)[kTile + 4]) {
  for (int i = int(threadIdx.x); i < kTile * kStep; i += kTileThreads) {
    const int row = i / kStep, j = i % kStep;
    const bool inside = first + row < from.rows && j0 + j < from.d;
    slice[j][row] = inside ? from.data[(first + row) * from.d + j0 + j] : T(0);
  }
}

// This thread's distances of rows x0 + tile_row() + i and c0 + tile_column() + j.
__device__ inline int tile_row() { return int(threadIdx.x) / 16 * 4; }
__device__ inline int tile_column() { return int(threadIdx.x) % 16 * 4; }

template <class T>
__device__ void distance_tile(const Rows<T>& x, int64_t x0, const Rows<T>& c, int64_t c0,
                              TileSlices<T>& slices, T (&sum)[4][4]) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) sum[i][j] = T(0);
  for (int64_t j0 = 0; j0 < x.d; j0 += kStep) {
    load_slice(x, x0, j0, slices.x);
    load_slice(c, c0, j0, slices.c);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kStep; k++)
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const T difference = slices.x[k][tile_row() + i] - slices.c[k][tile_column() + j];
          sum[i][j] = fma(difference, difference, sum[i][j]);
        }
    __syncthreads();
  }
}

}  // namespace clade::kernels::distance

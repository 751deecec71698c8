// Distances on the GPU: all of them, and sums by label (k-means' update).
#include "kernels/distance/distance.h"

#include "kernels/distance/distance_tile.cuh"
#include "tensor/device_memory.h"

namespace clade::kernels {
namespace {

using namespace cuda;
using namespace distance;

template <class T>
__global__ void __launch_bounds__(kTileThreads) all_distances(Rows<T> x, Rows<T> c, T* out) {
  __shared__ TileSlices<T> slices;
  const int64_t x0 = int64_t(blockIdx.x) * kTile, c0 = int64_t(blockIdx.y) * kTile;
  T sum[4][4];
  distance_tile(x, x0, c, c0, slices, sum);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      const int64_t row = x0 + tile_row() + i, column = c0 + tile_column() + j;
      if (row < x.rows && column < c.rows) out[row * c.rows + column] = sum[i][j];
    }
}

// partial[chunk][label][d + 1]: sums over a chunk of rows, and in the last place their number.
// A block has one label and strides over its chunk: it reads all labels, but only its own rows, so
// x is read once by all blocks together. Its threads lie along the features.
template <class T>
__global__ void sum_chunks(const T* x, const int64_t* label, int64_t n, int64_t d, int64_t chunk,
                           double* partial) {
  const int64_t mine = blockIdx.x, labels = gridDim.x;
  const int64_t begin = int64_t(blockIdx.y) * chunk, end = min(begin + chunk, n);
  double* out = partial + (int64_t(blockIdx.y) * labels + mine) * (d + 1);
  for (int64_t j = threadIdx.x; j <= d; j += blockDim.x) {
    double sum = 0;
    for (int64_t i = begin; i < end; i++)
      if (label[i] == mine) sum += j < d ? double(x[i * d + j]) : 1.0;
    out[j] = sum;
  }
}

template <class T>
__global__ void join_chunks(const double* partial, int64_t chunks, int64_t labels, int64_t d,
                            T* sums, int64_t* count) {
  const int64_t i = thread_index();
  if (i >= labels * (d + 1)) return;
  double sum = 0;
  for (int64_t c = 0; c < chunks; c++) sum += partial[c * labels * (d + 1) + i];
  const int64_t l = i / (d + 1), j = i % (d + 1);
  if (j < d) {
    sums[l * d + j] = T(sum);
  } else {
    count[l] = int64_t(sum);
  }
}

}  // namespace

void squared_distances(const Cuda& ctx, const View& x, const View& c, const View& out) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Grid grid{{unsigned(ceil_div(x.shape[0], kTile)), unsigned(ceil_div(c.shape[0], kTile))},
                    {unsigned(kTileThreads)}};
    launch<all_distances<T>>(ctx.stream, grid, Rows<T>{x.as<T>(), x.shape[0], x.shape[1]},
                             Rows<T>{c.as<T>(), c.shape[0], c.shape[1]}, out.as<T>());
  });
}

void sums_by_label(const Cuda& ctx, const View& x, const View& label, const View& sums,
                   const View& count) {
  const int64_t n = x.shape[0], d = x.shape[1], labels = sums.shape[0];
  if (labels == 0) return;
  // Chunks enough to fill the machine a few times over, of 64 rows at least.
  const int64_t wanted = std::min<int64_t>(ceil_div(8 * 132, labels), 65535);
  const int64_t chunk = std::max<int64_t>(64, ceil_div(n, wanted));
  const int64_t chunks = std::max<int64_t>(1, ceil_div(n, chunk));
  DeviceScratch<double> partial(chunks * labels * (d + 1), ctx.stream);
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<sum_chunks<T>>(ctx.stream, {{unsigned(labels), unsigned(chunks)}, {unsigned(kThreads)}},
                          x.as<const T>(), label.as<const int64_t>(), n, d, chunk, partial.data());
    launch<join_chunks<T>>(ctx.stream, grid_of(labels * (d + 1)), partial.data(), chunks, labels, d,
                           sums.as<T>(), count.as<int64_t>());
  });
}

}  // namespace clade::kernels

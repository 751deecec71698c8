// Convolution on the GPU with plain multiply-adds, in f32 and f64: where to begin reading.
//
// A block of 256 threads computes a tile of 64 x 64 of the product (conv_gather.cuh), eight steps
// of k at a time: its threads copy an 8 x 64 slice of A and of B into shared memory, meet, and each
// adds to its own 4 x 4 numbers, which stay in registers. Each number in shared memory serves 16
// threads. Why it is not the fast one: the copy and the arithmetic take turns, and the multiply-add
// units have a seventh of the tensor cores' rate.
#include "kernels/conv/conv_cuda.cuh"
#include "kernels/cuda/grid.cuh"

namespace clade::kernels::conv {
namespace {

using namespace gather;

constexpr int kTile = 64, kStep = 8;  // of the product: rows and columns; of k

template <class T>
struct Slices {
  T a[kStep][kTile + 4], b[kStep][kTile];
};

// sum += a b for this thread's rows 4 (t / 16) .. + 3 and columns 4 (t % 16) .. + 3 of the tile.
template <class T>
__device__ void multiply(const Slices<T>& slices, T (&sum)[4][4]) {
  const int row = int(threadIdx.x) / 16 * 4, column = int(threadIdx.x) % 16 * 4;
#pragma unroll
  for (int k = 0; k < kStep; k++)
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int j = 0; j < 4; j++)
        sum[i][j] = fma(slices.a[k][row + i], slices.b[k][column + j], sum[i][j]);
}

template <class T>
__global__ void __launch_bounds__(256)
    gather_kernel(Gather g, const T* source, const T* packed, const T* bias, T* target) {
  __shared__ Slices<T> slices;
  const Part part(g, blockIdx.z);
  const int64_t m0 = int64_t(blockIdx.x) * kTile, n0 = int64_t(blockIdx.y) * kTile;
  if (m0 >= part.pixels) return;  // a phase with fewer pixels than the first
  const int t = int(threadIdx.x);
  // Of A, this thread copies column t % 8 of the slice for pixels t / 8 and 32 further.
  Depth depth(part, g.source_channels, t % kStep);
  const Window windows[2] = {
      Window(g, part, Pixel(part, min(m0 + t / kStep, part.pixels - 1))),
      Window(g, part, Pixel(part, min(m0 + t / kStep + 32, part.pixels - 1)))};
  T sum[4][4] = {};
  for (int64_t k0 = 0; k0 < part.depth; k0 += kStep) {
    for (int i = 0; i < 2; i++) {
      const int64_t at = k0 + t % kStep < part.depth ? windows[i].at(g, part, depth) : int64_t{-1};
      slices.a[t % kStep][t / kStep + 32 * i] = at < 0 ? T(0) : source[at];
      const int64_t k = k0 + t / kTile + 4 * i, n = n0 + t % kTile;
      slices.b[t / kTile + 4 * i][t % kTile] =
          k < part.depth && n < g.padded_channels
              ? packed[(part.first_row + k) * g.padded_channels + n]
              : T(0);
    }
    depth.advance(part, g.source_channels, kStep);
    __syncthreads();
    multiply(slices, sum);
    __syncthreads();
  }
  for (int i = 0; i < 4; i++) {
    const int64_t m = m0 + t / 16 * 4 + i;
    if (m >= part.pixels) return;
    const Pixel pixel(part, m);
    for (int j = 0; j < 4; j++) {
      const int64_t n = n0 + t % 16 * 4 + j;
      if (n >= g.target_channels) break;
      const T b = bias ? bias[part.group * g.target_channels + n] : T(0);
      target[target_at(g, part, pixel, n)] = activated(sum[i][j] + b, T(g.slope));
    }
  }
}

template <class T>
__global__ void __launch_bounds__(256)
    weight_kernel(ConvShape s, WeightCut cut, const T* x, const T* y, T* partial) {
  __shared__ Slices<T> slices;
  const int64_t group = int64_t(blockIdx.z) / cut.chunks, chunk = int64_t(blockIdx.z) % cut.chunks;
  const int64_t m0 = int64_t(blockIdx.x) * kTile, n0 = int64_t(blockIdx.y) * kTile;
  const int64_t begin = chunk * cut.chunk_pixels;
  const int64_t end = min(begin + cut.chunk_pixels, cut.pixels);
  const int t = int(threadIdx.x);
  const WeightRow row(s, cut, m0 + t % kTile);  // this thread's column of both slices
  const int64_t output = n0 + t % kTile;
  T sum[4][4] = {};
  for (int64_t k0 = begin; k0 < end; k0 += kStep) {
    for (int i = 0; i < 2; i++) {
      const int k = t / kTile + 4 * i;
      const int64_t pixel = k0 + k;
      const YPixel at(s, min(pixel, end - 1));
      const int64_t from = pixel < end ? row.at(s, group, at.n, at.i, at.j) : int64_t{-1};
      slices.a[k][t % kTile] = from < 0 ? T(0) : x[from];
      slices.b[k][t % kTile] = pixel < end && output < cut.outputs
                                   ? y[pixel * s.O + group * cut.outputs + output]
                                   : T(0);
    }
    __syncthreads();
    multiply(slices, sum);
    __syncthreads();
  }
  T* out = partial + int64_t(blockIdx.z) * cut.rows * cut.outputs;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      const int64_t m = m0 + t / 16 * 4 + i, n = n0 + t % 16 * 4 + j;
      if (m < cut.rows && n < cut.outputs) out[m * cut.outputs + n] = sum[i][j];
    }
}

unsigned tiles(int64_t n) { return unsigned(cuda::ceil_div(n, kTile)); }

}  // namespace

template <class T>
void gather_ffma(const Cuda& ctx, const Gather& g, const T* source, const T* packed, const T* bias,
                 T* target) {
  const unsigned parts = unsigned(g.phases[0] * g.phases[1] * g.groups);
  launch<gather_kernel<T>>(ctx.stream,
                           {{tiles(g.most_pixels()), tiles(g.target_channels), parts}, 256}, g,
                           source, packed, bias, target);
}

template <class T>
void weight_ffma(const Cuda& ctx, const ConvShape& s, const WeightCut& cut, const T* x, const T* y,
                 T* partial) {
  launch<weight_kernel<T>>(
      ctx.stream, {{tiles(cut.rows), tiles(cut.outputs), unsigned(s.groups * cut.chunks)}, 256}, s,
      cut, x, y, partial);
}

template void gather_ffma(const Cuda&, const Gather&, const float*, const float*, const float*,
                          float*);
template void gather_ffma(const Cuda&, const Gather&, const double*, const double*, const double*,
                          double*);
template void weight_ffma(const Cuda&, const ConvShape&, const WeightCut&, const float*,
                          const float*, float*);
template void weight_ffma(const Cuda&, const ConvShape&, const WeightCut&, const double*,
                          const double*, double*);

}  // namespace clade::kernels::conv

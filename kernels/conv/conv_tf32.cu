// Convolution on tensor cores: mma.sync m16n8k8 on tf32, fed by cp.async.
//
// A block of four warps computes a tile of 64 x kColumns of the product (conv_gather.cuh), 16 steps
// of k at a time; a warp has 32 x kColumns / 2 of it. While the warps multiply one slice of A and
// B, the next two are on their way from global to shared memory, past the registers (three stages;
// one barrier a slice). Elements beyond the edge of the image are zeros that cp.async writes
// itself.
//
// Exact: tf32 keeps 10 bits of a factor. x = big + small, each tf32, keeps 21, and
// big big + big small + small big is the product to f32's accuracy: three products for one, the
// rest hidden behind the loads. (The "3xTF32" of CUTLASS's example 28.)
//
// Rows in shared memory are 4 or 8 floats longer than the tile, so that the 32 lanes of a fragment
// load touch 32 different banks.
#include "kernels/conv/conv_cuda.cuh"
#include "kernels/cuda/grid.cuh"

namespace clade::kernels::conv {
namespace {

using namespace gather;
using cuda::ceil_div;

constexpr int kThreadsOfBlock = 128, kRows = 64, kStep = 16, kStages = 3;

struct Factor {
  uint32_t big, small;
};

template <bool Exact>
__device__ Factor split(float x) {
  const uint32_t big = to_tf32(x);
  return {big, Exact ? to_tf32(x - __uint_as_float(big)) : 0u};
}

// A warp's part of the tile, and how it grows by one slice. a(row, k) and b(k, column) read the
// slice.
template <int kColumns, bool Exact>
struct Fragments {
  static constexpr int kAcross = kColumns / 16;  // fragments of 8 columns
  float sum[2][kAcross][4] = {};

  // First row and column of this lane's first fragment, in the tile.
  __device__ static int row() { return int(threadIdx.x) / 32 % 2 * 32 + lane() / 4; }
  __device__ static int column() { return int(threadIdx.x) / 64 * (kColumns / 2); }
  __device__ static int lane() { return int(threadIdx.x) % 32; }

  template <class A, class B>
  __device__ void add(A a, B b) {
    const int g = lane() / 4, t = lane() % 4;
#pragma unroll
    for (int k = 0; k < kStep; k += 8) {
      uint32_t a_big[2][4], a_small[2][4];
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const Factor f = split<Exact>(a(row() + 16 * i + e % 2 * 8, k + t + e / 2 * 4));
          a_big[i][e] = f.big, a_small[i][e] = f.small;
        }
#pragma unroll
      for (int j = 0; j < kAcross; j++) {
        uint32_t b_big[2], b_small[2];
#pragma unroll
        for (int e = 0; e < 2; e++) {
          const Factor f = split<Exact>(b(k + t + 4 * e, column() + 8 * j + g));
          b_big[e] = f.big, b_small[e] = f.small;
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
          if (Exact) {
            mma_tf32(sum[i][j], a_small[i], b_big);
            mma_tf32(sum[i][j], a_big[i], b_small);
          }
          mma_tf32(sum[i][j], a_big[i], b_big);
        }
      }
    }
  }

  // Calls body(row, column, value) for this lane's numbers of the tile.
  template <class Body>
  __device__ void each(Body body) const {
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
      for (int j = 0; j < kAcross; j++)
#pragma unroll
        for (int e = 0; e < 4; e++)
          body(row() + 16 * i + e / 2 * 8, column() + 8 * j + lane() % 4 * 2 + e % 2, sum[i][j][e]);
  }
};

// load(stage, slice) starts the copies of a slice, multiply(stage) uses one.
template <class Load, class Multiply>
__device__ void pipeline(int64_t slices, Load load, Multiply multiply) {
  for (int s = 0; s < kStages - 1; s++) {
    if (s < slices) load(s, s);
    cp_async_commit();
  }
  for (int64_t slice = 0; slice < slices; slice++) {
    cp_async_wait<kStages - 2>();
    __syncthreads();  // this slice is here, and the stage filled next is no longer read
    const int64_t next = slice + kStages - 1;
    if (next < slices) load(int(next % kStages), next);
    cp_async_commit();
    multiply(int(slice % kStages));
  }
}

// Vec: floats of one copy, 4 where channels come in fours, else 1.
template <int kColumns, int Vec, bool Exact>
__global__ void __launch_bounds__(kThreadsOfBlock)
    gather_kernel(Gather g, const float* source, const float* packed, const float* bias,
                  float* target) {
  constexpr int kGroups = kStep / Vec, kPixels = kRows * kGroups / kThreadsOfBlock;
  constexpr int kAcross = kColumns / 4, kDown = kThreadsOfBlock / kAcross;
  __shared__ __align__(16) float a[kStages][kRows][kStep + 4], b[kStages][kStep][kColumns + 8];
  const Part part(g, blockIdx.z);
  const int64_t m0 = int64_t(blockIdx.x) * kRows, n0 = int64_t(blockIdx.y) * kColumns;
  if (m0 >= part.pixels) return;  // a phase with fewer pixels than the first
  const int t = int(threadIdx.x), ka = t % kGroups * Vec, ma = t / kGroups;
  // Of A, this thread copies columns ka .. of kPixels pixels; `depth` is where it is in k.
  Depth depth(part, g.source_channels, ka);
  Window windows[kPixels];
#pragma unroll
  for (int i = 0; i < kPixels; i++) {
    const int64_t m = min(m0 + ma + i * (kRows / kPixels), part.pixels - 1);
    windows[i] = Window(g, part, Pixel(part, m));
  }
  const int nb = t % kAcross * 4, kb = t / kAcross;
  auto load = [&](int stage, int64_t slice) {
    const int64_t k0 = slice * kStep;
#pragma unroll
    for (int i = 0; i < kPixels; i++) {
      const int64_t at = k0 + ka < part.depth ? windows[i].at(g, part, depth) : int64_t{-1};
      cp_async<4 * Vec>(&a[stage][ma + i * (kRows / kPixels)][ka], source + max(at, int64_t{0}),
                        at < 0 ? 0 : 4 * Vec);
    }
    depth.advance(part, g.source_channels, kStep);
#pragma unroll
    for (int k = kb; k < kStep; k += kDown) {
      const bool inside = k0 + k < part.depth && n0 + nb < g.padded_channels;
      const int64_t at = (part.first_row + k0 + k) * g.padded_channels + n0 + nb;
      cp_async<16>(&b[stage][k][nb], packed + (inside ? at : 0), inside ? 16 : 0);
    }
  };
  Fragments<kColumns, Exact> fragments;
  pipeline(ceil_div(part.depth, kStep), load, [&](int stage) {
    fragments.add([&](int row, int k) { return a[stage][row][k]; },
                  [&](int k, int column) { return b[stage][k][column]; });
  });
  fragments.each([&](int row, int column, float value) {
    const int64_t m = m0 + row, n = n0 + column;
    if (m >= part.pixels || n >= g.target_channels) return;
    const float add = bias ? bias[part.group * g.target_channels + n] : 0.0f;
    target[target_at(g, part, Pixel(part, m), n)] = activated(value + add, float(g.slope));
  });
}

// Both factors lie with k, the pixels of y, along the rows of shared memory.
template <int kColumns, int Vec, bool Exact>
__global__ void __launch_bounds__(kThreadsOfBlock)
    weight_kernel(ConvShape s, WeightCut cut, const float* x, const float* y, float* partial) {
  constexpr int kAcrossA = kRows / Vec, kDownA = kThreadsOfBlock / kAcrossA;
  constexpr int kAcrossB = kColumns / Vec, kDownB = kThreadsOfBlock / kAcrossB;
  __shared__ __align__(16) float a[kStages][kStep][kRows + 8], b[kStages][kStep][kColumns + 8];
  const int64_t group = int64_t(blockIdx.z) / cut.chunks, chunk = int64_t(blockIdx.z) % cut.chunks;
  const int64_t m0 = int64_t(blockIdx.x) * kRows, n0 = int64_t(blockIdx.y) * kColumns;
  const int64_t begin = chunk * cut.chunk_pixels;
  const int64_t end = min(begin + cut.chunk_pixels, cut.pixels);
  const int t = int(threadIdx.x), ma = t % kAcrossA * Vec, nb = t % kAcrossB * Vec;
  const WeightRow row(s, cut, m0 + ma);
  auto load = [&](int stage, int64_t slice) {
    const int64_t k0 = begin + slice * kStep;
    YPixel at(s, k0 + t / kAcrossA);
#pragma unroll
    for (int k = t / kAcrossA; k < kStep; k += kDownA) {
      const int64_t from = k0 + k < end ? row.at(s, group, at.n, at.i, at.j) : int64_t{-1};
      cp_async<4 * Vec>(&a[stage][k][ma], x + max(from, int64_t{0}), from < 0 ? 0 : 4 * Vec);
      at.advance(s, kDownA);
    }
#pragma unroll
    for (int k = t / kAcrossB; k < kStep; k += kDownB) {
      const bool inside = k0 + k < end && n0 + nb < cut.outputs;
      const int64_t from = (k0 + k) * s.O + group * cut.outputs + n0 + nb;
      cp_async<4 * Vec>(&b[stage][k][nb], y + (inside ? from : 0), inside ? 4 * Vec : 0);
    }
  };
  Fragments<kColumns, Exact> fragments;
  pipeline(ceil_div(end - begin, kStep), load, [&](int stage) {
    fragments.add([&](int row_of_tile, int k) { return a[stage][k][row_of_tile]; },
                  [&](int k, int column) { return b[stage][k][column]; });
  });
  float* out = partial + int64_t(blockIdx.z) * cut.rows * cut.outputs;
  fragments.each([&](int row_of_tile, int column, float value) {
    const int64_t m = m0 + row_of_tile, n = n0 + column;
    if (m < cut.rows && n < cut.outputs) out[m * cut.outputs + n] = value;
  });
}

// Calls body(columns, vec, exact) with integral constants: tiles of 32 columns where 64 would stand
// half empty.
template <class Body>
void with_variant(int64_t columns, bool fours, bool exact, Body body) {
  auto with_columns = [&](auto n) {
    auto with_vec = [&](auto vec) {
      exact ? body(n, vec, std::true_type{}) : body(n, vec, std::false_type{});
    };
    fours ? with_vec(std::integral_constant<int, 4>{}) : with_vec(std::integral_constant<int, 1>{});
  };
  columns > 32 ? with_columns(std::integral_constant<int, 64>{})
               : with_columns(std::integral_constant<int, 32>{});
}

}  // namespace

void gather_tf32(const Cuda& ctx, const Gather& g, const float* source, const float* packed,
                 const float* bias, float* target) {
  const bool fours = g.source_channels % 4 == 0 && cuda::on_16_bytes(source);
  with_variant(g.target_channels, fours, ctx.products != Cuda::Products::tf32,
               [&](auto columns, auto vec, auto exact) {
                 constexpr int kColumns = decltype(columns)::value, kVec = decltype(vec)::value;
                 const Grid grid{{unsigned(ceil_div(g.most_pixels(), kRows)),
                                  unsigned(ceil_div(g.target_channels, kColumns)),
                                  unsigned(g.phases[0] * g.phases[1] * g.groups)},
                                 {unsigned(kThreadsOfBlock)}};
                 launch<gather_kernel<kColumns, kVec, decltype(exact)::value>>(
                     ctx.stream, grid, g, source, packed, bias, target);
               });
}

void weight_tf32(const Cuda& ctx, const ConvShape& s, const WeightCut& cut, const float* x,
                 const float* y, float* partial) {
  const bool fours = s.group_inputs() % 4 == 0 && cut.outputs % 4 == 0 && cuda::on_16_bytes(x) &&
                     cuda::on_16_bytes(y);
  with_variant(cut.outputs, fours, ctx.products != Cuda::Products::tf32,
               [&](auto columns, auto vec, auto exact) {
                 constexpr int kColumns = decltype(columns)::value, kVec = decltype(vec)::value;
                 const Grid grid{
                     {unsigned(ceil_div(cut.rows, kRows)),
                      unsigned(ceil_div(cut.outputs, kColumns)), unsigned(s.groups * cut.chunks)},
                     {unsigned(kThreadsOfBlock)}};
                 launch<weight_kernel<kColumns, kVec, decltype(exact)::value>>(ctx.stream, grid, s,
                                                                               cut, x, y, partial);
               });
}

}  // namespace clade::kernels::conv

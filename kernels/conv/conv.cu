// Convolution on the GPU: the entry points, the packing of weights, and the sum over chunks.
//
// f32 goes to the tensor cores (conv_tf32.cu), f64 to plain multiply-adds (conv_ffma.cu).
#include "kernels/conv/conv_cuda.cuh"
#include "kernels/cuda/grid.cuh"
#include "tensor/device_memory.h"

namespace clade::kernels {
namespace {

using namespace conv;
using cuda::ceil_div;
using cuda::grid_of;
using cuda::thread_index;
using gather::Depth;
using gather::Gather;
using gather::Part;

// packed[group][phase][row tap, column tap, source channel][target channel], see conv_gather.cuh.
// Rows are padded with zeros to a multiple of four channels. One block along y a part.
template <class T>
__global__ void pack_weights(Gather g, const T* w, T* packed) {
  const Part part(g, blockIdx.y);
  const int64_t i = thread_index();
  if (i >= part.depth * g.padded_channels) return;
  const int64_t k = i / g.padded_channels, target = i % g.padded_channels;
  const Depth at(part, g.source_channels, k);
  const int64_t r = part.rows.first_tap + at.row * part.rows.tap_step;
  const int64_t s = part.columns.first_tap + at.column * part.columns.tap_step;
  // w is (O, C / groups, R, S); in grad_input source and target change places.
  const int64_t o = g.is_backward ? at.channel : target, c = g.is_backward ? target : at.channel;
  const ConvShape& shape = g.shape;
  const int64_t from =
      (((part.group * shape.group_outputs() + o) * shape.group_inputs() + c) * shape.R + r) *
          shape.S +
      s;
  packed[(part.first_row + k) * g.padded_channels + target] =
      target < g.target_channels ? w[from] : T(0);
}

// w[o, c, r, s] = the sum of its chunks, in order.
template <class T>
__global__ void join_chunks(ConvShape s, WeightCut cut, const T* partial, T* w) {
  const int64_t i = thread_index();
  if (i >= s.weights()) return;
  int64_t rest = i;
  const int64_t column = rest % s.S;
  rest /= s.S;
  const int64_t row = rest % s.R;
  rest /= s.R;
  const int64_t c = rest % s.group_inputs(), o = rest / s.group_inputs();
  const int64_t group = o / cut.outputs;
  const int64_t at = ((row * s.S + column) * s.group_inputs() + c) * cut.outputs + o % cut.outputs;
  double sum = 0;
  for (int64_t chunk = 0; chunk < cut.chunks; chunk++)
    sum += double(partial[(group * cut.chunks + chunk) * cut.rows * cut.outputs + at]);
  w[i] = T(sum);
}

// Chunks enough to fill the machine twice over, of 256 pixels at least.
WeightCut cut_of(const ConvShape& s) {
  WeightCut cut{s.R * s.S * s.group_inputs(), s.group_outputs(), s.N * s.P * s.Q, 0, 0};
  const int64_t tiles =
      std::max<int64_t>(1, ceil_div(cut.rows, 64) * ceil_div(cut.outputs, 64) * s.groups);
  const int64_t most = std::max<int64_t>(1, std::min(ceil_div(cut.pixels, 256), 65535 / s.groups));
  const int64_t chunks = std::min(most, ceil_div(2 * 132, tiles));
  cut.chunk_pixels = std::max<int64_t>(16, ceil_div(ceil_div(cut.pixels, chunks), 16) * 16);
  cut.chunks = std::max<int64_t>(1, ceil_div(cut.pixels, cut.chunk_pixels));
  return cut;
}

template <class T>
void gather_typed(const Cuda& ctx, const Gather& g, const View& source, const View& w,
                  const View& bias, const View& target) {
  const int64_t parts = g.phases[0] * g.phases[1] * g.groups;
  const int64_t packed_size = g.groups * g.weight_rows() * g.padded_channels;
  DeviceScratch<T> packed(packed_size, ctx.stream);
  Grid grid = grid_of(g.weight_rows() * g.padded_channels);
  grid.blocks.y = unsigned(parts);
  launch<pack_weights<T>>(ctx.stream, grid, g, w.as<const T>(), packed.data());
  if constexpr (std::is_same_v<T, float>) {
    if (ctx.products != Cuda::Products::one_by_one)
      return gather_tf32(ctx, g, source.as<T>(), packed.data(), bias.as<T>(), target.as<T>());
  }
  gather_ffma<T>(ctx, g, source.as<T>(), packed.data(), bias.as<T>(), target.as<T>());
}

template <class T>
void weight_typed(const Cuda& ctx, const ConvShape& s, const WeightCut& cut, const T* x, const T* y,
                  T* partial) {
  if constexpr (std::is_same_v<T, float>) {
    if (ctx.products != Cuda::Products::one_by_one) return weight_tf32(ctx, s, cut, x, y, partial);
  }
  weight_ffma<T>(ctx, s, cut, x, y, partial);
}

}  // namespace

void conv2d_forward(const Cuda& ctx, const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p, double slope) {
  if (y.numel() == 0) return;
  const Gather g(ConvShape(x, w, y, p), false, slope);
  dispatch_floating(y.dtype,
                    [&](auto zero) { gather_typed<decltype(zero)>(ctx, g, x, w, bias, y); });
}

void conv2d_grad_input(const Cuda& ctx, const View& y, const View& w, const View& bias,
                       const View& x, const ConvParams& p, double slope) {
  if (x.numel() == 0) return;
  const Gather g(ConvShape(x, w, y, p), true, slope);
  dispatch_floating(x.dtype,
                    [&](auto zero) { gather_typed<decltype(zero)>(ctx, g, y, w, bias, x); });
}

void conv2d_grad_weight(const Cuda& ctx, const View& x, const View& y, const View& w,
                        const ConvParams& p) {
  if (w.numel() == 0) return;
  const ConvShape s(x, w, y, p);
  const WeightCut cut = cut_of(s);
  dispatch_floating(w.dtype, [&](auto zero) {
    using T = decltype(zero);
    DeviceScratch<T> partial(s.groups * cut.chunks * cut.rows * cut.outputs, ctx.stream);
    weight_typed(ctx, s, cut, x.as<T>(), y.as<T>(), partial.data());
    launch<join_chunks<T>>(ctx.stream, grid_of(s.weights()), s, cut, partial.data(), w.as<T>());
  });
}

}  // namespace clade::kernels

// Gather: what forward and grad_input have in common on the GPU, and how either is a matrix
// product.
//
// Both compute a target image from a source image: forward y from x, grad_input x from y. Along an
// axis, target place i looks at the source places
//
//     i * source_step + offset + k * offset_step,   k = 0 .. taps - 1,
//
// with tap first_tap + k * tap_step of the kernel. In forward these are i stride - padding + k
// dilation. In grad_input place h of x meets only the taps r with h + padding - r dilation = stride
// * (place in y): which those are depends on h mod stride alone. So the target is cut into stride x
// stride phases, each a dense little convolution with its own taps, and no product with a zero that
// the stride put there is ever computed.
//
// As a matrix product, for each phase and group:
//
//     D[pixel, target channel] = sum over k of A[pixel, k] B[k, target channel],
//     k = (row tap, column tap, source channel),
//
// where A is never written down: its elements are loads from the source, or zeros beyond its edge.
// B is the weights of the phase, packed in that order by pack_weights (conv.cu).
#pragma once

#include "kernels/conv/conv_shape.h"
#include "tensor/host_device.h"

namespace clade::kernels::gather {

// One axis of one phase.
struct Axis {
  int64_t target_first, target_step, target_count;  // places of the phase in the target
  int64_t source_size, source_step, offset, offset_step;
  int64_t taps, first_tap, tap_step;

  CLADE_HD int64_t target(int64_t i) const { return target_first + i * target_step; }
};

// Phase `phase` of x, of `size` places, from y, of `out`.
CLADE_HD inline Axis backward_axis(int64_t size, int64_t kernel, int64_t out, int64_t stride,
                                   int64_t padding, int64_t dilation, int64_t phase) {
  int64_t first = 0, step = 1;  // the taps of this phase: every step-th from first
  while (first < kernel && (phase + padding - first * dilation) % stride != 0) first++;
  while (step * dilation % stride != 0) step++;
  const int64_t taps = first < kernel ? (kernel - 1 - first) / step + 1 : 0;
  const int64_t places = phase < size ? (size - 1 - phase) / stride + 1 : 0;
  return {phase,
          stride,
          places,
          out,
          1,
          (phase + padding - first * dilation) / stride,
          -step * dilation / stride,
          taps,
          first,
          step};
}

// The whole of a convolution; phases are numbered by rows, then columns.
struct Gather {
  int64_t images, groups;
  int64_t source_channels, target_channels;  // of a group
  int64_t padded_channels;                   // target channels of B's rows: a multiple of 4
  int64_t phases[2];
  bool is_backward;
  double slope;  // of the activation
  ConvShape shape;

  Gather(const ConvShape& s, bool backward, double activation)
      : images(s.N),
        groups(s.groups),
        source_channels(backward ? s.group_outputs() : s.group_inputs()),
        target_channels(backward ? s.group_inputs() : s.group_outputs()),
        padded_channels((target_channels + 3) / 4 * 4),
        phases{backward ? s.stride[0] : 1, backward ? s.stride[1] : 1},
        is_backward(backward),
        slope(activation),
        shape(s) {}

  CLADE_HD Axis axis(int d, int64_t phase) const {
    const int64_t size = d ? shape.W : shape.H, kernel = d ? shape.S : shape.R;
    const int64_t out = d ? shape.Q : shape.P;
    if (is_backward)
      return backward_axis(size, kernel, out, shape.stride[d], shape.padding[d], shape.dilation[d],
                           phase);
    return {0, 1, out, size, shape.stride[d], -shape.padding[d], shape.dilation[d], kernel, 0, 1};
  }
  // Rows of B that the phases before this one take. Along each axis the phases share out all taps.
  CLADE_HD int64_t first_row(int64_t row_phase, int64_t column_phase) const {
    int64_t rows = 0, columns = 0;
    for (int64_t i = 0; i < row_phase; i++) rows += axis(0, i).taps;
    for (int64_t i = 0; i < column_phase; i++) columns += axis(1, i).taps;
    return (rows * shape.S + axis(0, row_phase).taps * columns) * source_channels;
  }
  int64_t weight_rows() const { return shape.R * shape.S * source_channels; }  // of a group
  // Target pixels of the largest phase: the first one.
  int64_t most_pixels() const { return images * axis(0, 0).target_count * axis(1, 0).target_count; }
};

// Sorted out at the beginning of a block: which phase and group it serves.
struct Part {
  Axis rows, columns;
  int64_t group, pixels, depth;  // depth: k runs to here
  int64_t first_row;

  CLADE_HD Part(const Gather& g, int64_t z)
      : rows(g.axis(0, z / g.phases[1] % g.phases[0])),
        columns(g.axis(1, z % g.phases[1])),
        group(z / (g.phases[0] * g.phases[1])),
        pixels(g.images * rows.target_count * columns.target_count),
        depth(rows.taps * columns.taps * g.source_channels),
        first_row(group * g.shape.R * g.shape.S * g.source_channels +
                  g.first_row(z / g.phases[1] % g.phases[0], z % g.phases[1])) {}
};

// Where pixel m of a part is: image, and place along both axes.
struct Pixel {
  int64_t image, i, j;
  CLADE_HD Pixel(const Part& part, int64_t m) {
    j = m % part.columns.target_count, m /= part.columns.target_count;
    i = m % part.rows.target_count, image = m / part.rows.target_count;
  }
};

// k as (row tap, column tap, channel), advanced without division.
struct Depth {
  int64_t row, column, channel;
  CLADE_HD Depth(const Part& part, int64_t channels, int64_t k) {
    if (channels == 0) channels = 1;  // nothing will be read
    channel = k % channels, k /= channels;
    const int64_t columns = part.columns.taps > 0 ? part.columns.taps : 1;
    column = k % columns, row = k / columns;
  }
  CLADE_HD void advance(const Part& part, int64_t channels, int64_t by) {
    channel += by;
    while (channels > 0 && channel >= channels) {
      channel -= channels;
      if (++column >= part.columns.taps) column = 0, row++;
    }
  }
};

// A view of the source for one pixel: where its window begins.
struct Window {
  int64_t base;  // offset of the image
  int32_t h, w;  // place of tap (0, 0)
  Window() = default;
  CLADE_HD Window(const Gather& g, const Part& part, const Pixel& p)
      : base(p.image * part.rows.source_size * part.columns.source_size * g.source_channels *
             g.groups),
        h(int32_t(p.i * part.rows.source_step + part.rows.offset)),
        w(int32_t(p.j * part.columns.source_step + part.columns.offset)) {}
  // The offset of element (pixel, k) in the source, -1 where it lies beyond the edge.
  CLADE_HD int64_t at(const Gather& g, const Part& part, const Depth& k) const {
    const int64_t row = h + k.row * part.rows.offset_step;
    const int64_t column = w + k.column * part.columns.offset_step;
    if (row < 0 || row >= part.rows.source_size || column < 0 || column >= part.columns.source_size)
      return -1;
    return base + (row * part.columns.source_size + column) * g.source_channels * g.groups +
           part.group * g.source_channels + k.channel;
  }
};

// The offset of (pixel, target channel) in the target.
CLADE_HD inline int64_t target_at(const Gather& g, const Part& part, const Pixel& p,
                                  int64_t channel) {
  const int64_t height = g.is_backward ? g.shape.H : g.shape.P;
  const int64_t width = g.is_backward ? g.shape.W : g.shape.Q;
  return ((p.image * height + part.rows.target(p.i)) * width + part.columns.target(p.j)) *
             g.target_channels * g.groups +
         part.group * g.target_channels + channel;
}

}  // namespace clade::kernels::gather

// One axis of a direct convolution: which source positions the outputs of a sweep look at.
//
// Forward and grad_input are the same walk. Along each axis, output position
//
//     target_step * t + phase   looks at source position   source_step * t + offset[tap]
//
// for every tap of its phase. Forward has the one phase 0: source_step = stride, offset = r
// dilation - padding. In grad_input the outputs that a stride leaves a common remainder form a
// phase of their own, which sees only the taps that hit whole positions: h + padding = i stride + r
// dilation gives
//
//     phase = (r dilation - padding) mod stride,  offset = (phase + padding - r dilation) / stride
//
// so each phase is a dense convolution with stride 1 and no multiplication by an inserted zero.
// (Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4.)
#pragma once

#include <algorithm>

#include "kernels/conv/conv_direct_kernels.h"
#include "kernels/conv/conv_shape.h"

namespace clade::kernels::direct {

struct Axis {
  static constexpr int64_t kMaxTaps = 16;

  int64_t source_step = 1, target_step = 1, taps = 1;
  int64_t phase[kMaxTaps] = {}, offset[kMaxTaps] = {};
  int64_t least = 0, most = 0;  // of the offsets

  // Source positions under `steps` consecutive values of t.
  int64_t span(int64_t steps) const { return (steps - 1) * source_step + most - least + 1; }
  // Values of t in one phase of a target of this size.
  int64_t steps(int64_t target_size, int64_t in_phase) const {
    return (target_size - in_phase + target_step - 1) / target_step;
  }
  int64_t taps_in(int64_t of_phase) const { return std::count(phase, phase + taps, of_phase); }
  // Of the taps of a phase, numbered as they follow each other: those that look at a source of this
  // size in step t, and not at the padding around it. Their offsets rise or fall, so no other tap
  // lies between them.
  struct Inside {
    int64_t first = 0, count = 0;
  };
  Inside inside(int64_t of_phase, int64_t t, int64_t source_size) const {
    Inside found;
    for (int64_t r = 0, number = 0; r < taps; r++) {
      if (phase[r] != of_phase) continue;
      const int64_t at = t * source_step + offset[r];
      if (at >= 0 && at < source_size && found.count++ == 0) found.first = number;
      number++;
    }
    return found;
  }
};

inline Axis forward_axis(const ConvShape& s, int d) {
  Axis axis;
  axis.source_step = s.stride[d];
  axis.taps = d == 0 ? s.R : s.S;
  for (int64_t r = 0; r < axis.taps; r++) axis.offset[r] = r * s.dilation[d] - s.padding[d];
  axis.least = *std::min_element(axis.offset, axis.offset + axis.taps);
  axis.most = *std::max_element(axis.offset, axis.offset + axis.taps);
  return axis;
}

inline Axis grad_input_axis(const ConvShape& s, int d) {
  Axis axis;
  axis.target_step = s.stride[d];
  axis.taps = d == 0 ? s.R : s.S;
  for (int64_t r = 0; r < axis.taps; r++) {
    int64_t shift = r * s.dilation[d] - s.padding[d], stride = s.stride[d];
    axis.phase[r] = (shift % stride + stride) % stride;
    axis.offset[r] = (axis.phase[r] - shift) / stride;
  }
  axis.least = *std::min_element(axis.offset, axis.offset + axis.taps);
  axis.most = *std::max_element(axis.offset, axis.offset + axis.taps);
  return axis;
}

// Floats of a pixel in a block of channels: a whole vector, or less in a thin slab.
inline int64_t record_of(int64_t channels, int64_t lanes) {
  return channels > kThin ? lanes : channels > 2 ? 4 : channels;
}

// The slab (see conv_direct_kernels.h) under `rows` by `columns` steps of a sweep that begins at
// step (first_row, 0), for `images` images; data is still to be set.
inline Slab slab_under(const Axis& vertical, const Axis& horizontal, int64_t first_row,
                       int64_t rows, int64_t columns, int64_t images, int64_t channels,
                       int64_t record) {
  Slab slab{};
  slab.first_row = first_row * vertical.source_step + vertical.least;
  slab.first_column = horizontal.least;
  slab.rows = vertical.span(rows);
  slab.phases = horizontal.source_step;
  slab.columns = (horizontal.span(columns) + slab.phases - 1) / slab.phases;
  slab.images = images;
  slab.record = record;
  slab.blocks = (channels + record - 1) / record;
  slab.row = slab.phases * slab.columns * images * record;
  slab.plane = slab.rows * slab.row;
  return slab;
}

// Where in the slab tap (r, s) of output step (0, 0) stands, in floats.
inline int64_t tap_place(const Slab& slab, const Axis& vertical, const Axis& horizontal, int64_t r,
                         int64_t s) {
  int64_t down = vertical.offset[r] - vertical.least;
  int64_t right = horizontal.offset[s] - horizontal.least;
  int64_t column = right % slab.phases * slab.columns + right / slab.phases;
  return down * slab.row + column * slab.images * slab.record;
}

// Memory of `floats` to be fetched in so many steps of kernels.
inline Ahead ahead_of(const float* data, int64_t floats, int64_t steps) {
  const int64_t lines = floats / 16, each = steps > 0 ? (lines + steps - 1) / steps : 0;
  return {(const char*)data, each, each > 0 ? lines / each : 0};
}

// After a kernel that has taken so many steps.
inline void pass(Ahead& ahead, int64_t steps) {
  ahead.at += 64 * ahead.lines * steps;
  if ((ahead.left -= steps) <= 0) ahead.lines = 0;
}

}  // namespace clade::kernels::direct

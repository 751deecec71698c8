// The convolution kernels for GPUs, by what multiplies: conv_ffma.cu has the plain one, in f32 and
// f64, to begin reading with; conv_tf32.cu the one for tensor cores. conv.cu chooses.
#pragma once

#include "kernels/context.h"
#include "kernels/conv/conv_gather.cuh"
#include "kernels/elementwise/functions.h"

namespace clade::kernels::conv {

// target = act(gather(source) packed + bias), act(v) = v > 0 ? v : g.slope v; bias (target channels
// of all groups) may be null.
template <class T>
void gather_ffma(const Cuda& ctx, const gather::Gather& g, const T* source, const T* packed,
                 const T* bias, T* target);
void gather_tf32(const Cuda& ctx, const gather::Gather& g, const float* source, const float* packed,
                 const float* bias, float* target);

// partial[group][chunk][row tap, column tap, c][o]: the sums of chunk_pixels pixels of y each.
struct WeightCut {
  int64_t rows, outputs, pixels;  // of a group: R S C / groups, O / groups; N P Q
  int64_t chunk_pixels, chunks;
};
template <class T>
void weight_ffma(const Cuda& ctx, const ConvShape& s, const WeightCut& cut, const T* x, const T* y,
                 T* partial);
void weight_tf32(const Cuda& ctx, const ConvShape& s, const WeightCut& cut, const float* x,
                 const float* y, float* partial);

// Row `row` of a group's weight matrix, and the element of x that it takes for a pixel of y.
struct WeightRow {
  int64_t r, s, c;
  bool valid;
  CLADE_HD WeightRow(const ConvShape& shape, const WeightCut& cut, int64_t row) {
    valid = row < cut.rows;
    c = row % shape.group_inputs(), row /= shape.group_inputs();
    s = row % shape.S, r = row / shape.S;
  }
  // -1 beyond the edge of x.
  CLADE_HD int64_t at(const ConvShape& shape, int64_t group, int64_t n, int64_t i,
                      int64_t j) const {
    const int64_t h = i * shape.stride[0] + r * shape.dilation[0] - shape.padding[0];
    const int64_t w = j * shape.stride[1] + s * shape.dilation[1] - shape.padding[1];
    if (!valid || h < 0 || h >= shape.H || w < 0 || w >= shape.W) return -1;
    return ((n * shape.H + h) * shape.W + w) * shape.C + group * shape.group_inputs() + c;
  }
};

// Pixels of y, walked in steps.
struct YPixel {
  int64_t n, i, j;
  CLADE_HD YPixel(const ConvShape& s, int64_t pixel) {
    j = pixel % s.Q, pixel /= s.Q;
    i = pixel % s.P, n = pixel / s.P;
  }
  CLADE_HD void advance(const ConvShape& s, int64_t by) {
    for (j += by; j >= s.Q; j -= s.Q)
      if (++i == s.P) i = 0, n++;
  }
};

}  // namespace clade::kernels::conv

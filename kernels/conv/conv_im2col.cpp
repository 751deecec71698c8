// Convolution by im2col: write the patch under every output pixel as the row of a matrix, multiply.
//
//     patches[m, (r, s, c)] = x at the place where tap (r, s) of output pixel m looks, 0 outside
//
//     forward       Y[m, o]         = patches[m, rsc] W[rsc, o]
//     grad_input    patches[m, rsc] = Y[m, o] W'[o, rsc], then each patch is added back (col2im)
//     grad_weight   W'[o, rsc]      = Y'[o, m] patches[m, rsc]
//
// In channels-last memory a tap of a patch is C / groups neighbours of x, and Y needs no copy.
// Output pixels are taken in tiles whose patches stay in the second-level cache; the patch matrix
// of a whole batch would be R S times x. Groups are products of their own, on column slices of x
// and y. (Chellapilla, Puri, Simard 2006, "High performance convolutional neural networks".)
#include "kernels/conv/conv_im2col.h"

#include <algorithm>

#include "kernels/elementwise/functions.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::kernels::im2col {
namespace {

int64_t patch_size(const ConvShape& s) { return s.R * s.S * s.group_inputs(); }

// Output pixels of an image in one tile: patches of about 64K elements.
int64_t tile_pixels(const ConvShape& s) {
  return std::max<int64_t>(16, 65536 / std::max<int64_t>(1, patch_size(s)));
}

// visit(m - begin, r S + s, h W + l or -1 where the tap lies outside) for output pixels m = i Q + j
// in [begin, end).
template <class Visit>
void each_tap(const ConvShape& s, int64_t begin, int64_t end, Visit visit) {
  for (int64_t m = begin; m < end; m++) {
    int64_t h0 = m / s.Q * s.stride[0] - s.padding[0];
    int64_t l0 = m % s.Q * s.stride[1] - s.padding[1];
    for (int64_t r = 0; r < s.R; r++)
      for (int64_t t = 0; t < s.S; t++) {
        int64_t h = h0 + r * s.dilation[0], l = l0 + t * s.dilation[1];
        bool inside = h >= 0 && h < s.H && l >= 0 && l < s.W;
        visit(m - begin, r * s.S + t, inside ? h * s.W + l : -1);
      }
  }
}

// `image` points at the first channel of the group in one image of x.
template <class T>
void gather_patches(const ConvShape& s, int64_t begin, int64_t end, const T* image, T* patches) {
  int64_t channels = s.group_inputs();
  each_tap(s, begin, end, [&](int64_t row, int64_t tap, int64_t pixel) {
    T* to = patches + (row * s.R * s.S + tap) * channels;
    if (pixel < 0)
      std::fill(to, to + channels, T(0));
    else
      std::copy(image + pixel * s.C, image + pixel * s.C + channels, to);
  });
}

template <class T>
void add_patches(const ConvShape& s, int64_t begin, int64_t end, const T* patches, T* image) {
  int64_t channels = s.group_inputs();
  each_tap(s, begin, end, [&](int64_t row, int64_t tap, int64_t pixel) {
    if (pixel < 0) return;
    const T* from = patches + (row * s.R * s.S + tap) * channels;
    for (int64_t c = 0; c < channels; c++) image[pixel * s.C + c] += from[c];
  });
}

// visit(place in w (O, C / groups, R, S), place in the order of a patch (O, R, S, C / groups)).
template <class Visit>
void each_weight(const ConvShape& s, Visit visit) {
  int64_t channels = s.group_inputs(), taps = s.R * s.S;
  parallel_for(s.O, 8, [&](int64_t begin, int64_t end) {
    int64_t place = begin * channels * taps;
    for (int64_t o = begin; o < end; o++)
      for (int64_t c = 0; c < channels; c++)
        for (int64_t tap = 0; tap < taps; tap++) visit(place++, (o * taps + tap) * channels + c);
  });
}

// Rows of `channels` values, each the bias (or 0): what a product or col2im then adds to.
template <class T>
void fill_rows(int64_t rows, int64_t channels, int64_t row_stride, const T* bias, T* out) {
  for (int64_t m = 0; m < rows; m++)
    for (int64_t c = 0; c < channels; c++) out[m * row_stride + c] = bias ? bias[c] : T(0);
}

template <class T>
void activate_rows(int64_t rows, int64_t channels, int64_t row_stride, T slope, T* out) {
  if (slope == 1) return;
  for (int64_t m = 0; m < rows; m++)
    for (int64_t c = 0; c < channels; c++)
      out[m * row_stride + c] = activated(out[m * row_stride + c], slope);
}

}  // namespace

template <class T>
void forward(const ConvShape& s, const T* x, const T* w, const T* bias, T slope, T* y) {
  int64_t size = patch_size(s), inputs = s.group_inputs(), outputs = s.group_outputs();
  int64_t pixels = s.P * s.Q, step = tile_pixels(s), tiles = (pixels + step - 1) / step;
  Scratch<T> packed(s.weights());  // [o][r][s][c]
  each_weight(s, [&](int64_t from, int64_t to) { packed[to] = w[from]; });
  parallel_for(s.N * tiles, 1, [&](int64_t first, int64_t last) {
    Scratch<T> patches(std::min(step, pixels) * size);
    for (int64_t index = first; index < last; index++) {
      int64_t n = index / tiles, begin = index % tiles * step, end = std::min(pixels, begin + step);
      for (int64_t g = 0; g < s.groups; g++) {
        T* out = y + (n * pixels + begin) * s.O + g * outputs;
        fill_rows(end - begin, outputs, s.O, bias ? bias + g * outputs : nullptr, out);
        gather_patches(s, begin, end, x + n * s.H * s.W * s.C + g * inputs, patches.data());
        gemm_serial<T>(false, true, end - begin, outputs, size, 1, patches.data(), size,
                       packed.data() + g * outputs * size, size, 1, out, s.O);
        activate_rows(end - begin, outputs, s.O, slope, out);
      }
    }
  });
}

template <class T>
void grad_input(const ConvShape& s, const T* y, const T* w, const T* bias, T slope, T* x) {
  int64_t size = patch_size(s), inputs = s.group_inputs(), outputs = s.group_outputs();
  int64_t pixels = s.P * s.Q, step = tile_pixels(s);
  Scratch<T> packed(s.weights());  // [o][r][s][c]
  each_weight(s, [&](int64_t from, int64_t to) { packed[to] = w[from]; });
  // Patches overlap in x, so the tiles of one image and group are added in order by one thread.
  parallel_for(s.N * s.groups, 1, [&](int64_t first, int64_t last) {
    Scratch<T> patches(std::min(step, pixels) * size);
    for (int64_t index = first; index < last; index++) {
      int64_t n = index / s.groups, g = index % s.groups;
      T* image = x + n * s.H * s.W * s.C + g * inputs;
      fill_rows(s.H * s.W, inputs, s.C, bias ? bias + g * inputs : nullptr, image);
      for (int64_t begin = 0; begin < pixels; begin += step) {
        int64_t end = std::min(pixels, begin + step);
        gemm_serial<T>(false, false, end - begin, size, outputs, 1,
                       y + (n * pixels + begin) * s.O + g * outputs, s.O,
                       packed.data() + g * outputs * size, size, 0, patches.data(), size);
        add_patches(s, begin, end, patches.data(), image);
      }
      activate_rows(s.H * s.W, inputs, s.C, slope, image);
    }
  });
}

template <class T>
void grad_weight(const ConvShape& s, const T* x, const T* y, T* w) {
  int64_t size = patch_size(s), inputs = s.group_inputs(), outputs = s.group_outputs();
  int64_t pixels = s.P * s.Q, step = tile_pixels(s), weights = s.weights();
  int64_t grain = images_per_chunk(s), chunks = (s.N + grain - 1) / grain;
  Scratch<T> partial(chunks * weights);  // [chunk][o][r][s][c]
  parallel_for(chunks * s.groups, 1, [&](int64_t first, int64_t last) {
    Scratch<T> patches(std::min(step, pixels) * size);
    for (int64_t index = first; index < last; index++) {
      int64_t chunk = index / s.groups, g = index % s.groups;
      T* sum = partial.data() + chunk * weights + g * outputs * size;
      std::fill(sum, sum + outputs * size, T(0));
      for (int64_t n = chunk * grain; n < std::min(s.N, (chunk + 1) * grain); n++)
        for (int64_t begin = 0; begin < pixels; begin += step) {
          int64_t end = std::min(pixels, begin + step);
          gather_patches(s, begin, end, x + n * s.H * s.W * s.C + g * inputs, patches.data());
          gemm_serial<T>(true, false, outputs, size, end - begin, 1,
                         y + (n * pixels + begin) * s.O + g * outputs, s.O, patches.data(), size, 1,
                         sum, size);
        }
    }
  });
  each_weight(s, [&](int64_t to, int64_t from) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; chunk++) sum += double(partial[chunk * weights + from]);
    w[to] = T(sum);
  });
}

template void forward(const ConvShape&, const float*, const float*, const float*, float, float*);
template void forward(const ConvShape&, const double*, const double*, const double*, double,
                      double*);
template void grad_input(const ConvShape&, const float*, const float*, const float*, float, float*);
template void grad_input(const ConvShape&, const double*, const double*, const double*, double,
                         double*);
template void grad_weight(const ConvShape&, const float*, const float*, float*);
template void grad_weight(const ConvShape&, const double*, const double*, double*);

}  // namespace clade::kernels::im2col

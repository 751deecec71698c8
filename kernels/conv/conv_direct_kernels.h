// What the direct convolution needs of an instruction set: three small kernels, compiled once for
// each set from conv_direct_body.h and chosen at run time.
//
// This header holds plain data only. The sources that include it are compiled for instructions
// which not every processor has; an inline function in it could be emitted from the AVX-512 source
// and be the one copy that the linker keeps for the whole program.
#pragma once

#include <cstdint>

#include "kernels/conv/conv_winograd_kernels.h"

namespace clade::kernels::direct {

// A piece of some images, channels in blocks of `lanes` (the floats of one vector register):
//
//     slab[channel block][row][phase][column][image][lane]
//
// Everything outside the images and every channel past the last is 0. Columns are dealt out to
// `phases` (the stride of the convolution): phase f holds columns f, f + phases, f + 2 phases, ...
// so that neighbours in the output always read neighbours in the slab. The images of a group stand
// side by side in a row, so that a row is long enough to fill a tile even when an image is 2 pixels
// wide.
struct Slab {
  int64_t first_row, first_column;        // where the slab begins in the image; may be negative
  int64_t rows, phases, columns, images;  // columns of one phase
  int64_t blocks;                         // of channels
  int64_t row, plane;                     // floats from row to row, from block to block
  float* data;
};

// The images that a slab is filled from: (images, height, width, channels), dense.
struct Images {
  const float* data;
  int64_t height, width, channels, first_channel;
};

// One tile of a sweep: `pixels` neighbours in a row of the slab times some output channels,
//
//     out[out_place[p] + o] = bias[o] + sum over taps t, channels c of
//                             in[tap_place[t] + p * lanes + c] * weight of (t, c, o)
//
// sweep: one or two vectors of output channels; a channel of the slab is broadcast to all of them.
//        weights [taps][channels, up to a multiple of kTogether][vectors * lanes]
// narrow: one or two output channels; a vector of channels is multiplied lane by lane and the lanes
//        are added up at the end. weights [taps][channel blocks][output channels][lanes]
struct SweepTile {
  const float* in;           // in the slab: pixel 0 of the tile at tap place 0
  int64_t plane;             // floats from channel block to channel block
  int64_t channels;          // of the slab
  const int64_t* tap_place;  // floats
  int64_t taps;
  const float* weights;  // 64-byte aligned
  const float* bias;
  float* out;
  const int64_t* out_place;  // [pixels], floats
  int64_t out_vector;        // floats from one vector of output channels to the next
  int64_t out_channels;      // to write: of the last vector perhaps not all
};

// One tile of a weight gradient: `weight_rows` pairs of a tap and an input channel, times one or
// two vectors of output channels. sum[r][o] += sum over rows, pixels of x[place[r] + (row, pixel)]
// * y[(row, pixel), o].
struct WeightTile {
  const float* x;
  const int64_t* place;  // [weight_rows], floats
  int64_t x_row;         // floats from row to row
  const float* y;        // rows follow each other without a gap
  int64_t y_plane;       // floats from one vector of output channels to the next
  int64_t rows, pixels;
  float* sum;  // [weight_rows][vectors * lanes]
};

constexpr int kMaxLanes = 16, kMaxVectors = 2, kMaxNarrow = 2, kMaxPixels = 12;
constexpr int kTogether = 2;  // channels that a sweep takes at once: the loop costs less

struct Kernels {
  int64_t lanes;
  int64_t max_pixels[kMaxVectors];        // of a sweep tile, by vectors - 1: what registers hold
  int64_t max_narrow_pixels[kMaxNarrow];  // by output channels - 1
  int64_t weight_rows;
  void (*fill)(const Slab&, const Images&);
  void (*sweep[kMaxVectors][kMaxPixels])(const SweepTile&);  // by vectors - 1, pixels - 1
  void (*narrow[kMaxNarrow][kMaxPixels])(const SweepTile&);  // by output channels - 1, pixels - 1
  void (*grad_weight[kMaxVectors])(const WeightTile&);       // by vectors - 1
  const winograd::Kernels* winograd;
};

// Null where the compiler was not given the instruction set. Data, not functions: no instruction of
// a set may run before it is known that the processor has it.
extern const Kernels* const avx512_kernels;
extern const Kernels* const avx2_kernels;
extern const Kernels* const baseline_kernels;

}  // namespace clade::kernels::direct

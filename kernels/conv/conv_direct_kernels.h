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
//     slab[channel block][row][phase][column][image][channel of the block]
//
// A block has as many channels as a vector has lanes; a thin slab, of up to kThin channels in all,
// has one block of 1, 2 or 4, so that the first layer's picture does not grow 16 times. Everything
// outside the images and every channel past the last is 0. Columns are dealt out to `phases` (the
// stride of the convolution): phase f holds columns f, f + phases, f + 2 phases, ... so that
// neighbours in the output always read neighbours in the slab. The images of a group stand side by
// side in a row, so that a row is long enough to fill a tile even when an image is 2 pixels wide.
struct Slab {
  int64_t first_row, first_column;        // where the slab begins in the image; may be negative
  int64_t rows, phases, columns, images;  // columns of one phase
  int64_t blocks, record;                 // of channels; floats of a pixel in each
  int64_t row, plane;                     // floats from row to row, from block to block
  float* data;
};

// The images that a slab is filled from: (images, height, width, channels), dense.
struct Images {
  const float* data;
  int64_t height, width, channels, first_channel;
};

// Memory that will be read soon, fetched into the second-level cache while a kernel multiplies: a
// few lines at each of its steps, since a burst of them would wait. A step of a sweep is a tap and
// a block of channels, one of a weight gradient is a row of pixels.
struct Ahead {
  const char* at;
  int64_t lines;  // of 64 bytes at each step; 0: none
  int64_t left;   // steps
};

// One tile of a sweep: `pixels` neighbours in a row of the slab times some output channels,
//
//     out[out_place[p] + o] = act(bias[o] + sum over taps t, channels c of
//                                 in[tap_place[t] + p * record + c] * weight of (t, c, o))
//
// sweep: one or two vectors of output channels; a channel of the slab is broadcast to all of them.
//        weights [taps][channels, up to a multiple of kTogether][vectors * lanes]
// thin:  the same over a thin slab, where a tap and a channel together count as one tap.
//        weights [taps][vectors * lanes]
// narrow: up to kMaxNarrow output channels; a vector of channels is multiplied lane by lane and the
//        lanes are added up at the end. weights [taps][channel blocks][output channels][lanes]
struct SweepTile {
  const float* in;           // in the slab: pixel 0 of the tile at tap place 0
  int64_t plane;             // floats from channel block to channel block
  int64_t channels;          // of the slab
  const int64_t* tap_place;  // floats
  int64_t taps;
  const float* weights;  // 64-byte aligned
  const float* bias;
  float slope;  // act(v) = v > 0 ? v : slope v
  float* out;
  const int64_t* out_place;  // [pixels], floats
  int64_t out_vector;        // floats from one vector of output channels to the next
  int64_t out_channels;      // to write: of the last vector perhaps not all
  Ahead ahead[2];            // of the next source and the next target
};

// One tile of a weight gradient: some pairs of a tap and an input channel, times one or two vectors
// of output channels. sum[r][o] += sum over rows, pixels of x[place[r] + (row, pixel)] *
// y[(row, pixel), o].
struct WeightTile {
  const float* x;
  const int64_t* place;      // of every pair, floats
  int64_t x_row, x_pixel;    // floats from row to row, from pixel to pixel (lanes, unless thin)
  const float* y;            // at any address; rows follow each other without a gap
  int64_t y_pixel, y_plane;  // from pixel to pixel (lanes, unless thin), from vector to vector
  int64_t rows, pixels;
  float* sum;      // [pairs][vectors * lanes]
  Ahead ahead[2];  // of the next x and y
};

constexpr int kMaxLanes = 16, kMaxVectors = 2, kMaxNarrow = 4, kMaxPixels = 12;
constexpr int kThin = 4, kThinRecords = 3;  // channels; records of 1, 2, 4 floats
constexpr int kTogether = 2;  // channels that a sweep takes at once: the loop costs less

struct Kernels {
  int64_t lanes;
  int64_t max_pixels[kMaxVectors];        // of a sweep tile, by vectors - 1: what registers hold
  int64_t max_narrow_pixels[kMaxNarrow];  // by output channels - 1
  int64_t weight_rows[2];                 // pairs of a weight tile; [1]: of a thin slab
  void (*fill)(const Slab&, const Images&);
  void (*sweep[kMaxVectors][kMaxPixels])(const SweepTile&);  // by vectors - 1, pixels - 1
  void (*narrow[kMaxNarrow][kMaxPixels])(const SweepTile&);  // by output channels - 1, pixels - 1
  void (*thin[kThinRecords][kMaxVectors][kMaxPixels])(const SweepTile&);  // log2(record), as sweep
  void (*grad_weight[2][kMaxVectors])(const WeightTile&);                 // thin, vectors - 1
  const winograd::Kernels* winograd;
};

// Null where the compiler was not given the instruction set. Data, not functions: no instruction of
// a set may run before it is known that the processor has it.
extern const Kernels* const avx512_kernels;
extern const Kernels* const avx2_kernels;
extern const Kernels* const baseline_kernels;

}  // namespace clade::kernels::direct

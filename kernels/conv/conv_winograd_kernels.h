// What Winograd's convolution needs of an instruction set, beside the register tiles of the direct
// one: the five small transforms, a vector of channels at a time. Plain data only, for the reason
// that conv_direct_kernels.h gives.
#pragma once

#include <cstdint>

namespace clade::kernels::winograd {

constexpr int kOut = 4;                   // a tile is 4 x 4 outputs ...
constexpr int kPatch = 6;                 // ... and looks at 6 x 6 inputs
constexpr int kPlanes = kPatch * kPatch;  // products a tile, each in a plane of its own

// A row of `tiles` neighbouring tiles, spread out into planes: 6 x 6 vectors (source) or 4 x 4
// (gradient) of each become 36 vectors, `to_plane` floats apart. All in floats.
struct Spread {
  const float* from;
  int64_t tile, row, column;  // from a tile, a row, a column to the next
  float* to;
  int64_t to_tile, to_plane;
  int64_t tiles;
};

// A row of tiles, gathered from planes: 36 vectors of each become 4 x 4 pixels of y, or as many of
// them as lie within it.
struct Gather {
  const float* from;
  int64_t tile, plane;
  const float* bias;  // a vector
  float slope;        // then v > 0 ? v : slope v
  float* to;
  int64_t to_row, to_column;
  int64_t rows, columns;  // pixels to write, of all the tiles together
  int64_t channels;       // of the vector's lanes, those to write
  int64_t tiles;
};

// 3 x 3 weights of `count` target channels (lanes) for one source channel become 36 vectors.
struct Weights {
  const float* from;
  int64_t target;          // floats from target channel to target channel
  int64_t first_tap, tap;  // 0 and 1, or 8 and -1 for the kernel turned by 180 degrees
  int64_t count;
  float* to;
  int64_t to_plane;
};

// The sums of all chunks, 36 vectors each, become one vector for each of the 9 taps.
struct Join {
  const float* from;
  int64_t chunk, plane, chunks;
  float* to;  // [9][lanes]
};

struct Kernels {
  void (*source)(const Spread&);
  void (*gradient)(const Spread&);
  void (*target)(const Gather&);
  void (*weights)(const Weights&);
  void (*join)(const Join&);
};

}  // namespace clade::kernels::winograd

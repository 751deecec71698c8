// What a packed product needs of an instruction set: compiled once for each set from
// gemm_packed_body.h and chosen at run time. Plain data only, for the reason that
// conv_direct_kernels.h gives.
#pragma once

#include <cstdint>

namespace clade::kernels::packed {

// Panels of `width` neighbours along one side of a matrix, all along K. Panel p, which begins at
// to + p * stride, holds
//     [k * width + i] = from[(p * width + i) * side + k * along], 0 where p * width + i >= count
struct Panels {
  const float* from;
  int64_t side, along;  // floats; one of them is 1
  int64_t count, depth;
  int64_t width;  // of a tile: its rows or its columns
  float* to;
  int64_t stride;  // at least width * depth + kSpill: so much is written past a panel
};
constexpr int64_t kSpill = 16;

// Some rows of C by two vectors of columns:
//     C = act(alpha (sum over k of a[k][row] b[k][column]) + beta C + bias[column])
struct Tile {
  const float *a, *b;  // panels
  int64_t depth;
  float alpha, beta;  // beta 0: C is not read
  const float* bias;  // or null
  float slope;        // act(v) = v > 0 ? v : slope v
  float* c;
  int64_t ldc, rows, columns;  // that C has; the rest of the tile is not written
  // What to fetch into the second-level cache meanwhile, one address a step of K: the first half of
  // the steps from ahead[0], the second half from ahead[1].
  const float* ahead[2];
  int64_t ahead_step;
};

// Two vectors' channels of what a tap of a convolution sees, pixel by pixel of some rows:
//     [(r * pixels + j) * columns + l] = x[rows[r].right + j * step + l]
// and the tile of such a strip, whose left side goes on at rows[r].left for every row:
//     C (+)= sum over r, j of a[(rows[r].left + j)][row] b[r * pixels + j][column]
struct RowPlace {
  int64_t left, right;  // the first pixel's in the panel; its floats from `x`
};
struct RowsStrip {
  const float* x;
  const RowPlace* rows;
  int64_t count, pixels;  // rows; pixels of each
  int64_t step;           // floats from pixel to pixel of x
  float* to;
};
struct RowsTile {
  const float *a, *b;
  const RowPlace* rows;
  int64_t count, pixels;
  bool add;  // else C is not read
  float* c;
  int64_t ldc, used;   // rows of C
  const float* ahead;  // to fetch into the second-level cache, a line a pixel
};

struct Kernels {
  int64_t lanes, rows, columns;  // of a vector; of a tile
  void (*pack)(const Panels&);
  void (*multiply)(const Tile&);
  void (*gather)(const RowsStrip&);  // two vectors
  void (*multiply_rows)(const RowsTile&);
};

// Null where the compiler was not given the instruction set.
extern const Kernels* const avx512_kernels;
extern const Kernels* const avx2_kernels;
extern const Kernels* const baseline_kernels;  // there always
const Kernels& kernels();                      // those of vectors()

}  // namespace clade::kernels::packed

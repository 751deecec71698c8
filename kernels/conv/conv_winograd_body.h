// Winograd's transforms for vectors of CLADE_LANES floats (conv_direct_body.h includes this).
//
// With the points 0, a, -a, b, -b and infinity, a = 5/8, b = 3/2 (Lavin and Gray 2016 for the
// method; the choice of points is from Barabasz et al. 2020, "Error analysis and improving the
// accuracy of Winograd convolution"). Per axis:
//
//     y = A^T [(G w) * (B^T x)]       6 products where a direct convolution takes 4 * 3 = 12
//
// Row i of B^T holds the coefficients of the product of (t - p_j) over all j but i, column i of A^T
// the powers of p_i, row i of G the powers of p_i over the product of (p_i - p_j). Rows of a and -a
// share their even and odd halves, which is all that the functions below exploit. Every constant of
// A and B is exact in f32.
#include "kernels/conv/conv_winograd_kernels.h"

namespace clade::kernels::winograd {
namespace {

using direct::load;
using direct::store;
using direct::store_some;

constexpr float a1 = 0.625f, a2 = a1 * a1, a3 = a2 * a1;
constexpr float b1 = 1.5f, b2 = b1 * b1, b3 = b2 * b1;
constexpr float g0 = 1 / (a2 * b2), ga = 1 / (2 * a2 * (a2 - b2)), gb = 1 / (2 * b2 * (b2 - a2));

// B^T d
inline void source_axis(const Vector d[6], Vector out[6]) {
  Vector even_a = d[4] - b2 * d[2], odd_a = a1 * (d[3] - b2 * d[1]);
  Vector even_b = d[4] - a2 * d[2], odd_b = b1 * (d[3] - a2 * d[1]);
  out[0] = a2 * b2 * d[0] - (a2 + b2) * d[2] + d[4];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = a2 * b2 * d[1] - (a2 + b2) * d[3] + d[5];
}

// A^T m
inline void target_axis(const Vector m[6], Vector out[4]) {
  Vector even_a = m[1] + m[2], odd_a = m[1] - m[2];
  Vector even_b = m[3] + m[4], odd_b = m[3] - m[4];
  out[0] = m[0] + even_a + even_b;
  out[1] = a1 * odd_a + b1 * odd_b;
  out[2] = a2 * even_a + b2 * even_b;
  out[3] = a3 * odd_a + b3 * odd_b + m[5];
}

// A d
inline void gradient_axis(const Vector d[4], Vector out[6]) {
  Vector even_a = d[0] + a2 * d[2], odd_a = a1 * d[1] + a3 * d[3];
  Vector even_b = d[0] + b2 * d[2], odd_b = b1 * d[1] + b3 * d[3];
  out[0] = d[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = d[3];
}

// G w
inline void weights_axis(const Vector w[3], Vector out[6]) {
  Vector even_a = ga * (w[0] + a2 * w[2]), odd_a = ga * a1 * w[1];
  Vector even_b = gb * (w[0] + b2 * w[2]), odd_b = gb * b1 * w[1];
  out[0] = g0 * w[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = w[2];
}

// G^T m
inline void join_axis(const Vector m[6], Vector out[3]) {
  Vector even_a = ga * (m[1] + m[2]), odd_a = ga * (m[1] - m[2]);
  Vector even_b = gb * (m[3] + m[4]), odd_b = gb * (m[3] - m[4]);
  out[0] = g0 * m[0] + even_a + even_b;
  out[1] = a1 * odd_a + b1 * odd_b;
  out[2] = a2 * even_a + b2 * even_b + m[5];
}

// Along columns, then along rows: `in` (I, I) becomes `out` (J, J).
template <int I, int J, void axis(const Vector*, Vector*)>
inline void both_axes(const Vector in[I][I], Vector out[J][J]) {
  Vector half[I][J];  // [column of in][row of out]
  CLADE_UNROLL
  for (int column = 0; column < I; column++) {
    Vector line[I];
    CLADE_UNROLL
    for (int row = 0; row < I; row++) line[row] = in[row][column];
    axis(line, half[column]);
  }
  CLADE_UNROLL
  for (int row = 0; row < J; row++) {
    Vector line[I];
    CLADE_UNROLL
    for (int column = 0; column < I; column++) line[column] = half[column][row];
    axis(line, out[row]);
  }
}

template <int I, void axis(const Vector*, Vector*)>
void spread(const Spread& s) {
  const float* from = s.from;
  float* to = s.to;
  for (int64_t t = 0; t < s.tiles; t++, from += s.tile, to += s.to_tile) {
    Vector in[I][I], out[kPatch][kPatch];
    CLADE_UNROLL
    for (int row = 0; row < I; row++) {
      CLADE_UNROLL
      for (int column = 0; column < I; column++)
        in[row][column] = load(from + row * s.row + column * s.column);
    }
    both_axes<I, kPatch, axis>(in, out);
    CLADE_UNROLL
    for (int row = 0; row < kPatch; row++) {
      CLADE_UNROLL
      for (int column = 0; column < kPatch; column++)
        store(to + (row * kPatch + column) * s.to_plane, out[row][column]);
    }
  }
}

void gather(const Gather& g) {
  const float* from = g.from;
  float* to = g.to;
  Vector bias = *(const LooseVector*)g.bias;
  for (int64_t t = 0; t < g.tiles; t++, from += g.tile, to += kOut * g.to_column) {
    Vector in[kPatch][kPatch], out[kOut][kOut];
    CLADE_UNROLL
    for (int row = 0; row < kPatch; row++) {
      CLADE_UNROLL
      for (int column = 0; column < kPatch; column++)
        in[row][column] = load(from + (row * kPatch + column) * g.plane);
    }
    both_axes<kPatch, kOut, target_axis>(in, out);
    int64_t columns = g.columns - t * kOut;
    if (columns >= kOut && g.rows >= kOut && g.channels >= kLanes) {
      CLADE_UNROLL
      for (int row = 0; row < kOut; row++) {
        CLADE_UNROLL
        for (int column = 0; column < kOut; column++)
          *(LooseVector*)(to + row * g.to_row + column * g.to_column) =
              activate(out[row][column] + bias, g.slope);
      }
    } else {
      for (int64_t row = 0; row < g.rows && row < kOut; row++)
        for (int64_t column = 0; column < columns && column < kOut; column++)
          store_some(to + row * g.to_row + column * g.to_column,
                     activate(out[row][column] + bias, g.slope), g.channels);
    }
  }
}

void spread_weights(const Weights& w) {
  Vector in[3][3], out[kPatch][kPatch];
  float* lanes = (float*)in;
  for (int64_t tap = 0; tap < 9; tap++, lanes += kLanes) {
    const float* from = w.from + w.first_tap + tap * w.tap;
    int64_t lane = 0;
    for (; lane < w.count; lane++) lanes[lane] = from[lane * w.target];
    for (; lane < kLanes; lane++) lanes[lane] = 0;
  }
  both_axes<3, kPatch, weights_axis>(in, out);
  for (int e = 0; e < kPlanes; e++) store(w.to + e * w.to_plane, out[e / kPatch][e % kPatch]);
}

void join_chunks(const Join& j) {
  Vector in[kPatch][kPatch], out[3][3];
  for (int e = 0; e < kPlanes; e++) {
    const float* from = j.from + e * j.plane;
    in[e / kPatch][e % kPatch] = load(from);
    for (int64_t chunk = 1; chunk < j.chunks; chunk++)
      in[e / kPatch][e % kPatch] += load(from + chunk * j.chunk);
  }
  both_axes<kPatch, 3, join_axis>(in, out);
  for (int tap = 0; tap < 9; tap++) store(j.to + tap * kLanes, out[tap / 3][tap % 3]);
}

constexpr Kernels kTransforms = {spread<kPatch, source_axis>, spread<kOut, gradient_axis>, gather,
                                 spread_weights, join_chunks};

}  // namespace
}  // namespace clade::kernels::winograd

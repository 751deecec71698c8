// The kernels of a packed product for vectors of CLADE_LANES floats and tiles of
// CLADE_GEMM_ROWS by two vectors: as many sums as registers hold beside two vectors of B and one
// broadcast of A. Everything has internal linkage (see conv_direct_kernels.h), and a * b + c is
// fused where the processor can.
#include <utility>  // integer_sequence, a type without functions

#include "kernels/gemm/gemm_packed_kernels.h"
#include "kernels/vector_body.h"

namespace clade::kernels::packed {
namespace {

constexpr int64_t kRows = CLADE_GEMM_ROWS, kVectors = 2;
static_assert(kRows <= kLanes, "pack_columns fills a panel's side by one square");
constexpr int64_t kColumns = kVectors * kLanes;

// C from the sums [rows][kColumns], for whatever a tile may ask.
void write_any(const Tile& tile, const float* sums) {
  for (int64_t r = 0; r < tile.rows; r++)
    for (int64_t j = 0; j < tile.columns; j += kLanes) {
      float* to = tile.c + r * tile.ldc + j;
      const int64_t left = tile.columns - j, count = left < kLanes ? left : kLanes;
      Vector value = *(const Vector*)(sums + r * kColumns + j) * tile.alpha, old{}, bias{};
      if (count == kLanes) {
        if (tile.beta != 0) old = *(const LooseVector*)to;
        if (tile.bias) bias = *(const LooseVector*)(tile.bias + j);
      } else {
        if (tile.beta != 0) copy_some(to, count, (float*)&old);
        if (tile.bias) copy_some(tile.bias + j, count, (float*)&bias);
      }
      if (tile.beta != 0) value += old * tile.beta;
      if (tile.bias) value += bias;
      value = activate(value, tile.slope);
      if (count == kLanes)
        *(LooseVector*)to = value;
      else
        copy_some((const float*)&value, count, to);
    }
}

// One step of K: sum += a row of each panel, multiplied out.
template <int64_t kUsed>
inline void multiply_step(const float* a, const float* b, Vector (&sum)[kUsed][kVectors]) {
  __builtin_prefetch(a + 8 * kRows, 0, 3);
  Vector right[kVectors];
  CLADE_UNROLL
  for (int v = 0; v < kVectors; v++) right[v] = *(const Vector*)(b + v * kLanes);
  CLADE_UNROLL
  for (int64_t r = 0; r < kUsed; r++) {
    const Vector left = broadcast(a[r]);
    CLADE_UNROLL
    for (int v = 0; v < kVectors; v++) sum[r][v] += left * right[v];
  }
}

// C = sum, or C + sum; whole vectors.
template <int64_t kUsed>
inline void write_sums(const Vector (&sum)[kUsed][kVectors], bool add, float* to, int64_t ldc) {
  CLADE_UNROLL
  for (int64_t r = 0; r < kUsed; r++) {
    LooseVector* c = (LooseVector*)(to + r * ldc);
    CLADE_UNROLL
    for (int v = 0; v < kVectors; v++) c[v] = add ? sum[r][v] + c[v] : sum[r][v];
  }
}

template <int64_t kUsed>  // rows of the tile that C has
void multiply_rows(const Tile& tile) {
  Vector sum[kUsed][kVectors] = {};
  CLADE_UNROLL
  for (int64_t r = 0; r < kUsed; r++) {
    __builtin_prefetch(tile.c + r * tile.ldc, 1, 3);
    __builtin_prefetch(tile.c + r * tile.ldc + tile.columns - 1, 1, 3);
  }
  const float *a = tile.a, *b = tile.b;
  int64_t k = 0;
  for (int half = 0; half < 2; half++) {
    const float* ahead = tile.ahead[half];
    const int64_t step = tile.ahead_step, end = half ? tile.depth : tile.depth / 2;
    for (; k < end; k++, a += kRows, b += kColumns, ahead += step) {
      __builtin_prefetch(ahead, 0, 2);
      multiply_step(a, b, sum);
    }
  }
  const bool plain = tile.columns == kColumns && tile.alpha == 1 && !tile.bias && tile.slope == 1;
  if (plain && (tile.beta == 0 || tile.beta == 1))
    return write_sums(sum, tile.beta == 1, tile.c, tile.ldc);
  alignas(64) float sums[kUsed * kColumns];
  CLADE_UNROLL
  for (int64_t r = 0; r < kUsed; r++) {
    CLADE_UNROLL
    for (int v = 0; v < kVectors; v++) *(Vector*)(sums + r * kColumns + v * kLanes) = sum[r][v];
  }
  write_any(tile, sums);
}

template <int64_t kUsed>
void multiply_some(const Tile& tile) {
  if constexpr (kUsed > 1) {
    if (tile.rows < kUsed) return multiply_some<kUsed - 1>(tile);
  }
  multiply_rows<kUsed>(tile);
}
void multiply(const Tile& tile) { multiply_some<kRows>(tile); }

void gather(const RowsStrip& p) {
  float* to = p.to;
  for (const RowPlace *row = p.rows, *end = row + p.count; row < end; row++) {
    const float* x = p.x + row->right;
    for (int64_t j = 0; j < p.pixels; j++, x += p.step, to += kColumns) {
      CLADE_UNROLL
      for (int v = 0; v < kVectors; v++)
        *(Vector*)(to + v * kLanes) = *(const LooseVector*)(x + v * kLanes);
    }
  }
}

template <int64_t kUsed>
void multiply_by_some_rows(const RowsTile& tile) {
  if constexpr (kUsed > 1) {
    if (tile.used < kUsed) return multiply_by_some_rows<kUsed - 1>(tile);
  }
  constexpr int64_t kLine = 16;  // floats
  Vector sum[kUsed][kVectors] = {};
  const float *b = tile.b, *ahead = tile.ahead;
  for (const RowPlace *row = tile.rows, *end = row + tile.count; row < end; row++) {
    const float* a = tile.a + row->left * kRows;
    for (int64_t j = 0; j < tile.pixels; j++, a += kRows, b += kColumns, ahead += kLine) {
      __builtin_prefetch(ahead, 0, 2);
      multiply_step(a, b, sum);
    }
  }
  write_sums(sum, tile.add, tile.c, tile.ldc);
}
void multiply_by_rows(const RowsTile& tile) { multiply_by_some_rows<kRows>(tile); }

// Two vectors seen as groups of four floats: the first (second) halves of their groups, by turns
// one float or two of each; the even (odd) groups of one, then of the other.
template <int64_t Half, int64_t... L>
inline Vector mix_ones(Vector a, Vector b, std::integer_sequence<int64_t, L...>) {
  return __builtin_shufflevector(a, b, (L / 4 * 4 + Half * 2 + L % 4 / 2 + L % 2 * kLanes)...);
}
template <int64_t Half, int64_t... L>
inline Vector mix_twos(Vector a, Vector b, std::integer_sequence<int64_t, L...>) {
  return __builtin_shufflevector(a, b, (L / 4 * 4 + Half * 2 + L % 2 + L % 4 / 2 * kLanes)...);
}
template <int64_t Odd, int64_t... L>
inline Vector groups(Vector a, Vector b, std::integer_sequence<int64_t, L...>) {
  return __builtin_shufflevector(
      a, b, (L * 2 / kLanes * kLanes + (L % (kLanes / 2) / 4 * 2 + Odd) * 4 + L % 4)...);
}

// The transpose of a square of kLanes by kLanes, in place: squares of four within groups, then the
// groups.
static_assert(kLanes == 4 || kLanes == 8 || kLanes == 16);
template <int64_t kSide = kLanes>
inline void transpose(Vector (&m)[kSide]) {
  constexpr auto all = std::make_integer_sequence<int64_t, kLanes>();
  CLADE_UNROLL
  for (int64_t i = 0; i < kLanes; i += 4) {
    const Vector a = mix_ones<0>(m[i], m[i + 1], all), b = mix_ones<1>(m[i], m[i + 1], all);
    const Vector c = mix_ones<0>(m[i + 2], m[i + 3], all), d = mix_ones<1>(m[i + 2], m[i + 3], all);
    m[i] = mix_twos<0>(a, c, all), m[i + 1] = mix_twos<1>(a, c, all);
    m[i + 2] = mix_twos<0>(b, d, all), m[i + 3] = mix_twos<1>(b, d, all);
  }
  if constexpr (kSide == 8) {
    CLADE_UNROLL
    for (int64_t j = 0; j < 4; j++) {
      const Vector a = m[j], b = m[4 + j];
      m[j] = groups<0>(a, b, all), m[4 + j] = groups<1>(a, b, all);
    }
  } else if constexpr (kSide == 16) {
    CLADE_UNROLL
    for (int64_t j = 0; j < 4; j++) {
      const Vector a = groups<0>(m[j], m[4 + j], all), b = groups<0>(m[8 + j], m[12 + j], all);
      const Vector c = groups<1>(m[j], m[4 + j], all), d = groups<1>(m[8 + j], m[12 + j], all);
      m[j] = groups<0>(a, b, all), m[8 + j] = groups<1>(a, b, all);
      m[4 + j] = groups<0>(c, d, all), m[12 + j] = groups<1>(c, d, all);
    }
  }
}

// Neighbours lie side by side: row k of all panels is one piece of memory, and is copied before the
// next, for the rows may lie pages apart. A panel's row may be written past its end: there the next
// row follows, which is copied later.
template <int64_t kWidth>
void pack_rows(const Panels& p) {
  constexpr int64_t kCopied = (kWidth + kLanes - 1) / kLanes * kLanes, kAhead = 8;  // rows
  for (int64_t k = 0; k < p.depth; k++) {
    const float* from = p.from + k * p.along;
    float* to = p.to + k * kWidth;
    int64_t i = 0;
    for (; i + kCopied <= p.count; i += kWidth, to += p.stride) {
      __builtin_prefetch(from + i + kAhead * p.along, 0, 3);
      if (kWidth > kLanes) __builtin_prefetch(from + i + kAhead * p.along + kWidth - 1, 0, 3);
      CLADE_UNROLL
      for (int64_t l = 0; l < kCopied; l += kLanes)
        *(LooseVector*)(to + l) = *(const LooseVector*)(from + i + l);
    }
    for (; i < p.count; i += kWidth, to += p.stride)
      for (int64_t l = 0; l < kWidth; l++) to[l] = i + l < p.count ? from[i + l] : 0;
  }
}

// Panels of less than kLanes steps of K.
void pack_small(const Panels& p) {
  for (int64_t i = 0; i < (p.count + p.width - 1) / p.width * p.width; i++)
    for (int64_t k = 0; k < p.depth; k++)
      p.to[i / p.width * p.stride + k * p.width + i % p.width] =
          i < p.count ? p.from[i * p.side + k * p.along] : 0;
}

// Neighbours lie far apart, each with its steps of K side by side: squares of kLanes by kLanes are
// turned. A square may be wider than what is left of the panel: its surplus falls on the next step,
// which comes later, or past the end.
void pack_columns(const Panels& p) {
  for (int64_t first = 0; first < p.count; first += p.width) {
    float* to = p.to + first / p.width * p.stride;
    const int64_t count = p.count - first < p.width ? p.count - first : p.width;
    auto load = [&](int64_t row, int64_t k) {
      return *(const LooseVector*)(p.from + (first + row) * p.side + k);
    };
    for (int64_t k = 0; k < p.depth; k += kLanes) {
      if (k + kLanes > p.depth) {  // the last squares overlap those before them
        if (p.depth < kLanes) return pack_small(p);
        k = p.depth - kLanes;
      }
      for (int64_t i = 0; i < p.width; i += kLanes) {
        Vector square[kLanes] = {};
        CLADE_UNROLL
        for (int64_t r = 0; r < kLanes; r++)
          if (i + r < count) square[r] = load(i + r, k);
        transpose(square);
        CLADE_UNROLL
        for (int64_t l = 0; l < kLanes; l++)
          *(LooseVector*)(to + (k + l) * p.width + i) = square[l];
      }
    }
  }
}

void pack(const Panels& p) {
  if (p.side != 1) return pack_columns(p);
  p.width == kRows ? pack_rows<kRows>(p) : pack_rows<kColumns>(p);
}

constexpr Kernels kKernels = {kLanes, kRows, kColumns, pack, multiply, gather, multiply_by_rows};

}  // namespace
}  // namespace clade::kernels::packed

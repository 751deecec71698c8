// The kernels of a packed product for vectors of CLADE_GEMM_LANES floats and tiles of
// CLADE_GEMM_ROWS by two vectors: as many sums as registers hold beside two vectors of B and one
// broadcast of A. Everything has internal linkage (see conv_direct_kernels.h), and a * b + c is
// fused.
#include "kernels/gemm/gemm_packed_kernels.h"

#if defined(__clang__)
#define CLADE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CLADE_UNROLL _Pragma("GCC unroll 16")
#endif

namespace clade::kernels::packed {
namespace {

constexpr int64_t kLanes = CLADE_GEMM_LANES, kRows = CLADE_GEMM_ROWS, kVectors = 2;
constexpr int64_t kColumns = kVectors * kLanes;
typedef float Vector __attribute__((vector_size(kLanes * 4), may_alias));
typedef float LooseVector __attribute__((vector_size(kLanes * 4), may_alias, aligned(4)));

// b - 0 is b to the last bit, so compilers make it a plain broadcast.
inline Vector broadcast(float b) { return b - Vector{}; }

// v > 0 ? v : slope v, of a number or a vector; ReLU of minus infinity is 0, of NaN NaN.
template <class V>
inline V activate(V v, float slope) {
  if (slope == 0) return v <= 0 ? V{} : v;
  return v > 0 ? v : v * slope;
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
      __builtin_prefetch(a + 8 * kRows, 0, 3);
      __builtin_prefetch(ahead, 0, 2);
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
  }
  if (tile.columns == kColumns) {
    CLADE_UNROLL
    for (int64_t r = 0; r < kUsed; r++) {
      CLADE_UNROLL
      for (int v = 0; v < kVectors; v++) {
        LooseVector& c = *(LooseVector*)(tile.c + r * tile.ldc + v * kLanes);
        Vector value = sum[r][v] * tile.alpha;
        if (tile.beta != 0) value += c * tile.beta;
        if (tile.bias) value += *(const LooseVector*)(tile.bias + v * kLanes);
        c = activate(value, tile.slope);
      }
    }
    return;
  }
  for (int64_t r = 0; r < kUsed; r++)
    for (int64_t j = 0; j < tile.columns; j++) {
      float& c = tile.c[r * tile.ldc + j];
      float value = ((const float*)sum[r])[j] * tile.alpha;
      if (tile.beta != 0) value += c * tile.beta;
      if (tile.bias) value += tile.bias[j];
      c = activate(value, tile.slope);
    }
}

template <int64_t kUsed>
void multiply_some(const Tile& tile) {
  if constexpr (kUsed > 1) {
    if (tile.rows < kUsed) return multiply_some<kUsed - 1>(tile);
  }
  multiply_rows<kUsed>(tile);
}
void multiply(const Tile& tile) { multiply_some<kRows>(tile); }

// The transpose of a square of kLanes by kLanes, in place, by exchanging blocks of half the size at
// each step.
inline void transpose(Vector (&m)[kLanes]) {
  typedef int32_t Index __attribute__((vector_size(kLanes * 4)));
  CLADE_UNROLL
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    Index low{}, high{};
    CLADE_UNROLL
    for (int64_t i = 0; i < kLanes; i++) {
      low[i] = int32_t(i & half ? kLanes + i - half : i);
      high[i] = int32_t(i & half ? kLanes + i : i + half);
    }
    CLADE_UNROLL
    for (int64_t i = 0; i < kLanes; i++)
      if (!(i & half)) {
        const Vector first = m[i], second = m[i + half];
#if defined(__clang__)
        float both[2 * kLanes];
        *(LooseVector*)both = first;
        *(LooseVector*)(both + kLanes) = second;
        for (int64_t l = 0; l < kLanes; l++) m[i][l] = both[low[l]], m[i + half][l] = both[high[l]];
#else
        m[i] = __builtin_shuffle(first, second, low);
        m[i + half] = __builtin_shuffle(first, second, high);
#endif
      }
  }
}

// Neighbours lie side by side: row k of all panels is one piece of memory, and is copied before the
// next, for the rows may lie pages apart. A panel's row may be written past its end: there the next
// row follows, which is copied later.
void pack_rows(const Panels& p) {
  for (int64_t k = 0; k < p.depth; k++) {
    const float* from = p.from + k * p.along;
    float* to = p.to + k * p.width;
    int64_t i = 0;
    for (; i + (p.width + kLanes - 1) / kLanes * kLanes <= p.count; i += p.width, to += p.stride)
      for (int64_t l = 0; l < p.width; l += kLanes)
        *(LooseVector*)(to + l) = *(const LooseVector*)(from + i + l);
    for (; i < p.count; i += p.width, to += p.stride)
      for (int64_t l = 0; l < p.width; l++) to[l] = i + l < p.count ? from[i + l] : 0;
  }
}

// Neighbours lie far apart, each with its steps of K side by side: squares of kLanes by kLanes are
// turned. A square may be wider than what is left of the panel: its surplus falls on the next step,
// which comes later, or past the end.
void pack_columns(const Panels& p) {
  for (int64_t first = 0; first < p.count; first += p.width) {
    float* to = p.to + first / p.width * p.stride;
    const int64_t count = p.count - first < p.width ? p.count - first : p.width;
    for (int64_t k = 0; k < p.depth; k += kLanes) {
      const int64_t steps = p.depth - k < kLanes ? p.depth - k : kLanes;
      for (int64_t i = 0; i < p.width; i += kLanes) {
        Vector square[kLanes] = {};
        const float* from = p.from + (first + i) * p.side + k;
        if (steps == kLanes && i + kLanes <= count) {
          CLADE_UNROLL
          for (int64_t r = 0; r < kLanes; r++) square[r] = *(const LooseVector*)(from + r * p.side);
        } else {
          for (int64_t r = 0; r < kLanes && i + r < count; r++)
            for (int64_t l = 0; l < steps; l++) square[r][l] = from[r * p.side + l];
        }
        transpose(square);
        if (steps == kLanes) {
          CLADE_UNROLL
          for (int64_t l = 0; l < kLanes; l++)
            *(LooseVector*)(to + (k + l) * p.width + i) = square[l];
        } else {
          for (int64_t l = 0; l < steps; l++)
            *(LooseVector*)(to + (k + l) * p.width + i) = square[l];
        }
      }
    }
  }
}

void pack(const Panels& p) { p.side == 1 ? pack_rows(p) : pack_columns(p); }

constexpr Kernels kKernels = {kLanes, kRows, kColumns, pack, multiply};

}  // namespace
}  // namespace clade::kernels::packed

// The kernels of the direct convolution for vectors of CLADE_LANES floats. Included by exactly
// one source per instruction set, which says the lanes and the registers; everything here has
// internal linkage, for the reason that conv_direct_kernels.h gives.
//
// The multiplying kernels hold a tile of sums in registers and do nothing but broadcast one float,
// load a vector and multiply-add. A tile of P broadcasts by K vectors costs P + K loads for P K
// multiply-adds; the processor can do two of each a cycle, a multiply-add takes 4 cycles, so it
// wants P K >= 8 sums and P + K well under P K. The files are compiled with -ffp-contract=fast:
// here alone a * b + c is one rounding (where the processor has it), which doubles the speed.
#include <utility>  // integer_sequence, a type without functions

#include "kernels/conv/conv_direct_kernels.h"
#include "kernels/vector_body.h"

namespace clade::kernels::direct {
namespace {

typedef int32_t Bits __attribute__((vector_size(kLanes * 4), may_alias));
typedef int32_t LooseBits __attribute__((vector_size(kLanes * 4), may_alias, aligned(4)));

inline Vector load(const float* aligned) { return *(const Vector*)aligned; }
inline void store(float* aligned, Vector v) { *(Vector*)aligned = v; }
// The first `count` lanes, at any address.
inline void store_some(float* to, Vector v, int64_t count) {
  if (count >= kLanes) {
    *(LooseVector*)to = v;
  } else {
    copy_some((const float*)&v, count, to);
  }
}

inline const char* fetch(const char* at, int64_t lines) {
  for (; lines > 0; lines--, at += 64) __builtin_prefetch(at, 0, 2);
  return at;
}

// What is the same for all sums is asked once: with few taps the asking took as long as the sums.
template <int P, int K>
inline void write_sums(const SweepTile& tile, Vector (&sum)[P][K]) {
  const float slope = tile.slope;
  if (slope != 1) {
    CLADE_UNROLL
    for (int p = 0; p < P; p++) {
      CLADE_UNROLL
      for (int k = 0; k < K; k++) sum[p][k] = activate(sum[p][k], slope);
    }
  }
  const int64_t* place = tile.out_place;
  float* out = tile.out;
  const int64_t next = tile.out_vector, last = tile.out_channels - (K - 1) * kLanes;
  if (last >= kLanes) {
    CLADE_UNROLL
    for (int p = 0; p < P; p++) {
      CLADE_UNROLL
      for (int k = 0; k < K; k++) *(LooseVector*)(out + place[p] + k * next) = sum[p][k];
    }
    return;
  }
  CLADE_UNROLL
  for (int p = 0; p < P; p++) {
    CLADE_UNROLL
    for (int k = 0; k < K; k++)
      store_some(out + place[p] + k * next, sum[p][k], tile.out_channels - k * kLanes);
  }
}

template <int P, int K>
void sweep_tile(const SweepTile& tile) {
  Vector sum[P][K];
  CLADE_UNROLL
  for (int p = 0; p < P; p++) {
    CLADE_UNROLL
    for (int k = 0; k < K; k++) sum[p][k] = load(tile.bias + k * kLanes);
  }
  const float* w = tile.weights;
  const char *source = tile.ahead[0].at, *target = tile.ahead[1].at;
  for (int64_t t = 0; t < tile.taps; t++) {
    const float* block = tile.in + tile.tap_place[t];
    for (int64_t left = tile.channels; left > 0; left -= kLanes, block += tile.plane) {
      source = fetch(source, tile.ahead[0].lines);
      target = fetch(target, tile.ahead[1].lines);
      const float* end = block + (left < kLanes ? left : kLanes);
      for (const float* x = block; x < end; x += kTogether) {
        CLADE_UNROLL
        for (int c = 0; c < kTogether; c++, w += K * kLanes) {
          Vector weight[K];
          CLADE_UNROLL
          for (int k = 0; k < K; k++) weight[k] = load(w + k * kLanes);
          CLADE_UNROLL
          for (int p = 0; p < P; p++) {
            Vector value = broadcast(x[p * kLanes + c]);
            CLADE_UNROLL
            for (int k = 0; k < K; k++) sum[p][k] += weight[k] * value;
          }
        }
      }
    }
  }
  write_sums(tile, sum);
}

// A tap here is a tap and a channel: nothing is left to loop over inside.
template <int P, int K, int Record>
void thin_tile(const SweepTile& tile) {
  Vector sum[P][K];
  CLADE_UNROLL
  for (int p = 0; p < P; p++) {
    CLADE_UNROLL
    for (int k = 0; k < K; k++) sum[p][k] = load(tile.bias + k * kLanes);
  }
  const float* w = tile.weights;
  fetch(tile.ahead[0].at, tile.ahead[0].lines * tile.taps);  // few
  const char* target = tile.ahead[1].at;
  const int64_t lines = tile.ahead[1].lines, taps = tile.taps;
  const int64_t* place = tile.tap_place;
  const float* in = tile.in;
  for (int64_t t = 0; t < taps; t++, w += K * kLanes) {
    target = fetch(target, lines);
    const float* x = in + place[t];
    Vector weight[K];
    CLADE_UNROLL
    for (int k = 0; k < K; k++) weight[k] = load(w + k * kLanes);
    CLADE_UNROLL
    for (int p = 0; p < P; p++) {
      Vector value = broadcast(x[p * Record]);
      CLADE_UNROLL
      for (int k = 0; k < K; k++) sum[p][k] += weight[k] * value;
    }
  }
  write_sums(tile, sum);
}

// a[l] + a[l + Half] where lane l lacks that bit, b[l - Half] + b[l] where it has it.
template <int64_t Half, int64_t... L>
inline Vector fold(Vector a, Vector b, std::integer_sequence<int64_t, L...>) {
  return __builtin_shufflevector(a, b, (L & Half ? kLanes + L - Half : L)...) +
         __builtin_shufflevector(a, b, (L & Half ? kLanes + L : L + Half)...);
}

// The sum of all lanes of vector l becomes lane l of the first vector: 3 kLanes operations for
// kLanes sums, each taken in the order of a tree, halves first.
template <int64_t Half>
inline void sum_lanes(Vector* v) {
  CLADE_UNROLL
  for (int64_t i = 0; i < Half; i++)
    v[i] = fold<Half>(v[i], v[i + Half], std::make_integer_sequence<int64_t, kLanes>());
  if constexpr (Half > 1) sum_lanes<Half / 2>(v);
}

template <int P, int O>
void narrow_tile(const SweepTile& tile) {
  Vector sum[P][O];
  CLADE_UNROLL
  for (int p = 0; p < P; p++) {
    CLADE_UNROLL
    for (int o = 0; o < O; o++) sum[p][o] = Vector{};
  }
  const float* w = tile.weights;
  const char* source = tile.ahead[0].at;  // the target is small
  for (int64_t t = 0; t < tile.taps; t++) {
    const float* x = tile.in + tile.tap_place[t];
    for (int64_t left = tile.channels; left > 0; left -= kLanes, x += tile.plane, w += O * kLanes) {
      source = fetch(source, tile.ahead[0].lines);
      Vector weight[O];
      CLADE_UNROLL
      for (int o = 0; o < O; o++) weight[o] = load(w + o * kLanes);
      CLADE_UNROLL
      for (int p = 0; p < P; p++) {
        Vector values = load(x + p * kLanes);
        CLADE_UNROLL
        for (int o = 0; o < O; o++) sum[p][o] += weight[o] * values;
      }
    }
  }
  constexpr int64_t kSums = P * O, kGroups = (kSums + kLanes - 1) / kLanes;
  alignas(64) float totals[kGroups * kLanes];
  CLADE_UNROLL
  for (int64_t g = 0; g < kGroups; g++) {
    Vector group[kLanes];
    CLADE_UNROLL
    for (int64_t l = 0; l < kLanes; l++) {
      const int64_t i = g * kLanes + l;
      group[l] = i < kSums ? sum[i / O][i % O] : Vector{};
    }
    sum_lanes<kLanes / 2>(group);
    store(totals + g * kLanes, group[0]);
  }
  CLADE_UNROLL
  for (int p = 0; p < P; p++) {
    CLADE_UNROLL
    for (int o = 0; o < O; o++)
      tile.out[tile.out_place[p] + o] = activate(tile.bias[o] + totals[p * O + o], tile.slope);
  }
}

// Strides that are constants leave the loop a register; with Thin they are those of a thin slab of
// x and of y where it lies.
template <int R, int K, bool Thin>
void weight_tile(const WeightTile& tile) {
  const int64_t x_pixel = Thin ? tile.x_pixel : kLanes, y_pixel = Thin ? tile.y_pixel : kLanes;
  Vector sum[R][K];
  const float* x[R];
  CLADE_UNROLL
  for (int r = 0; r < R; r++) {
    x[r] = tile.x + tile.place[r];
    CLADE_UNROLL
    for (int k = 0; k < K; k++) sum[r][k] = load(tile.sum + (r * K + k) * kLanes);
  }
  const float* y = tile.y;
  const char *next_x = tile.ahead[0].at, *next_y = tile.ahead[1].at;
  for (int64_t row = 0; row < tile.rows; row++) {
    next_x = fetch(next_x, tile.ahead[0].lines);
    next_y = fetch(next_y, tile.ahead[1].lines);
    int64_t begin = row * tile.x_row, end = begin + tile.pixels * x_pixel;
    for (int64_t at = begin; at < end; at += x_pixel, y += y_pixel) {
      Vector gradient[K];
      CLADE_UNROLL
      for (int k = 0; k < K; k++) gradient[k] = *(const LooseVector*)(y + k * tile.y_plane);
      CLADE_UNROLL
      for (int r = 0; r < R; r++) {
        Vector value = broadcast(x[r][at]);
        CLADE_UNROLL
        for (int k = 0; k < K; k++) sum[r][k] += gradient[k] * value;
      }
    }
  }
  CLADE_UNROLL
  for (int r = 0; r < R; r++) {
    CLADE_UNROLL
    for (int k = 0; k < K; k++) store(tile.sum + (r * K + k) * kLanes, sum[r][k]);
  }
}

// Records of one vector at `to`, `to_step` floats apart: `before` of zeros, `inside` with the first
// `count` floats at `from` and zeros after them, `after` of zeros. Up to `end`, past the last
// record, floats may be read: then a record is a vector load and a mask.
void fill_records(int64_t before, int64_t inside, int64_t after, const float* from,
                  int64_t from_step, const float* end, int64_t count, float* to, int64_t to_step) {
  Bits used{};
  for (int64_t c = 0; c < count; c++) used[c] = -1;
  for (; before > 0; before--, to += to_step) store(to, Vector{});
  for (; inside > 0 && end - from >= kLanes; inside--, from += from_step, to += to_step)
    *(Bits*)to = *(const LooseBits*)from & used;
  for (; inside > 0; inside--, from += from_step, to += to_step)
    for (int64_t c = 0; c < kLanes; c++) to[c] = c < count ? from[c] : 0;
  for (; after > 0; after--, to += to_step) store(to, Vector{});
}

inline int64_t clamp(int64_t value, int64_t most) {
  return value < 0 ? 0 : value > most ? most : value;
}

// The channels of a row that a slab takes.
void fetch_row(const Images& images, const float* row, int64_t channels) {
  const bool all = images.first_channel == 0 && channels >= images.channels;
  const int64_t pieces = all ? 1 : images.width;
  const int64_t floats = all ? images.width * images.channels : channels;
  row += images.first_channel;
  for (int64_t w = 0; w < pieces; w++, row += images.channels)
    for (int64_t i = 0; i < floats; i += 16) __builtin_prefetch(row + i);
}

typedef int32_t QuadBits __attribute__((vector_size(16)));
typedef int32_t LooseQuad __attribute__((vector_size(16), may_alias, aligned(4)));

// Records of a thin slab: few floats each, and few in all.
void fill_thin(int64_t before, int64_t inside, int64_t after, const float* from, int64_t from_step,
               int64_t count, int64_t record, float* to, int64_t to_step) {
  if (count == record && from_step == record && to_step == record) {
    for (int64_t i = 0; i < before * record; i++) *to++ = 0;
    const int64_t floats = inside * record, last = floats - kLanes;
    for (int64_t i = 0; i < last; i += kLanes)
      *(LooseVector*)(to + i) = *(const LooseVector*)(from + i);
    if (last >= 0)  // over some of the vector before
      *(LooseVector*)(to + last) = *(const LooseVector*)(from + last);
    else
      for (int64_t i = 0; i < floats; i++) to[i] = from[i];
    to += floats;
    for (int64_t i = 0; i < after * record; i++) *to++ = 0;
    return;
  }
  for (; before > 0; before--, to += to_step)
    for (int64_t c = 0; c < record; c++) to[c] = 0;
  if (record == 4) {  // all but the last, behind which there may be no float to read
    const QuadBits used{-1, -1, -1, count > 3 ? -1 : 0};
    for (; inside > 1; inside--, from += from_step, to += to_step)
      *(LooseQuad*)to = *(const LooseQuad*)from & used;
  }
  for (; inside > 0; inside--, from += from_step, to += to_step)
    for (int64_t c = 0; c < record; c++) to[c] = c < count ? from[c] : 0;
  for (; after > 0; after--, to += to_step)
    for (int64_t c = 0; c < record; c++) to[c] = 0;
}

void fill_slab(const Slab& slab, const Images& images) {
  const int64_t from_row = images.width * images.channels, from_image = images.height * from_row;
  for (int64_t r = 0; r < slab.rows; r++) {
    int64_t h = slab.first_row + r;
    bool row_inside = h >= 0 && h < images.height;
    // A row is read several times, a channel block and a phase at a time, in steps that the
    // processor does not foresee; the next row is fetched in the order in which it lies.
    if (h + 1 >= 0 && h + 1 < images.height && r + 1 < slab.rows)
      for (int64_t n = 0; n < slab.images; n++)
        fetch_row(images, images.data + n * from_image + (h + 1) * from_row,
                  slab.blocks * slab.record);
    for (int64_t b = 0; b < slab.blocks; b++) {
      int64_t channel = images.first_channel + b * slab.record, left = images.channels - channel;
      for (int64_t f = 0; f < slab.phases; f++) {
        // column q of the phase is column w + q * phases of the image
        int64_t w = slab.first_column + f, p = slab.phases;
        int64_t begin = row_inside ? clamp((p - 1 - w) / p, slab.columns) : 0;
        int64_t end = row_inside ? clamp((images.width - w + p - 1) / p, slab.columns) : 0;
        float* to = slab.data + b * slab.plane + r * slab.row +
                    f * slab.columns * slab.images * slab.record;
        const float* from =
            images.data + h * from_row + (w + begin * p) * images.channels + channel;
        const float* row_end = images.data + (h + 1) * from_row;
        const int64_t step = slab.images * slab.record, after = slab.columns - end;
        for (int64_t n = 0; n < slab.images;
             n++, to += slab.record, from += from_image, row_end += from_image)
          if (slab.record < kLanes)
            fill_thin(begin, end - begin, after, from, p * images.channels, left, slab.record, to,
                      step);
          else
            fill_records(begin, end - begin, after, from, p * images.channels, row_end,
                         left < kLanes ? left : kLanes, to, step);
      }
    }
  }
}

}  // namespace
}  // namespace clade::kernels::direct

#include "kernels/conv/conv_winograd_body.h"

namespace clade::kernels::direct {
namespace {

// With 32 registers 12 x 2 sums leave room for 2 weights and a broadcast; with 16 registers 6 x 2.
constexpr bool kManyRegisters = CLADE_CONV_REGISTERS == 32;
constexpr int kPixels[kMaxVectors] = {12, kManyRegisters ? 12 : 6};
constexpr int kNarrowPixels[kMaxNarrow] = {12, kManyRegisters ? 12 : 6, kManyRegisters ? 8 : 4,
                                           kManyRegisters ? 6 : 3};
// 9 for thin slabs: the pairs of a 3 x 3 kernel on one channel.
constexpr int kWeightRows[2] = {kManyRegisters ? 8 : 4, kManyRegisters ? 9 : 5};

template <int K, int... P>
constexpr void list_sweeps(Kernels& kernels, std::integer_sequence<int, P...>) {
  kernels.max_pixels[K - 1] = sizeof...(P);
  ((kernels.sweep[K - 1][P] = sweep_tile<P + 1, K>), ...);
}

template <int Log, int K, int... P>
constexpr void list_thin(Kernels& kernels, std::integer_sequence<int, P...>) {
  ((kernels.thin[Log][K - 1][P] = thin_tile<P + 1, K, 1 << Log>), ...);
}

template <int... Log>
constexpr void list_thin_records(Kernels& kernels, std::integer_sequence<int, Log...>) {
  (list_thin<Log, 1>(kernels, std::make_integer_sequence<int, kPixels[0]>()), ...);
  (list_thin<Log, 2>(kernels, std::make_integer_sequence<int, kPixels[1]>()), ...);
}

template <int O, int... P>
constexpr void list_narrow(Kernels& kernels, std::integer_sequence<int, P...>) {
  kernels.max_narrow_pixels[O - 1] = sizeof...(P);
  ((kernels.narrow[O - 1][P] = narrow_tile<P + 1, O>), ...);
}

constexpr Kernels make_kernels() {
  Kernels kernels{};
  kernels.lanes = kLanes;
  kernels.weight_rows[0] = kWeightRows[0];
  kernels.weight_rows[1] = kWeightRows[1];
  kernels.fill = fill_slab;
  list_sweeps<1>(kernels, std::make_integer_sequence<int, kPixels[0]>());
  list_sweeps<2>(kernels, std::make_integer_sequence<int, kPixels[1]>());
  list_narrow<1>(kernels, std::make_integer_sequence<int, kNarrowPixels[0]>());
  list_narrow<2>(kernels, std::make_integer_sequence<int, kNarrowPixels[1]>());
  list_narrow<3>(kernels, std::make_integer_sequence<int, kNarrowPixels[2]>());
  list_narrow<4>(kernels, std::make_integer_sequence<int, kNarrowPixels[3]>());
  list_thin_records(kernels, std::make_integer_sequence<int, kThinRecords>());
  kernels.grad_weight[0][0] = weight_tile<kWeightRows[0], 1, false>;
  kernels.grad_weight[0][1] = weight_tile<kWeightRows[0], 2, false>;
  kernels.grad_weight[1][0] = weight_tile<kWeightRows[1], 1, true>;
  kernels.grad_weight[1][1] = weight_tile<kWeightRows[1], 2, true>;
  kernels.winograd = &winograd::kTransforms;
  return kernels;
}

}  // namespace
}  // namespace clade::kernels::direct

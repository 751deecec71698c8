// The weight gradient as products on the packed kernels (gemm.md), one for each tap:
//
//     sums[tap] (O, C) = y^T (O, pixels) . x at what the tap sees (pixels, C)
//
// y is packed, some rows of pixels at once, in panels of as many channels as a tile has rows; a
// strip of x, two vectors of channels at what a tap sees, is gathered beside it in the first-level
// cache and meets all panels. (Read where it lies, a stride of x puts it into a few sets of that
// cache: a third slower.) Pixels of which a tap sees nothing but padding are left out, not
// multiplied by zero: of a 3 x 3 kernel on 2 x 2 pixels at stride 2, that is 11 of 36.
#include "kernels/conv/conv_packed.h"

#include <algorithm>

#include "kernels/gemm/gemm_packed_kernels.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::kernels::packed {
namespace {

constexpr int64_t kDepth = 160;          // pixels of a block: a strip of them is 20 KB
constexpr int64_t kParts = 16;           // of the pixels, at most: each has sums of its own
constexpr int64_t kPartPixels = 2048;    // at least
constexpr int64_t kSumFloats = 2 << 20;  // of all parts

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

class WeightGradient {
 public:
  WeightGradient(const ConvShape& shape, const float* x, const float* y)
      : s(shape),
        x_(x),
        y_(y),
        taps(s.R * s.S),
        tap_strips(s.C / f.columns),
        strips(taps * tap_strips),
        columns(taps * s.C),
        rows(s.N * s.P),
        parts(std::clamp<int64_t>(std::min(rows * s.Q / kPartPixels, kSumFloats / (s.O * columns)),
                                  1, kParts)),
        part_rows(divide_up(rows, parts)),
        block_rows(divide_up(part_rows, divide_up(part_rows * s.Q, kDepth))),
        stride(f.rows * block_rows * s.Q + kSpill) {}

  void run(float* w) const {
    Scratch<float> sums(parts * s.O * columns);  // [part][output channel][tap][input channel]
    // Strips of a group share what they read of x and y; there are groups only so that each thread
    // has some pieces. Bits do not depend on it.
    const int64_t wanted = threads() > 1 ? 4 * int64_t{threads()} : 1;
    const int64_t groups = std::min(strips, divide_up(wanted, parts));
    const int64_t together = divide_up(strips, groups);
    parallel_for(parts * groups, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> panels(divide_up(s.O, f.rows) * stride + 8 * f.rows);
      Scratch<float> gathered(block_rows * s.Q * f.columns);
      Scratch<RowPlace> places(block_rows);
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t part = piece / groups, first = std::min(strips, piece % groups * together);
        sum_piece(part, first, std::min(strips, first + together), panels.data(), gathered.data(),
                  places.data(), sums.data() + part * s.O * columns);
      }
    });
    turn(sums.data(), w);
  }

 private:
  void sum_piece(int64_t part, int64_t first, int64_t last, float* panels, float* gathered,
                 RowPlace* places, float* sums) const {
    const int64_t begin = part * part_rows, end = std::min(rows, begin + part_rows);
    for (int64_t row = begin; row < end; row += block_rows) {
      const int64_t deep = std::min(block_rows, end - row), next = std::min(row + deep, end);
      f.pack({y_ + row * s.Q * s.O, 1, s.O, s.O, deep * s.Q, f.rows, panels, stride});
      const int64_t after = std::min(next + block_rows, end);
      const float *ahead = y_ + next * s.Q * s.O, *ahead_end = y_ + after * s.Q * s.O;
      bool ahead_in_x = false;
      int64_t placed = -1, seen = 0;  // the vertical tap that `places` is for; its rows
      for (int64_t strip = first; strip < last; strip++) {
        const int64_t t = strip / tap_strips, c = strip % tap_strips * f.columns;
        if (t / s.S != placed) seen = place_rows(placed = t / s.S, row, deep, places);
        // Pixels j of a row with 0 <= j stride + offset < W.
        const int64_t step = s.stride[1], offset = t % s.S * s.dilation[1] - s.padding[1];
        const int64_t from = offset < 0 ? std::min(s.Q, divide_up(-offset, step)) : 0;
        const int64_t to = offset < s.W ? std::min(s.Q, divide_up(s.W - offset, step)) : 0;
        RowsTile tile{};
        tile.rows = places;
        tile.count = seen;
        tile.pixels = std::max<int64_t>(to - from, 0);
        tile.b = gathered;
        f.gather({x_ + (from * step + offset) * s.C + c, places, seen, tile.pixels, step * s.C,
                  gathered});
        tile.add = row != begin;
        tile.ldc = columns;
        for (int64_t o = 0; o < s.O; o += f.rows) {
          tile.a = panels + o / f.rows * stride + from * f.rows;
          tile.c = sums + o * columns + t * s.C + c;
          tile.used = std::min(f.rows, s.O - o);
          tile.ahead = ahead;
          if (ahead < ahead_end) {
            ahead += seen * tile.pixels * 16;
          } else if (!ahead_in_x) {
            ahead_in_x = true;
            ahead = x_of_row(next), ahead_end = x_of_row(after);
          }
          f.multiply_rows(tile);
        }
      }
    }
  }

  // Where x lies that a row of y sees: about there, for fetching.
  const float* x_of_row(int64_t row) const {
    const int64_t n = row / s.P, i = row % s.P;
    return x_ + (n * s.H + std::min(i * s.stride[0], s.H)) * s.W * s.C;
  }

  // The rows of y, among `deep` from `row` on, of which vertical tap r sees a row of x: how many.
  int64_t place_rows(int64_t r, int64_t row, int64_t deep, RowPlace* places) const {
    int64_t seen = 0;
    for (int64_t i = 0; i < deep; i++) {
      const int64_t n = (row + i) / s.P, p = (row + i) % s.P;
      const int64_t h = p * s.stride[0] + r * s.dilation[0] - s.padding[0];
      if (h >= 0 && h < s.H) places[seen++] = {i * s.Q, (n * s.H + h) * s.W * s.C};
    }
    return seen;
  }

  // Adds the parts in order, in f64, and turns [tap][channel] into w (O, C, R, S).
  void turn(const float* sums, float* w) const {
    parallel_for(s.O, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> joined(columns);
      for (int64_t o = begin; o < end; o++) {
        const float* from = sums + o * columns;
        if (parts > 1) {
          with_vectors([&] {
            float* to = joined.data();
            for (int64_t j = 0; j < columns; j++) {
              double sum = 0;
              for (int64_t part = 0; part < parts; part++)
                sum += double(from[part * s.O * columns + j]);
              to[j] = float(sum);
            }
          });
          from = joined.data();
        }
        for (int64_t c = 0; c < s.C; c++) {
          float* to = w + (o * s.C + c) * taps;
          for (int64_t t = 0; t < taps; t++) to[t] = from[t * s.C + c];
        }
      }
    });
  }

  const ConvShape s;
  const Kernels& f = kernels();
  const float *x_, *y_;
  const int64_t taps, tap_strips, strips;  // strips: vectors of the input channels of a tap
  const int64_t columns;                   // of sums
  const int64_t rows;                      // of y, all images
  const int64_t parts, part_rows, block_rows;
  const int64_t stride;  // of the panels of y
};

}  // namespace

bool weight_pays(const ConvShape& s) {
  return s.groups == 1 && s.C > 0 && s.C % kernels().columns == 0 && s.O >= 2 * kernels().rows &&
         s.Q <= kDepth && s.N * s.P * s.Q >= 64;
}

void grad_weight(const ConvShape& s, const float* x, const float* y, float* w) {
  WeightGradient(s, x, y).run(w);
}

}  // namespace clade::kernels::packed

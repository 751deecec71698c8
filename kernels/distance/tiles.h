// The tile engine: keys that order distances within a row, as matrix products, and what is read off
// them while they are in the cache.
//
//   ||x - y||^2 = 2 (g + key),   key = h - x.y,   g = ||x||^2 / 2,   h = ||y||^2 / 2
//
// Within a row x the order by key is the order by distance. With lifted rows, [-x, 1] on the left
// and [y, h] on the right, a tile of keys is one product. A key is a difference of large numbers,
// so it only proposes; KeyBound says what it proves, and direct sums of squares decide.
//
// The proof. A product of w terms of unit roundoff u, in any order, fused or not, is off by at most
// c (|x||y| + h) with c = (w + 8) u, the rounding of h included (Higham, Accuracy and Stability of
// Numerical Algorithms, 2002, section 3.1). As 2 |x||y| <= |x|^2 + |y|^2, that is at most
// c (g + 2 h): one part of the row and one of the column. lift_right takes the column's part off h
// beforehand, so the computed key less c g never exceeds the true one.
//
// Lifted rows may themselves be rounded or shortened images of what is to be compared; if an image
// moved a row by at most e, a distance is off by at most e_x + e_y (`slack` below).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/gemm/gemm.h"

namespace clade::kernels {

// A tile of f32 keys is 256 x 512 = 512 KiB: the L2 cache holds it between the product and its
// reading.
constexpr int64_t kTileRows = 256, kTileColumns = 512;

// What a computed key proves; `columns` are those of the image, without the one that lifts.
template <class T>
struct KeyBound {
  explicit KeyBound(int64_t columns)
      : c(double(columns + 9) * double(std::numeric_limits<T>::epsilon()) / 2),
        underflow(double(columns + 9) * double(std::numeric_limits<T>::min())) {}

  // The other way round: where a column has half squared norm h, a computed key plus margin(h) that
  // is not above this proves that the point is nearer than sqrt(squared). For
  //   true key <= key + c (|x||y| + h) + 2 c h + u h <= key + c g + (4 c + u) h.
  T lower_limit(double squared, double slack, double g) const {
    const double near = std::sqrt(squared) - slack;
    const double key = near > 0 ? near * near * (1 - c) / 2 - underflow - g * (1 + 2 * c)
                                : -std::numeric_limits<double>::infinity();
    return std::nextafter(T(key), -std::numeric_limits<T>::infinity());
  }
  T margin(double h) const { return T(8 * c * h); }

  // A point whose computed key is above this is farther than sqrt(squared) from a row with half
  // squared norm g, where image distances are at most `slack` longer than true ones.
  T limit(double squared, double slack, double g) const {
    const double far = std::sqrt(squared) + slack;
    const double key = (far * far + underflow) / (2 * (1 - c)) - g * (1 - c);
    return std::nextafter(T(key), std::numeric_limits<T>::infinity());
  }

  double c;          // relative error, see above
  double underflow;  // each term may have underflowed
};

// row[d]: h less its share of the error. row holds d elements and room for one.
template <class T>
void lift_right(T* row, int64_t d, double h, const KeyBound<T>& bound) {
  row[d] = T(h * (1 - 2 * bound.c));
}

template <class T>
void lift_left(T* row, int64_t d) {
  for (int64_t j = 0; j < d; j++) row[j] = -row[j];
  row[d] = 1;
}

// Tiles of `rows` <= kTileRows lifted rows on the left against `count` on the right, both of
// `width` elements a row: read(j0, columns) finds key (i, j0 + j) in tile[i * columns + j]. On the
// calling thread, in rising j0 from the tile that holds `start`, and then from 0 up to there.
template <class T, class Read>
void for_key_tiles(const T* left, int64_t rows, const T* right, int64_t count, int64_t width,
                   int64_t start, T* tile, Read&& read) {
  const int64_t tiles = (count + kTileColumns - 1) / kTileColumns, first = start / kTileColumns;
  for (int64_t t = 0; t < tiles && rows > 0; t++) {
    const int64_t j0 = (first + t) % tiles * kTileColumns;
    const int64_t columns = std::min(kTileColumns, count - j0);
    gemm_serial<T>(false, true, rows, columns, width, T(1), left, width, right + j0 * width, width,
                   T(0), tile, columns);
    read(j0, columns);
  }
}

// Readers of one row of a tile. NaN, which overflow makes, proves nothing and counts as small.

// out[0 .. result) = the j with keys[j] <= bound, rising; out has room for `count`.
template <class T>
int64_t find_at_most(const T* keys, int64_t count, T bound, int32_t* out);

// The same where keys[j] + add <= max(bound, bounds[j]).
template <class T>
int64_t find_at_most_either(const T* keys, int64_t count, T add, T bound, const T* bounds,
                            int32_t* out);

// Of the keys <= high those with key + margin > low are in doubt: how many keys are <= high, and
// how many of them are in doubt.
struct KeyCounts {
  int64_t at_most = 0, in_doubt = 0;
};
template <class T>
KeyCounts count_keys(const T* keys, int64_t count, const T* margin, T high, T low);

// The j of those in doubt, rising, and their number.
template <class T>
int64_t find_in_doubt(const T* keys, int64_t count, const T* margin, T high, T low, int32_t* out);

// The smallest key; NaN only if all are.
template <class T>
T smallest_key(const T* keys, int64_t count);

// Tiles that lie transposed, for those who want the nearest of all: products[c * rows + i] =
// x_i.y_c for `count` points y from number `first` on, with keys h[c] - products[c * rows + i].

// Fills such a tile; x (rows, d) and y (count, d) row-major. On the calling thread.
template <class T>
void transposed_products(const T* x, int64_t rows, const T* y, int64_t count, int64_t d,
                         T* products);

// Carries for each row the smallest key so far, its number (the lowest on ties) and the second
// smallest. They start at infinity, anything and infinity. NaN is passed over.
template <class T>
void least_two(const T* products, int64_t rows, int64_t count, const T* h, int32_t first, T* least,
               int32_t* number, T* second);

}  // namespace clade::kernels

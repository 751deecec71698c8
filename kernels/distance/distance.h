// distance: tiles of squared Euclidean distances, and what is read off them row by row.
//
// ||x - c||^2 = ||x||^2 - 2 x.c + ||c||^2 by matrix products is fast but cancels: results are
// clamped at 0 and serve to choose candidates. Whoever needs exact values computes the direct sum
// of squares for the few that survive (direct_squared_distance).
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// out[i, j] = max(0, ||x_i - c_j||^2); x (n, d), c (m, d), out (n, m) row-major, one floating
// dtype.
void squared_distances(const Cpu&, const View& x, const View& c, const View& out);

// The same on a GPU, by direct differences: nothing cancels.
void squared_distances(const Cuda&, const View& x, const View& c, const View& out);

// The k nearest of c's rows for each row of x, without the (n, m) matrix of all distances:
// index (n, k) i64 and distance (n, k), squared, nearest first; of equals the first in c. All are
// row-major; x and c are finite; 1 <= k <= min(m, kMostNearest). k = 1 is k-means' assignment.
constexpr int64_t kMostNearest = 128;
void nearest(const Cuda&, const View& x, const View& c, const View& index, const View& distance);

// sums (k, d) of the rows of x (n, d) that have each label, and their number: count (k) i64. label
// (n) i64 in [0, k). k-means' update; in f64 and in order, so that two runs give the same bits.
void sums_by_label(const Cuda&, const View& x, const View& label, const View& sums,
                   const View& count);

namespace reference {
void squared_distances(const View& x, const View& c, const View& out);  // direct differences
void nearest(const View& x, const View& c, const View& index, const View& distance);
void sums_by_label(const View& x, const View& label, const View& sums, const View& count);
}  // namespace reference

// sum_j (x[j] - y[j])^2 of two contiguous rows, in f64. Short rows are summed from left to right;
// long ones in kLongLanes partial sums (element j goes to sum j mod kLongLanes), which are joined
// in order. The bits depend on the rows alone.
constexpr int64_t kLongRow = 32, kLongLanes = 32;

template <class T>
double long_squared_distance(const T* x, const T* y, int64_t d);

template <class T>
inline double direct_squared_distance(const T* x, const T* y, int64_t d) {
  if (d >= kLongRow) return long_squared_distance(x, y, d);
  double sum = 0;
  for (int64_t j = 0; j < d; j++) {
    double diff = double(x[j]) - double(y[j]);
    sum += diff * diff;
  }
  return sum;
}

// The same in T all through, for candidates: off by at most (d + 8) u of itself.
template <class T>
T rough_squared_distance(const T* x, const T* y, int64_t d);

// out_i = that of row rows_i of x and row others_i of y, rows of d.
template <class T>
void rough_squared_distances(const T* x, const int32_t* rows, const T* y, const int32_t* others,
                             int64_t count, int64_t d, T* out);

}  // namespace clade::kernels

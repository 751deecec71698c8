// Sums of outer products of short rows: C += sum_i l_i r_i', for matrices too small for a GEMM.
//
// Blocks of 4 rows of C by two vectors of its columns stay in registers while the rows i go by: 6
// loads for 8 multiplications. OpenBLAS would pack both sides first, which costs more than the
// product when they are ten columns wide; and of a symmetric C the upper blocks are left out.
#pragma once

#include <algorithm>
#include <cstdint>

#include "clustering/linalg/lanes.h"

namespace clade::cluster {

// c (a, b) f64 row-major += left' right, of left (rows, a) and right (rows, b) in T, both
// row-major. a is a multiple of 4 and b of kLanes<T>; right is 64-byte aligned. With `lower` only
// blocks that touch the lower triangle are added to. Sums are over the rows in order, in T, then
// joined to c. Call it inside with_vectors.
template <class T>
inline __attribute__((always_inline)) void add_row_products(const T* left, int64_t a,
                                                            const T* right, int64_t b, int64_t rows,
                                                            bool lower, double* c) {
  constexpr int64_t kWide = 2 * kLanes<T>;
  for (int64_t l = 0; l < b; l += kWide) {
    // A last single vector goes twice: its second copy is thrown away.
    const int64_t second = l + kLanes<T> < b ? l + kLanes<T> : l;
    for (int64_t j = lower ? l / 4 * 4 : 0; j < a; j += 4) {
      Lanes<T> p0{}, q0{}, p1{}, q1{}, p2{}, q2{}, p3{}, q3{};
      for (int64_t i = 0; i < rows; i++) {
        const Lanes<T> u = *(const Lanes<T>*)(right + i * b + l);
        const Lanes<T> v = *(const Lanes<T>*)(right + i * b + second);
        const T* f = left + i * a + j;
        add_product(f[0], u, p0), add_product(f[0], v, q0);
        add_product(f[1], u, p1), add_product(f[1], v, q1);
        add_product(f[2], u, p2), add_product(f[2], v, q2);
        add_product(f[3], u, p3), add_product(f[3], v, q3);
      }
      const Lanes<T> sums[4][2] = {{p0, q0}, {p1, q1}, {p2, q2}, {p3, q3}};
      for (int64_t q = 0; q < 4; q++)
        for (int64_t h = 0; h < (second > l ? 2 : 1); h++) {
          double* to = c + (j + q) * b + l + h * kLanes<T>;
          for (int64_t e = 0; e < kLanes<T>; e++) to[e] += double(sums[q][h][e]);
        }
    }
  }
}

}  // namespace clade::cluster

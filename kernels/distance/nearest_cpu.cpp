// Transposed tiles: the product, and the smallest two keys of each row.
//
// With few points a row, such as the centres of k-means, BLAS spends its time on packing: it
// reaches a tenth of its rate at 10. There, dot products of two rows with four points are summed in
// eight vectors, each element loaded once for four or two of them, and folded at the end.
#include <algorithm>

#include "kernels/distance/tiles.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kFewPoints = 16, kLongEnough = 128;  // where dot products beat BLAS

template <class T>
struct Lanes {
  static constexpr int64_t kCount = int64_t(64 / sizeof(T));
  typedef T Vector __attribute__((vector_size(64)));
  typedef T Loose __attribute__((vector_size(64), may_alias, aligned(alignof(T))));
};

// Lanes of a and b in turn, each the sum of two that are half a vector apart.
inline __attribute__((always_inline)) void fold(const Lanes<float>::Vector& a,
                                                const Lanes<float>::Vector& b,
                                                Lanes<float>::Vector& out) {
  out = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23) +
        __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
inline __attribute__((always_inline)) void fold(const Lanes<double>::Vector& a,
                                                const Lanes<double>::Vector& b,
                                                Lanes<double>::Vector& out) {
  out = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11) +
        __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// Rows of up to a vector, behind the whole vectors of longer ones, filled up with zeros.
template <class T>
struct Tails {
  void take(const T* rows, int64_t count, int64_t d) {
    constexpr int64_t kLanes = Lanes<T>::kCount;
    const int64_t whole = d / kLanes * kLanes;
    for (int64_t r = 0; r < count; r++)
      for (int64_t l = 0; l < kLanes; l++)
        row[r][l] = whole + l < d ? rows[r * d + whole + l] : T(0);
  }
  alignas(64) T row[kFewPoints][Lanes<T>::kCount];
};

// products[c * stride + r] of rows r = 0, 1 and points c = 0 .. 3.
template <class T>
inline __attribute__((always_inline)) void dots(const T* x, const Tails<T>& x_tails, const T* y,
                                                const T (*y_tails)[Lanes<T>::kCount], int64_t d,
                                                int64_t stride, T* products) {
  using Vector = typename Lanes<T>::Vector;
  using Loose = typename Lanes<T>::Loose;
  constexpr int64_t kLanes = Lanes<T>::kCount;
  Vector s0{}, s1{}, s2{}, s3{}, t0{}, t1{}, t2{}, t3{};
  auto add = [&](const T* a, const T* b, const T* c0, const T* c1, const T* c2, const T* c3) {
    const Vector u = *(const Loose*)a, v = *(const Loose*)b;
    const Vector w0 = *(const Loose*)c0, w1 = *(const Loose*)c1;
    const Vector w2 = *(const Loose*)c2, w3 = *(const Loose*)c3;
    s0 += u * w0, s1 += u * w1, s2 += u * w2, s3 += u * w3;
    t0 += v * w0, t1 += v * w1, t2 += v * w2, t3 += v * w3;
  };
  int64_t j = 0;
  for (; j + kLanes <= d; j += kLanes)
    add(x + j, x + d + j, y + j, y + d + j, y + 2 * d + j, y + 3 * d + j);
  if (j < d) add(x_tails.row[0], x_tails.row[1], y_tails[0], y_tails[1], y_tails[2], y_tails[3]);
  T sum[kLanes];  // s0 .. s3, t0 .. t3, and for f32 once more
  fold(s0, t0, s0), fold(s2, t2, s2), fold(s1, t1, s1), fold(s3, t3, s3);
  fold(s0, s2, s0), fold(s1, s3, s1), fold(s0, s1, s0);
  *(Loose*)sum = s0;
  for (int64_t c = 0; c < 4; c++)
    for (int64_t r = 0; r < 2; r++)
      products[c * stride + r] =
          kLanes == 16 ? sum[4 * r + c] + sum[4 * r + c + 8] : sum[4 * r + c];
}

// One row and one point.
template <class T>
T dot(const T* x, const T* y, int64_t d) {
  constexpr int64_t kLanes = Lanes<T>::kCount;
  T lane[kLanes] = {}, sum = 0;
  int64_t j = 0;
  for (; j + kLanes <= d; j += kLanes)
    for (int64_t l = 0; l < kLanes; l++) lane[l] += x[j + l] * y[j + l];
  for (; j < d; j++) lane[j % kLanes] += x[j] * y[j];
  for (const T& l : lane) sum += l;
  return sum;
}

template <class T>
void narrow_products(const T* x, int64_t rows, const T* y, int64_t count, int64_t d, T* products) {
  const int64_t even_rows = rows / 2 * 2, fours = count / 4 * 4;
  Tails<T> x_tails, y_tails;
  y_tails.take(y, fours, d);
  with_vectors([&] {
    for (int64_t i = 0; i < even_rows; i += 2) {
      x_tails.take(x + i * d, 2, d);
      for (int64_t c = 0; c < fours; c += 4)
        dots(x + i * d, x_tails, y + c * d, y_tails.row + c, d, rows, products + c * rows + i);
    }
    for (int64_t i = 0; i < rows; i++)
      for (int64_t c = i < even_rows ? fours : 0; c < count; c++)
        products[c * rows + i] = dot(x + i * d, y + c * d, d);
  });
}

}  // namespace

template <class T>
void transposed_products(const T* x, int64_t rows, const T* y, int64_t count, int64_t d,
                         T* products) {
  if (count <= kFewPoints && d >= kLongEnough)
    narrow_products(x, rows, y, count, d, products);
  else
    gemm_serial<T>(false, true, count, rows, d, T(1), y, d, x, d, T(0), products, rows);
}

// Of exactly M rows, which registers or the nearest cache carry.
template <int64_t M, class T>
inline void least_two_of(const T* products, int64_t rows, int64_t count, const T* h, int32_t first,
                         T* least, int32_t* number, T* second) {
  T l[M], s[M];
  int32_t at[M];
  std::copy_n(least, M, l), std::copy_n(number, M, at), std::copy_n(second, M, s);
  for (int64_t c = 0; c < count; c++) {
    const T* row = products + c * rows;
    const T shift = h[c];
    const int32_t mine = first + int32_t(c);
    for (int64_t i = 0; i < M; i++) {
      const T key = shift - row[i];
      const T behind = key < s[i] ? key : s[i];
      s[i] = key < l[i] ? l[i] : behind;
      at[i] = key < l[i] ? mine : at[i];
      l[i] = key < l[i] ? key : l[i];
    }
  }
  std::copy_n(l, M, least), std::copy_n(at, M, number), std::copy_n(s, M, second);
}

template <class T>
void least_two(const T* products, int64_t rows, int64_t count, const T* h, int32_t first, T* least,
               int32_t* number, T* second) {
  with_vectors([&] {
    int64_t i = 0;
    for (; i + 64 <= rows; i += 64)
      least_two_of<64>(products + i, rows, count, h, first, least + i, number + i, second + i);
    for (; i + 16 <= rows; i += 16)
      least_two_of<16>(products + i, rows, count, h, first, least + i, number + i, second + i);
    for (; i < rows; i++)
      least_two_of<1>(products + i, rows, count, h, first, least + i, number + i, second + i);
  });
}

template void transposed_products<float>(const float*, int64_t, const float*, int64_t, int64_t,
                                         float*);
template void transposed_products<double>(const double*, int64_t, const double*, int64_t, int64_t,
                                          double*);
template void least_two<float>(const float*, int64_t, int64_t, const float*, int32_t, float*,
                               int32_t*, float*);
template void least_two<double>(const double*, int64_t, int64_t, const double*, int32_t, double*,
                                int32_t*, double*);

}  // namespace clade::kernels

#include "clustering/linalg/scatter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "clustering/linalg/grain.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 256;  // rows of one product

// n rows with their weights, or null for 1; rows of weight 0 are passed over. `centred` has room
// for kTile rows.
template <class T>
void add_rows(const T* x, int64_t n, int64_t d, const double* mean, const double* weight,
              int64_t stride, double* centred, double* scatter) {
  int64_t filled = 0;
  auto flush = [&] {
    kernels::gemm_serial<double>(true, false, d, d, filled, 1.0, centred, d, centred, d, 1.0,
                                 scatter, d);
    filled = 0;
  };
  for (int64_t i = 0; i < n; i++) {
    const double wi = weight ? weight[i * stride] : 1.0;
    if (wi == 0) continue;
    const double root = weight ? std::sqrt(wi) : 1.0;
    const T* row = x + i * d;
    double* to = centred + filled * d;
    with_vectors([&] {
      for (int64_t j = 0; j < d; j++) to[j] = root * (double(row[j]) - mean[j]);
    });
    if (++filled == kTile) flush();
  }
  if (filled > 0) flush();
}

// The same for f32 rows without weights, by f32 products of the lower triangle alone.
constexpr int64_t kFastTile = 1024;
// From so many columns on threads share each product, and there is one sum; below they take rows.
constexpr int64_t kShared = 512;

// A power of two that brings values up to `most` to about 1, where their squares would be too large
// or too small for f32; else 1.
float scale_of(float most) {
  if (most == 0 || (most > 0x1p-30f && most < 0x1p30f)) return 1;
  return std::ldexp(1.0f, -std::clamp(std::ilogb(most), -126, 126));
}

void add_rows_fast(const float* x, int64_t n, int64_t d, const double* mean, double* scatter) {
  Scratch<float> centred(kFastTile * d), product(d * d);
  float *to = centred.data(), *gram = product.data();
  for (int64_t i = 0; i < n; i += kFastTile) {
    const int64_t rows = std::min(kFastTile, n - i);
    const float* from = x + i * d;
    // The bits of numbers without a sign are in the numbers' order, and only a maximum of integers
    // is one that compilers vectorize.
    const int32_t most = parallel_reduce(
        rows, rows_per_chunk(4 * d), int32_t{0},
        [&](int64_t begin, int64_t end) {
          int32_t largest = 0;
          with_vectors([&] {
            int32_t found = 0;
            for (int64_t r = begin; r < end; r++) {
              const float* row = from + r * d;
              float* out = to + r * d;
              for (int64_t j = 0; j < d; j++) out[j] = float(double(row[j]) - mean[j]);
              for (int64_t j = 0; j < d; j++)
                found = std::max(found, std::bit_cast<int32_t>(out[j]) & 0x7fffffff);
            }
            largest = found;
          });
          return largest;
        },
        [](int32_t a, int32_t b) { return std::max(a, b); });
    const float scale = scale_of(std::bit_cast<float>(most));
    if (scale != 1)
      for (int64_t e = 0; e < rows * d; e++) to[e] *= scale;
    kernels::gram(to, rows, d, gram);
    const double back = 1 / (double(scale) * double(scale));
    parallel_for(d, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        for (int64_t r = begin; r < end; r++)
          for (int64_t c = 0; c <= r; c++) scatter[r * d + c] += back * double(gram[r * d + c]);
      });
    });
  }
}

}  // namespace

void scatter_matrix(const Tensor& x, const double* mean, const double* weight, int64_t stride,
                    double* scatter) {
  int64_t n = x.size(0), d = x.size(1);
  const bool fast =
      x.dtype() == DType::f32 && !weight && double(n) * double(d) * double(d) >= kManyProducts;
  // One partial sum a chunk: at most 64 of them, and 128 MiB together.
  int64_t chunks = std::clamp<int64_t>((int64_t{1} << 24) / (d * d), 1, 64);
  int64_t grain = rows_per_chunk(d * d, std::max(kTile, (n + chunks - 1) / chunks));
  if (fast && d >= kShared) grain = n;
  chunks = (n + grain - 1) / grain;
  Scratch<double> partial(chunks * d * d);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      double* sum = partial.data() + begin / grain * d * d;
      std::fill_n(sum, d * d, 0.0);
      if constexpr (std::is_same_v<decltype(zero), float>)
        if (fast) return add_rows_fast(data + begin * d, end - begin, d, mean, sum);
      Scratch<double> centred(kTile * d);
      add_rows(data + begin * d, end - begin, d, mean, weight ? weight + begin * stride : nullptr,
               stride, centred.data(), sum);
    });
  });
  parallel_for(d * d, int64_t{1} << 15, [&](int64_t begin, int64_t end) {
    std::fill(scatter + begin, scatter + end, 0.0);
    with_vectors([&] {
      for (int64_t c = 0; c < chunks; c++)
        for (int64_t e = begin; e < end; e++) scatter[e] += partial[c * d * d + e];
    });
  });
  if (!fast) return;
  for (int64_t r = 0; r < d; r++)
    for (int64_t c = 0; c < r; c++) scatter[c * d + r] = scatter[r * d + c];
}

}  // namespace clade::cluster

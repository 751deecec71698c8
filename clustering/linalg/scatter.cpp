#include "clustering/linalg/scatter.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "clustering/linalg/grain.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int64_t kTile = 256;  // rows of one product

template <class T>
void add_tile(const T* x, int64_t rows, int64_t d, const double* mean, const double* weight,
              int64_t stride, double* centred, double* scatter) {
  for (int64_t i = 0; i < rows; i++) {
    double root = weight ? std::sqrt(weight[i * stride]) : 1.0;
    for (int64_t j = 0; j < d; j++) centred[i * d + j] = root * (double(x[i * d + j]) - mean[j]);
  }
  kernels::gemm_serial<double>(true, false, d, d, rows, 1.0, centred, d, centred, d, 1.0, scatter,
                               d);
}

// The same for f32 rows without weights, by f32 products: panels of columns of the lower triangle.
constexpr int64_t kFastTile = 1024;
constexpr int64_t kPanel = 128;

void add_tile_fast(const float* x, int64_t rows, int64_t d, const double* mean, float* centred,
                   float* product, double* scatter) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < d; j++) centred[i * d + j] = float(double(x[i * d + j]) - mean[j]);
  for (int64_t first = 0; first < d; first += kPanel) {
    const int64_t width = std::min(kPanel, d - first), height = d - first;
    kernels::gemm_serial<float>(true, false, height, width, rows, 1.0f, centred + first, d,
                                centred + first, d, 0.0f, product, width);
    for (int64_t r = 0; r < height; r++)
      for (int64_t c = 0; c < width; c++)
        scatter[(first + r) * d + first + c] += double(product[r * width + c]);
  }
}

// n rows from x, added to scatter (d, d): the lower triangle, and more within panels.
void add_rows_fast(const float* x, int64_t n, int64_t d, const double* mean, double* scatter) {
  Scratch<float> centred(kFastTile * d), product(d * kPanel);
  for (int64_t i = 0; i < n; i += kFastTile)
    add_tile_fast(x + i * d, std::min(kFastTile, n - i), d, mean, centred.data(), product.data(),
                  scatter);
}

}  // namespace

void scatter_matrix(const Tensor& x, const double* mean, const double* weight, int64_t stride,
                    double* scatter) {
  int64_t n = x.size(0), d = x.size(1);
  // One partial sum a chunk: at most 64 of them, and 128 MiB together.
  int64_t chunks = std::clamp<int64_t>((int64_t{1} << 24) / (d * d), 1, 64);
  int64_t grain = rows_per_chunk(d * d, std::max(kTile, (n + chunks - 1) / chunks));
  chunks = (n + grain - 1) / grain;
  Scratch<double> partial(chunks * d * d);
  const bool fast =
      x.dtype() == DType::f32 && !weight && double(n) * double(d) * double(d) >= kManyProducts;
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      double* sum = partial.data() + begin / grain * d * d;
      std::fill_n(sum, d * d, 0.0);
      if constexpr (std::is_same_v<decltype(zero), float>)
        if (fast) return add_rows_fast(data + begin * d, end - begin, d, mean, sum);
      Scratch<double> centred(kTile * d);
      for (int64_t i = begin; i < end; i += kTile)
        add_tile(data + i * d, std::min(kTile, end - i), d, mean,
                 weight ? weight + i * stride : nullptr, stride, centred.data(), sum);
    });
  });
  for (int64_t e = 0; e < d * d; e++) {
    double sum = 0;
    for (int64_t c = 0; c < chunks; c++) sum += partial[c * d * d + e];
    scatter[e] = sum;
  }
  if (!fast) return;
  for (int64_t r = 0; r < d; r++)
    for (int64_t c = r + 1; c < d; c++) scatter[r * d + c] = scatter[c * d + r];
}

}  // namespace clade::cluster

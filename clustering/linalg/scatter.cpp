#include "clustering/linalg/scatter.h"

#include <algorithm>
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
      add_rows(data + begin * d, end - begin, d, mean, weight ? weight + begin * stride : nullptr,
               stride, centred.data(), sum);
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

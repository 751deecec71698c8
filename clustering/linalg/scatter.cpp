#include "clustering/linalg/scatter.h"

#include <algorithm>
#include <cmath>

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

// The same for f32 rows without weights, by f32 products of the lower triangle alone. Threads share
// each product, so that there is one sum.
constexpr int64_t kFastTile = 1024;

void scatter_fast(const float* x, int64_t n, int64_t d, const double* mean, double* scatter) {
  Scratch<float> centred(kFastTile * d), product(d * d);
  float *to = centred.data(), *gram = product.data();
  std::fill_n(scatter, d * d, 0.0);
  for (int64_t i = 0; i < n; i += kFastTile) {
    const int64_t rows = std::min(kFastTile, n - i);
    const float* from = x + i * d;
    parallel_for(rows, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        for (int64_t r = begin; r < end; r++)
          for (int64_t j = 0; j < d; j++) to[r * d + j] = float(double(from[r * d + j]) - mean[j]);
      });
    });
    kernels::gram(to, rows, d, gram);
    parallel_for(d, rows_per_chunk(d), [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        for (int64_t r = begin; r < end; r++)
          for (int64_t c = 0; c <= r; c++) scatter[r * d + c] += double(gram[r * d + c]);
      });
    });
  }
  for (int64_t r = 0; r < d; r++)
    for (int64_t c = r + 1; c < d; c++) scatter[r * d + c] = scatter[c * d + r];
}

}  // namespace

void scatter_matrix(const Tensor& x, const double* mean, const double* weight, int64_t stride,
                    double* scatter) {
  int64_t n = x.size(0), d = x.size(1);
  if (x.dtype() == DType::f32 && !weight && double(n) * double(d) * double(d) >= kManyProducts)
    return scatter_fast(x.data<float>(), n, d, mean, scatter);
  // One partial sum a chunk: at most 64 of them, and 128 MiB together.
  int64_t chunks = std::clamp<int64_t>((int64_t{1} << 24) / (d * d), 1, 64);
  int64_t grain = rows_per_chunk(d * d, std::max(kTile, (n + chunks - 1) / chunks));
  chunks = (n + grain - 1) / grain;
  Scratch<double> partial(chunks * d * d);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      double* sum = partial.data() + begin / grain * d * d;
      std::fill_n(sum, d * d, 0.0);
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
}

}  // namespace clade::cluster

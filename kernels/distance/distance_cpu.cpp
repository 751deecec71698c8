// Squared distances on the CPU: ||x||^2 + ||c||^2 - 2 x.c, tile by tile.
//
// A tile of `out` is one matrix product on one thread, -2 X C', and while it is still in the cache
// the norms are added to it. Tiles have a fixed size, so the bits depend on the shapes alone.
#include "kernels/distance/distance.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

constexpr int64_t kRows = 256, kColumns = 256;  // of a tile: 256 KB in f32, which L2 holds

// The squared norm of each row, in f64.
template <class T>
void squared_norms(const View& x, Scratch<double>& norms) {
  const int64_t n = x.shape[0], d = x.shape[1];
  parallel_for(n, 16384 / std::max<int64_t>(d, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const T* row = x.as<const T>() + i * d;
      double sum = 0;
      for (int64_t j = 0; j < d; j++) sum += double(row[j]) * double(row[j]);
      norms[i] = sum;
    }
  });
}

// out = max(0, out + x_norm + c_norm) for a row of a tile; NaN stays NaN.
template <class T>
void add_norms(int64_t n, double x_norm, const double* c_norms, T* out) {
  for (int64_t j = 0; j < n; j++) {
    const double sum = double(out[j]) + (x_norm + c_norms[j]);
    out[j] = T(sum < 0 ? 0 : sum);
  }
}

}  // namespace

void squared_distances(const Cpu&, const View& x, const View& c, const View& out) {
  const int64_t n = x.shape[0], m = c.shape[0], d = x.shape[1];
  profiler::Span span("squared_distances", 2.0 * double(n) * double(m) * double(d),
                      double((n + m) * d + n * m) * double(size_of(x.dtype)));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<double> x_norms(n), c_norms(m);
    squared_norms<T>(x, x_norms);
    squared_norms<T>(c, c_norms);
    const int64_t across = (m + kColumns - 1) / kColumns, down = (n + kRows - 1) / kRows;
    parallel_for(across * down, 1, [&](int64_t begin, int64_t end) {
      for (int64_t tile = begin; tile < end; tile++) {
        const int64_t i = tile / across * kRows, j = tile % across * kColumns;
        const int64_t rows = std::min(kRows, n - i), columns = std::min(kColumns, m - j);
        T* to = out.as<T>() + i * m + j;
        gemm_serial<T>(false, true, rows, columns, d, T(-2), x.as<const T>() + i * d, d,
                       c.as<const T>() + j * d, d, T(0), to, m);
        for (int64_t r = 0; r < rows; r++)
          add_norms(columns, x_norms[i + r], c_norms.data() + j, to + r * m);
      }
    });
  });
}

}  // namespace clade::kernels

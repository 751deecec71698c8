#include "clustering/linalg/scatter.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

void scatter_matrix(const Tensor& x, const double* mean, const double* weight, int64_t stride,
                    double* scatter) {
  int64_t n = x.size(0), d = x.size(1);
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
}

}  // namespace clade::cluster

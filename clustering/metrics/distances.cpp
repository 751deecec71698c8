#include "clustering/metrics/distances.h"

#include <algorithm>

#include "clustering/linalg/matrix.h"
#include "kernels/gemm/gemm.h"
#include "tensor/parallel.h"

namespace clade::cluster {

CentredRows::CentredRows(const Tensor& x, const std::vector<int64_t>& order)
    : d_(x.size(1)),
      rows_(Tensor::empty(x.shape(), DType::f64)),
      squared_norms_(Tensor::empty({x.size(0)}, DType::f64)) {
  std::vector<double> mean = column_means(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* from = x.data<decltype(zero)>();
    parallel_for(x.size(0), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        int64_t source = order.empty() ? r : order[size_t(r)];
        double* row = rows_.data<double>() + r * d_;
        double norm = 0;
        for (int64_t j = 0; j < d_; j++) {
          row[j] = double(from[source * d_ + j]) - mean[size_t(j)];
          norm += row[j] * row[j];
        }
        squared_norms_.data<double>()[r] = norm;
      }
    });
  });
}

void CentredRows::squared_distances(int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                                    double* out) const {
  const double *rows = rows_.data<double>(), *norms = squared_norms_.data<double>();
  int64_t width = j1 - j0;
  kernels::gemm_serial<double>(false, true, i1 - i0, width, d_, -2.0, rows + i0 * d_, d_,
                               rows + j0 * d_, d_, 0.0, out, width);
  for (int64_t i = i0; i < i1; i++) {
    double* row = out + (i - i0) * width;
    for (int64_t j = 0; j < width; j++) {
      double squared = row[j] + norms[i] + norms[j0 + j];
      row[j] = squared > 0 ? squared : 0;
    }
  }
}

}  // namespace clade::cluster

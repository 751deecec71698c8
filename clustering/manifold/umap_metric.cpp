#include "clustering/manifold/umap_metric.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "tensor/parallel.h"

namespace clade::cluster {

Tensor for_metric(UmapMetric metric, const Tensor& x) {
  if (metric == UmapMetric::euclidean) return x;
  const int64_t n = x.size(0), d = x.size(1);
  Tensor unit = Tensor::empty(x.shape(), x.dtype());
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* to = unit.data<T>();
    parallel_for(n, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        double most = 0, sum = 0;  // scaled by the largest value, so that no square overflows
        for (int64_t j = 0; j < d; j++) most = std::max(most, std::abs(double(from[i * d + j])));
        if (most == 0)
          fail("umap", "rows that are not all zero under the cosine metric", text("row ", i),
               "leave such rows out, or use the Euclidean metric");
        for (int64_t j = 0; j < d; j++) {
          const double v = double(from[i * d + j]) / most;
          sum += v * v;
        }
        const double length = std::sqrt(sum);
        for (int64_t j = 0; j < d; j++) to[i * d + j] = T(double(from[i * d + j]) / most / length);
      }
    });
  });
  return unit;
}

void to_metric(UmapMetric metric, Tensor& distance) {
  if (metric == UmapMetric::euclidean) return;
  float* d = distance.data<float>();
  for (int64_t e = 0; e < distance.numel(); e++) d[e] = d[e] * d[e] / 2;
}

}  // namespace clade::cluster

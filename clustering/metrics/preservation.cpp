#include "clustering/metrics/preservation.h"

#include <algorithm>

#include "clustering/neighbors/knn.h"

namespace clade::cluster {

double knn_recall(const Tensor& x, const Tensor& embedding, int64_t k, const Progress& progress) {
  if (x.rank() != 2 || embedding.rank() != 2 || x.size(0) != embedding.size(0))
    fail("knn_recall", "x (n, d) and an embedding (n, e)", text(x, " and ", embedding));
  const Tensor a = exact_knn(x, k, false, progress).index;
  const Tensor b = exact_knn(embedding, k, false, progress).index;
  int64_t kept = 0;
  for (int64_t i = 0; i < a.size(0); i++) {
    const int32_t *p = a.data<int32_t>() + i * k, *q = b.data<int32_t>() + i * k;
    kept += std::count_if(p, p + k, [&](int32_t j) { return std::find(q, q + k, j) != q + k; });
  }
  return double(kept) / double(a.numel());
}

}  // namespace clade::cluster

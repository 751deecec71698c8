#include "models/soft_assignment.h"

#include <vector>

#include "autograd/functions.h"
#include "nn/losses.h"

namespace clade::models {
namespace {

template <class T>
void sharpen(const Tensor& q, Tensor& p) {
  const int64_t n = q.size(0), k = q.size(1);
  const T* from = q.data<T>();
  T* to = p.data<T>();
  std::vector<double> frequency(size_t(k), 0.0);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < k; j++) frequency[size_t(j)] += double(from[i * k + j]);
  std::vector<double> weight(static_cast<size_t>(k));
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t j = 0; j < k; j++) {
      const double v = double(from[i * k + j]), f = frequency[size_t(j)];
      sum += weight[size_t(j)] = f > 0 ? v * v / f : 0;
    }
    for (int64_t j = 0; j < k; j++) to[i * k + j] = T(weight[size_t(j)] / sum);
  }
}

}  // namespace

Var log_soft_assignment(const Var& z, const Var& centres) {
  const int64_t n = z.size(0), d = z.size(1), k = centres.size(0);
  const Var difference = reshape(z, {n, 1, d}) - reshape(centres, {1, k, d});
  return log_softmax(-log(sum(square(difference), {2}) + 1.0), 1);
}

Tensor target_distribution(const Tensor& q) {
  if (q.rank() != 2) fail("target distribution", "q (n, k)", text(q));
  const Tensor dense = q.contiguous();
  Tensor p = Tensor::empty(q.shape(), q.dtype());
  if (q.dtype() == DType::f64)
    sharpen<double>(dense, p);
  else
    sharpen<float>(dense, p);
  return p;
}

Var clustering_loss(const Var& log_q, const Tensor& p) { return nn::kl_div_loss(log_q, p); }

Tensor hardened(const Tensor& q) { return argmax(q, 1).to(DType::i32); }

}  // namespace clade::models

#include "nn/losses.h"

#include <cmath>
#include <limits>

namespace clade::nn {
namespace {

Var reduce(const Var& values, Reduction r) {
  if (r == Reduction::none) return values;
  return r == Reduction::sum ? sum(values) : mean(values);
}

// The fused per-sample sums serve the sum and the mean; Reduction::none needs every element, which
// they give for a batch of single elements.
template <class PerSample>
Var elementwise_loss(const char* op, const Var& prediction, const Tensor& target, Reduction r,
                     PerSample per_sample) {
  const Tensor& p = prediction.value();
  if (!(p.shape() == target.shape())) fail(op, text("a target of shape ", p.shape()), text(target));
  if (r == Reduction::none || p.rank() == 0)
    return reduce(reshape(per_sample(reshape(prediction, {-1}), target.reshape({-1})), p.shape()),
                  r);
  Var total = sum(per_sample(prediction, target));
  if (r == Reduction::sum) return total;
  if (p.numel() == 0) fail(op, "at least one element to take the mean of", text(p));
  return total * (1.0 / double(p.numel()));
}

}  // namespace

Var mse_loss(const Var& prediction, const Tensor& target, Reduction r) {
  return elementwise_loss("mse_loss", prediction, target, r,
                          [](const Var& p, const Tensor& t) { return squared_error(p, t); });
}

Var l1_loss(const Var& prediction, const Tensor& target, Reduction r) {
  const Tensor& p = prediction.value();
  if (!(p.shape() == target.shape()))
    fail("l1_loss", text("a target of shape ", p.shape()), text(target));
  return reduce(abs(prediction - Var(target)), r);
}

Var bce_with_logits_loss(const Var& logits, const Tensor& target, Reduction r) {
  return elementwise_loss("bce_with_logits_loss", logits, target, r,
                          [](const Var& p, const Tensor& t) { return bce_with_logits(p, t); });
}

Var cross_entropy_loss(const Var& logits, const Tensor& class_id, Reduction r) {
  const char* name = "cross_entropy_loss";
  if (logits.value().rank() != 2) fail(name, "logits (N, K)", text(logits.value()));
  int64_t n = logits.size(0), k = logits.size(1);
  if (!(class_id.shape() == Shape{n}) || is_floating(class_id.dtype()))
    fail(name, text("class_id as whole numbers [", n, "]"), text(class_id));
  std::vector<int64_t> ids = class_id.to_vector<int64_t>();
  Tensor one_hot = Tensor::zeros({n, k}, logits.dtype());
  for (int64_t i = 0; i < n; i++) {
    if (ids[size_t(i)] < 0 || ids[size_t(i)] >= k)
      fail(name, text("class ids in 0 .. ", k - 1), text(ids[size_t(i)], " at ", i));
    one_hot.slice(0, i, i + 1).slice(1, ids[size_t(i)], ids[size_t(i)] + 1).fill_(1);
  }
  return reduce(-sum(log_softmax(logits, 1) * Var(one_hot.to(logits.value().device())), {1}), r);
}

Var kl_div_loss(const Var& log_q, const Tensor& p, Reduction r) {
  const char* name = "kl_div_loss";
  if (log_q.value().rank() != 2 || !(log_q.shape() == p.shape()))
    fail(name, "log_q and p of one shape (N, K)", text(log_q.value(), " and ", p));
  if (p.numel() > 0 && min(Var(p), {0, 1}).item() < 0)
    fail(name, "p of 0 or more", text("a p of ", min(Var(p), {0, 1}).item()));
  // p ln p - p log_q; the least normal number under the logarithm makes 0 ln 0 = 0
  Var values = Var(p) * (log(clamp(Var(p), std::numeric_limits<float>::min(), INFINITY)) - log_q);
  return r == Reduction::none ? values : reduce(sum(values, {1}), r);
}

}  // namespace clade::nn

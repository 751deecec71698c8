// Losses as PyTorch's torch.nn.functional has them: over all elements, with a reduction.
//
// The per-sample losses, with masks, that the variational models add up stand in
// autograd/functions/loss.h.
#pragma once

#include "autograd/functions.h"

namespace clade::nn {

enum class Reduction { mean, sum, none };

Var mse_loss(const Var& prediction, const Tensor& target, Reduction r = Reduction::mean);
Var l1_loss(const Var& prediction, const Tensor& target, Reduction r = Reduction::mean);
Var bce_with_logits_loss(const Var& logits, const Tensor& target, Reduction r = Reduction::mean);
// -log softmax(logits)[n, class_id[n]]: logits (N, K), class_id (N) i32 or i64 in 0 .. K - 1.
Var cross_entropy_loss(const Var& logits, const Tensor& class_id, Reduction r = Reduction::mean);
// KL(p || q) = sum p (log p - log q) over the elements; log_q (N, K), p (N, K) >= 0, and 0 log 0 =
// 0. Reduction::mean divides by N (PyTorch's "batchmean").
Var kl_div_loss(const Var& log_q, const Tensor& p, Reduction r = Reduction::mean);

}  // namespace clade::nn

// A Gaussian mixture as the prior of a latent space, with parameters that are trained.
//
//     p(c) = softmax(logits),   p(z | c) = N(z; means_c, diag exp(logvars_c))
#pragma once

#include "clustering/mixture/gmm.h"
#include "nn/module.h"

namespace clade::models {

struct MixturePrior {
  Var logits;          // (k)
  Var means, logvars;  // (k, d)

  MixturePrior(int64_t k, int64_t d, double logvar = 0);
  // Means and variances of a fitted mixture with diagonal covariances; p(c) uniform.
  void start_at(const cluster::Gmm& gmm);

  Var log_weights() const;            // (1, k): log p(c)
  Var log_joint(const Var& z) const;  // (N, d) -> (N, k): log p(c) + log N(z; c)
  // KL(N(mean, exp(logvar)) || N(c)), (N, k), of posteriors (N, d).
  Var kl(const Var& mean, const Var& logvar) const;
  void visit(nn::Visitor& v) { v("logits", logits), v("means", means), v("logvars", logvars); }
};

// sum_c g_c [KL(q || c) + log g_c - log p(c)] (N) for log g (N, k) with rows that sum to 1: what a
// posterior q(z) g(c) costs beside the mixture.
Var mixture_divergence(const MixturePrior& prior, const Var& log_g, const Var& mean,
                       const Var& logvar);

}  // namespace clade::models

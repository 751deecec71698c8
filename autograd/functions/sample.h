// The random functions of variational autoencoders, and importance weighting.
//
// Noise is drawn from `rng`, whose position moves on, and is recomputed in the backward pass: it is
// never stored.
#pragma once

#include "autograd/var.h"
#include "tensor/random.h"

namespace clade {

// z = mean + exp(logvar / 2) eps, eps ~ N(0, I): mean, logvar (N, D) -> z (N, D), or with K >= 1
// samples (K, N, D).
Var reparameterize(const Var& mean, const Var& logvar, Random& rng);
Var reparameterize(const Var& mean, const Var& logvar, int64_t samples, Random& rng);

// x / (1 - p) with probability 1 - p, else 0.
Var dropout(const Var& x, double p, Random& rng);

// z (K, N, D), mean and logvar (N, D) -> log p(z) - log q(z | x) (K, N), p standard normal and q =
// N(mean, exp(logvar)). Beside the log likelihood it makes the log weights of the bound below. Its
// gradient is the whole derivative: through z, and through the density of q directly.
Var log_prior_ratio(const Var& z, const Var& mean, const Var& logvar);

// log_w (K, N) -> log (1/K sum_k exp log_w[k, n]) (N): the importance-weighted bound of each sample
// (Burda et al. 2016, eq. 8). Its gradient is the normalised weights.
struct ImportanceWeights {
  Var bound;         // (N)
  Tensor weight;     // (K, N), sums to 1 over k
  Tensor effective;  // (N) effective sample size, 1 .. K
};
ImportanceWeights importance_weighted_bound(const Var& log_w);

}  // namespace clade

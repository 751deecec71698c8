// sample: the random kernels of variational autoencoders, and importance weighting.
//
// Noise is recomputed in the backward pass from (seed, stream, first): nothing random is stored.
// Element i of a tensor, in row-major order, uses Philox draw first + i (`first` a multiple of 4),
// so the same element gets the same noise on any device at any thread count.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// Which draws: see tensor/philox.h.
struct Draw {
  uint64_t seed, stream, first;
  // On a GPU, where not null: `first` stands there, and may change from one replay of a captured
  // step to the next (tensor/capture.h).
  const uint64_t* first_on_device = nullptr;
};

// z[k, n, d] = mean[n, d] + exp(logvar[n, d] / 2) eps[k, n, d]   (Kingma and Welling 2014)
// mean, logvar (N, D); z (N, D), or (K, N, D) for K samples. Row-major, one floating dtype.
void reparameterize(const Cpu&, const View& mean, const View& logvar, const Draw& draw,
                    const View& z);
// dmean = sum_k dz,  dlogvar = sum_k dz eps exp(logvar / 2) / 2
void reparameterize_backward(const Cpu&, const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar);

// y = x / (1 - p) with probability 1 - p, else 0. 0 <= p < 1. The backward pass is the same
// function of dy with the same draw. x, y: equal sizes and equal dense strides; element i is
// counted in memory order.
void dropout(const Cpu&, const View& x, double p, const Draw& draw, const View& y);

// Importance weighting over K samples (Burda et al. 2016): from log_w (K, N)
//     bound[n] = logsumexp_k log_w[k, n] - log K
//     weight[k, n] = exp(log_w[k, n] - logsumexp_k)      (sums to 1 over k)
//     effective[n] = 1 / sum_k weight^2                  (effective sample size, 1 .. K)
// in one pass; all row-major. A column of -inf alone gives bound -inf, weights 0 and effective 0.
// NaN in a column gives NaN in all that comes of it. The gradient of bound is weight: dlog_w[k, n]
// = dbound[n] weight[k, n].
void importance_weights(const Cpu&, const View& log_w, const View& bound, const View& weight,
                        const View& effective);

// log p(z) - log q(z | x) of the standard normal p and the posterior q = N(mean, exp(logvar)):
//     out[k, n] = 1/2 sum_d [logvar + (z - mean)^2 exp(-logvar) - z^2]
// z (K, N, D); mean, logvar (N, D); out (K, N). Row-major, one floating dtype. With the log
// likelihood added it is the log weight of sample k (Burda et al. 2016, eq. 7).
void log_prior_ratio(const Cpu&, const View& z, const View& mean, const View& logvar,
                     const View& out);
// With pull = (z - mean) exp(-logvar):
// dz = dout (pull - z),  dmean = -sum_k dout pull,  dlogvar = 1/2 sum_k dout [1 - (z - mean) pull]
void log_prior_ratio_backward(const Cpu&, const View& z, const View& mean, const View& logvar,
                              const View& dout, const View& dz, const View& dmean,
                              const View& dlogvar);

// The same on a GPU.
void reparameterize(const Cuda&, const View& mean, const View& logvar, const Draw& draw,
                    const View& z);
void reparameterize_backward(const Cuda&, const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar);
void dropout(const Cuda&, const View& x, double p, const Draw& draw, const View& y);
void importance_weights(const Cuda&, const View& log_w, const View& bound, const View& weight,
                        const View& effective);
void log_prior_ratio(const Cuda&, const View& z, const View& mean, const View& logvar,
                     const View& out);
void log_prior_ratio_backward(const Cuda&, const View& z, const View& mean, const View& logvar,
                              const View& dout, const View& dz, const View& dmean,
                              const View& dlogvar);

namespace reference {
void reparameterize(const View& mean, const View& logvar, const Draw& draw, const View& z);
void reparameterize_backward(const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar);
void dropout(const View& x, double p, const Draw& draw, const View& y);
void importance_weights(const View& log_w, const View& bound, const View& weight,
                        const View& effective);
void log_prior_ratio(const View& z, const View& mean, const View& logvar, const View& out);
void log_prior_ratio_backward(const View& z, const View& mean, const View& logvar, const View& dout,
                              const View& dz, const View& dmean, const View& dlogvar);
}  // namespace reference

}  // namespace clade::kernels

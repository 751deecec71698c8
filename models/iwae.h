// The importance weighted autoencoder (Burda, Grosse and Salakhutdinov, ICLR 2016), and MIWAE, its
// form for data with holes (Mattei and Frellsen, ICML 2019).
//
//     encoder    q(z | x) = N(mean(x), exp(logvar(x)))        missing values enter as 0
//     samples    z_k = mean + exp(logvar / 2) eps_k,  k = 1 .. K
//     weights    log w_k = log p(x_obs | z_k) + log p(z_k) - log q(z_k | x)          (IWAE eq. 7)
//     bound      L_K = E log 1/K sum_k w_k                        (IWAE eq. 8, MIWAE eq. 4)
//
// L_1 is the evidence lower bound of the plain VAE, L_K never falls with K in expectation, and its
// gradient is sum_k (w_k / sum w) grad log w_k: all of that is one op (importance_weighted_bound).
// The likelihood counts observed values alone, so missing ones teach nothing.
//
// Imputation (MIWAE eq. 12): E[x_mis | x_obs] ~ sum_l w_l / (sum w) E[x_mis | z_l], and multiple
// imputations by drawing l with probability w_l / sum w, then x_mis from p(x | z_l) (eq. 13).
#pragma once

#include "models/dynamic_blocks.h"
#include "models/likelihood.h"
#include "nn/layers.h"

namespace clade::models {

struct IwaeOptions {
  Likelihood likelihood = Likelihood::bernoulli;
  int64_t latent = 50;
  bool convolutional = false;                // dynamic blocks of P0, else dense layers
  std::vector<int64_t> hidden = {200, 200};  // of the dense encoder; the decoder mirrors it
  bool tanh = true;                          // activation of the dense layers, else ReLU
  int64_t filters = 0;                       // of the first dynamic block; 0: the side
};

class Iwae {
 public:
  Iwae(const Shape& sample, const IwaeOptions& options, Random rng);

  struct Posterior {
    Var mean, logvar;  // (N, latent)
  };
  Posterior encode(const Var& x);
  Var decode(const Var& z);  // (M, latent) -> the likelihood's numbers

  struct Weighted {
    Var z;            // (K, N, latent)
    Var numbers;      // (K N, ...): the decoder's, sample k of row n in row k N + n
    Var log_weights;  // (K, N)
  };
  // x (N, ...), 0 where missing; mask like x or undefined. Noise from `rng`.
  Weighted sample(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);
  // The same with noise that all rows share: what follows for a row does not depend on its batch.
  Weighted sample_in_common(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);
  // The bound of each row, (N).
  Var bound(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);

  // Self-normalised means over k samples (in common), (N, latent) and like x.
  Tensor importance_mean(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);
  Tensor expected(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);  // E[x | x_obs]
  // expected() where missing; what is observed stays.
  Tensor impute(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);
  // One draw of the missing values by sampling importance resampling; what is observed stays.
  Tensor impute_draw(const Tensor& x, const Tensor& mask, int64_t k, Random& rng);

  // The decoder's last bias such that with an input of 0 it gives the mean of x (logits of it for
  // Bernoulli), as in the original code.
  void start_at_mean(const Tensor& x, const Tensor& mask);

  const IwaeOptions& options() const { return options_; }
  void visit(nn::Visitor& v);

 private:
  Weighted weigh(const Tensor& x, const Tensor& mask, const Posterior& q, const Var& z);
  IwaeOptions options_;
  Shape sample_;
  nn::Sequential encoder_;
  nn::Linear mean_, logvar_;
  nn::Sequential decoder_;
};

// sum_k weight[k, n] values[k N + n, ...], (N, ...), for weight (K, N).
Tensor weighted_mean(const Tensor& weight, const Tensor& values);
// For each n one row k N + n of `values`, k drawn with probability weight[k, n].
Tensor resampled(const Tensor& weight, const Tensor& values, Random& rng);
// The mask, or ones like x where it is undefined.
Tensor observed_of(const Tensor& x, const Tensor& mask);
// x repeated k times along a new first axis and flattened: row k N + n is row n of x.
Tensor repeated(const Tensor& x, int64_t k);

}  // namespace clade::models

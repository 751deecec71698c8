// VaDE: variational deep embedding (Jiang, Zheng, Tan, Tang and Zhou, IJCAI 2017). Recipe 9.
//
//     c ~ p(c),  z | c ~ N(u_c, l_c),  x | z ~ decoder(z)
//     L = E log p(x | z) - sum_c g_c KL(q(z | x) || N(u_c, l_c)) - sum_c g_c log [g_c / p(c)]
//     g_c = p(c | z),  z one sample of q(z | x)                      (eq. 16; P1 eq. 9)
//
// The autoencoder is trained first as a plain one, then a Gaussian mixture of its codes gives the
// first u and l. Its last layer is the mean head of q; the head of the log variances starts near
// -5, so that the samples start near the codes. p(c) enters once, where the authors' code has it to
// the power of the latent size, and stays a distribution by a softmax.
#pragma once

#include "models/autoencoder.h"
#include "models/mixture_prior.h"
#include "nn/layers.h"

namespace clade::models {

class Vade {
 public:
  explicit Vade(const Blueprint& b);

  struct Posterior {
    Var mean, logvar;  // (N, latent)
  };
  Posterior encode(const Tensor& x);
  // -log p(x | z) of each row, (N).
  Var reconstruction_error(const Var& z, const Tensor& x);
  // -L of a batch, a mean over its rows, and its two terms; noise that belongs to `step`.
  std::vector<Var> loss(const Tensor& x, int64_t step, const Blueprint& b);

  // Phases "pretraining", "mixture" and "vade" of `phases`.
  void train(Phases& phases, const Rows& rows, const Blueprint& b, const Training& t,
             const Progress& progress);
  // The first two alone.
  void start(Phases& phases, const Rows& rows, const Blueprint& b, const Training& t,
             const Progress& progress);

  Tensor codes(const Rows& rows, const Progress& progress);             // posterior means
  Tensor responsibilities(const Rows& rows, const Progress& progress);  // p(c | mean), (n, k)
  Autoencoder& autoencoder() { return autoencoder_; }
  const MixturePrior& prior() const { return prior_; }
  void visit(nn::Visitor& v);

 private:
  Autoencoder autoencoder_;
  nn::Linear logvar_;
  MixturePrior prior_;
};

// A partition (n) i32 to start other systems from, named by the setting `init`:
//     kmeans   k-means of the autoencoder's codes
//     umap     a Gaussian mixture of the codes' UMAP embedding, as N2D (McConville et al. 2020)
//     vade     the clusters of VaDE, which must be trained
Tensor first_partition(Vade& vade, const Rows& rows, const Blueprint& b, const Progress& progress);

// dense_settings() and those of the phase "vade".
std::vector<Setting> vade_settings();
void fill_vade(Settings& settings, int64_t rows, const Shape& sample);  // for recipes

}  // namespace clade::models

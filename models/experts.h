// k small variational autoencoders, one a cluster: what k-DAE, k-DVAE and the mixture of experts
// share. P1, section 4.2: encoders D-500-100-10, decoders 10-100-500-D.
#pragma once

#include "models/likelihood.h"
#include "models/settings.h"
#include "nn/layers.h"
#include "nn/sequential.h"

namespace clade::models {

class Expert {
 public:
  Expert(const Shape& sample, const std::vector<int64_t>& hidden, int64_t latent,
         Likelihood likelihood, Random rng);

  struct Posterior {
    Var mean, logvar;  // (N, latent)
  };
  Posterior encode(const Var& x);
  Var decode(const Var& z) { return decoder_(z); }
  // log p(x | z) of each row, (N).
  Var log_likelihood_of(const Tensor& x, const Tensor& mask, const Var& z);
  int64_t latent() const { return latent_; }
  Likelihood likelihood() const { return likelihood_; }
  void visit(nn::Visitor& v);

 private:
  int64_t latent_;
  Likelihood likelihood_;
  nn::Sequential encoder_;
  nn::Linear mean_, logvar_;
  nn::Sequential decoder_;
};

// The settings of the systems on experts, their start's (models/vade.h) among them.
std::vector<Setting> experts_settings();
void fill_experts(Settings& settings, int64_t rows, const Shape& sample);  // a recipe

}  // namespace clade::models

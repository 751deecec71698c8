// The variational autoencoder (Kingma and Welling 2014) with the dynamic blocks of P0, and P0's own
// contribution: the masked variational autoencoder (section IV.A) for data with holes.
//
//     encoder    h = blocks(x);  mean = h W_m + b_m,  logvar = h W_v + b_v
//     sample     z = mean + exp(logvar / 2) eps,  eps ~ N(0, I)
//     decoder    xhat = sigmoid(blocks'(act(z W_d + b_d)))           (tables: no sigmoid)
//     loss       1/N sum_n [ sum_j m_nj (x_nj - xhat_nj)^2 + beta KL(q(z | x_n) || N(0, I)) ]
//
// The mask m is 1 where a value was observed. Masked: it multiplies the error (eq. 5), so missing
// pixels teach the network nothing, and it enters the encoder as further channels, so that a hole
// is not taken for background. Not masked: m = 1 everywhere and no mask in the input; the holes are
// then plain zeros. The error is summed over pixels: its mean, with beta = 1, lets the KL term win
// and the latent space collapse (docs/models.md).
#pragma once

#include "data/dataset.h"
#include "models/dynamic_blocks.h"
#include "nn/layers.h"
#include "tensor/progress.h"

namespace clade::models {

struct VaeOptions {
  bool masked = true;
  int64_t latent = 10;
  double beta = 0.2;    // 1: the bound itself; smaller keeps more of the image in the code
  int64_t filters = 0;  // of the first block; 0: the side of the image
  bool short_specific_blocks = false;              // see DynamicOptions
  std::vector<int64_t> hidden = {500, 500, 2000};  // of tables
};

struct VaeOutput {
  Var mean, logvar;    // (N, latent)
  Var reconstruction;  // like x
};

// The parts of the loss, each (N): one value a sample.
struct VaeLoss {
  Var reconstruction, kl;
};

class Vae {
 public:
  // For samples of `shape` (C, D, D) or (D). `rng` gives the first weights and, forked, the noise.
  Vae(const Shape& sample, const VaeOptions& options, Random rng);

  // x (N, ...) on the model's device, missing values 0; mask like x, undefined: all observed. In
  // training mode z is sampled, else z = mean.
  VaeOutput operator()(const Tensor& x, const Tensor& mask);
  VaeLoss loss(const VaeOutput& out, const Tensor& x, const Tensor& mask) const;

  const VaeOptions& options() const { return options_; }
  const Shape& sample_shape() const { return sample_; }
  Device device() const { return mean_.weight.value().device(); }  // nn::move_to changes it
  void visit(nn::Visitor& v);

  // Parts of operator(), for tests and for models built on this one.
  struct Posterior {
    Var mean, logvar;
  };
  Posterior encode(const Tensor& x, const Tensor& mask);
  Var decode(const Var& z);

 private:
  bool is_images() const { return sample_.rank() == 3; }
  DynamicOptions dynamic_options() const;

  VaeOptions options_;
  Shape sample_;
  nn::Sequential encoder_;
  nn::Linear mean_, logvar_, code_;
  nn::Sequential decoder_;
  nn::Mode mode_;
  Random noise_;
};

// The mean of q(z | x) of every row, (n, latent), in evaluation mode: a row's code does not depend
// on the rest of its batch. Reports "encode", in rows. Throws Error when a code is not finite: then
// the training diverged.
Tensor encode_means(Vae& vae, const data::Dataset& d, int64_t batch = 512,
                    const Progress& progress = {});
// Rows as the decoder sees them at their mean. Reports "reconstruct", in rows.
Tensor reconstruct(Vae& vae, const data::Dataset& d, int64_t batch = 512,
                   const Progress& progress = {});

}  // namespace clade::models

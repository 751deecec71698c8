// The autoencoder that the deep-clustering systems share, its loss and its pretraining.
//
//     z = encoder(x),  xhat = decoder(z),     L = mean over rows and values of (x - xhat)^2
//
// The dense one is that of DEC and its descendants (recipe 0.3): D-500-500-2000-10-2000-500-500-D,
// ReLU between, linear code, linear output; 3,330,794 parameters for D = 784. Images are flattened
// inside and come back as images. Weights U(-1/sqrt(fan_in), 1/sqrt(fan_in)), biases 0.
#pragma once

#include "models/augment.h"
#include "models/phases.h"
#include "nn/sequential.h"

namespace clade::models {

struct Autoencoder {
  nn::Sequential encoder, decoder;
  bool bernoulli = false;  // the decoder gives logits of [0, 1] values, and the loss is their
                           // cross-entropy (mean over rows and values)

  Var encode(const Var& x) { return encoder(x); }
  Var loss(const Var& z, const Tensor& target);  // a scalar
  Tensor reconstruct(const Tensor& x);
  void visit(nn::Visitor& v) { v("encoder", encoder), v("decoder", decoder); }
};

Autoencoder dense_autoencoder(const Shape& sample, const std::vector<int64_t>& hidden,
                              int64_t latent, Random& rng);

// The settings of pretrain(), and of the dense network.
std::vector<Setting> pretraining_settings();
std::vector<Setting> dense_settings();  // with pretraining_settings()
// dense_autoencoder() as its settings say.
Autoencoder make_dense(const Blueprint& b);
void fill_pretraining(Settings& settings, int64_t rows);  // for recipes

// Brings the autoencoder to where clustering begins:
//   end-to-end   all layers together, `epochs` passes
//   stacked      first layer by layer, as a stack of denoising autoencoders (Vincent et al. 2010):
//                pair i, of encoder layer i and the decoder layer that answers it, learns to give
//                back what the layers below make of x, with dropout .2 on its hidden units and,
//                but for the first pair, on its input; `layer_epochs` passes each
// or by the weights of `training.pretrained`, whose autoencoder must have the same shapes.
// corruption: of what the network sees; see models/augment.h.
void pretrain(Phases& phases, Autoencoder& autoencoder, const Rows& rows, const Blueprint& b,
              const Training& training, const Corruption& corruption, const Progress& progress);

// What each of its steps on all layers minimises: the reconstruction of x (N, ...), moved and made
// noisy as the corruption says with draws that belong to `step`.
Var pretraining_loss(Autoencoder& autoencoder, const Tensor& x, int64_t step, const Blueprint& b,
                     const Corruption& corruption);

// Codes (n, latent); finite, or Error. Reports "encode".
Tensor encode_rows(Autoencoder& autoencoder, const Rows& rows, const Progress& progress);
Tensor reconstruct_rows(Autoencoder& autoencoder, const Rows& rows, const Progress& progress);

// What the systems on an autoencoder have in common.
class AutoencoderSystem : public System {
 public:
  AutoencoderSystem(const Blueprint& b, Autoencoder ae)
      : blueprint_(b), autoencoder_(std::move(ae)) {}
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    return {pretraining_loss(autoencoder_, batch.values, step, blueprint_, {})};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return encode_rows(autoencoder_, rows, progress);
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    return reconstruct_rows(autoencoder_, rows, progress);
  }
  void visit(nn::Visitor& v) override { v("autoencoder", autoencoder_); }

 protected:
  const Settings& settings() const { return blueprint_.settings; }
  int64_t k() const { return blueprint_.clusters; }

  Blueprint blueprint_;
  Autoencoder autoencoder_;
};

// f(optimizer) with Sgd or Adam, by the word "sgd" or "adam".
template <class F>
void with_optimizer(const std::string& word, double lr, double momentum,
                    optim::ParameterArena& arena, F f) {
  if (word == "sgd") {
    optim::Sgd sgd(arena, {.lr = lr, .momentum = momentum});
    f(sgd);
  } else {
    optim::Adam adam(arena, {.lr = lr});
    f(adam);
  }
}

}  // namespace clade::models

// DCEC, deep clustering with convolutional autoencoders (Guo, Liu, Zhu, Yin, ICONIP 2017); recipe
// 13. IDEC on images, with the convolutional network of models/conv_autoencoders.h:
//
//     L = mean (x - xhat)^2 + gamma KL(P || Q),  gamma = 0.1                               (eq. 1)
//
// network=5x5 is the paper's (275,979 parameters for 28 x 28), 3x3 that of P3's notebook.
#include "models/conv_autoencoders.h"
#include "models/self_training.h"

#include "autograd/functions.h"

namespace clade::models {
namespace {

class Dcec : public SelfTrained {
 public:
  explicit Dcec(const Blueprint& b) : SelfTrained(b, make_conv(b)) {}
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t) override {
    const Var z = autoencoder_.encode(batch.values);
    return {autoencoder_.loss(z, batch.values) + settings().number("gamma") * divergence(z, batch)};
  }

 private:
  bool trains_decoder() const override { return true; }
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_self_training(s, rows); }

}  // namespace

SystemInfo dcec_system() {
  return {.name = "dcec",
          .what = "IDEC on a convolutional autoencoder",
          .source = "DCEC, Guo et al. 2017; P3; recipe 13",
          .images_only = true,
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = joined(joined(conv_settings("5x5"), self_training_settings("adam", "0.001")),
                             {number("gamma", "0.1", "weight of the clustering loss")}),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new Dcec(b); }};
}

}  // namespace clade::models

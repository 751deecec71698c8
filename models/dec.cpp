// DEC, deep embedded clustering (Xie, Girshick, Farhadi, ICML 2016); recipe 6.
//
//     z = encoder(x);   q_ij prop (1 + |z_i - m_j|^2)^-1                                   (eq. 1)
//     p_ij prop q_ij^2 / sum_i q_ij,  over all rows                                        (eq. 3)
//     L = KL(P || Q), by the encoder and the centres m; the decoder was for pretraining    (eq. 2)
//
// Pretraining: end-to-end, or the paper's stack of denoising autoencoders (pretrain=stacked). The
// batches are shuffled, so that rows sorted by class do no harm.
#include "models/self_training.h"

namespace clade::models {
namespace {

class Dec : public SelfTrained {
 public:
  explicit Dec(const Blueprint& b) : SelfTrained(b, make_dense(b)) {}
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t) override {
    return {divergence(autoencoder_.encode(batch.values), batch)};
  }

 private:
  bool trains_decoder() const override { return false; }
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_self_training(s, rows); }

}  // namespace

SystemInfo dec_system() {
  return {.name = "dec",
          .what = "autoencoder, then its encoder sharpens its own soft clusters",
          .source = "DEC, Xie et al. 2016; recipe 6",
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = joined(dense_settings(), self_training_settings("sgd", "0.01")),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new Dec(b); }};
}

}  // namespace clade::models

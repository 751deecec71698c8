// IDEC, improved deep embedded clustering (Guo, Gao, Liu, Yin, IJCAI 2017); recipe 7.
//
//     L = L_r + gamma L_c,    L_r = mean (x - xhat)^2,    L_c = KL(P || Q), gamma = 0.1    (eq. 3)
//
// DEC whose decoder stays: the reconstruction keeps the code space from being torn by the clusters.
#include "models/self_training.h"

#include "autograd/functions.h"

namespace clade::models {
namespace {

class Idec : public SelfTrained {
 public:
  explicit Idec(const Blueprint& b) : SelfTrained(b, make_dense(b)) {}
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t) override {
    const Var z = autoencoder_.encode(batch.values);
    return {autoencoder_.loss(z, batch.values) + settings().number("gamma") * divergence(z, batch)};
  }

 private:
  bool trains_decoder() const override { return true; }
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_self_training(s, rows); }

}  // namespace

SystemInfo idec_system() {
  return {.name = "idec",
          .what = "DEC that keeps reconstructing the rows",
          .source = "IDEC, Guo et al. 2017; recipe 7",
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = joined(joined(dense_settings(), self_training_settings("adam", "0.001")),
                             {number("gamma", "0.1", "weight of the clustering loss")}),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new Idec(b); }};
}

}  // namespace clade::models

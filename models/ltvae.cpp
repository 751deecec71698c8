// LTVAE: a variational autoencoder whose prior is a latent tree (Li, Chen, Poon and Zhang, ICLR
// 2019). Recipe 10.
//
//     L = E [log p(x | z) + log p(z)] + entropy of q(z | x),   p(z) of models/latent_tree.h
//
// An autoencoder is trained first; facets, mixtures and tree start from its codes. Then the network
// goes by Adam and the tree by stepwise EM (rho = .01), a step of each for every batch, and the
// tree's edges are learned anew after every `tree_every` epochs, as the authors' structure search
// is. One facet (the default) is their LTVAE-GMM: a Gaussian mixture with full covariances over all
// dimensions. The clusters are the values of one facet's variable: `facet`, counted from 1; 0 takes
// the one that tells most about the others.
#include "models/epochs.h"
#include "models/latent_tree.h"
#include "models/vade.h"

namespace clade::models {
namespace {

constexpr double kStep = 0.01;  // rho

class Ltvae : public System {
 public:
  explicit Ltvae(const Blueprint& b)
      : blueprint_(b),
        net_(b),
        tree_(b.settings.whole("latent"), b.settings.whole("facets"), b.clusters) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    pretrain(phases, net_.autoencoder(), rows, blueprint_, t, {}, progress);
    phases.once("latent tree", [&] {
      tree_.start(net_.codes(rows, progress), blueprint_.seed, progress);
      nn::set_training(*this, true);
    });
    optim::ParameterArena arena(net_);
    optim::Adam adam(arena, {.lr = s.number("vade_lr")});
    train_epochs(
        phases, arena, adam, rows,
        {"ltvae",
         s.whole("cluster_epochs"),
         s.whole("batch"),
         blueprint_.seed + 1,
         {"negative bound", "ltvae reconstruction", "divergence"}},
        progress,
        [&](const data::Batch& batch, int64_t, int64_t step) {
          const Sampled q = sample(batch.values, step);
          const std::vector<Var> terms = loss(q, batch.values);
          tree_.step(q.z.value(), kStep);
          return terms;
        },
        [&](int64_t epoch) {
          if (tree_.facets() == 1 || epoch == 0 || epoch % s.whole("tree_every") != 0) return;
          tree_.learn_tree(net_.codes(rows, progress));
          nn::set_training(*this, true);
        });
  }
  // The tree is held.
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    return loss(sample(batch.values, step), batch.values);
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return net_.codes(rows, progress);
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    return reconstruct_rows(net_.autoencoder(), rows, progress);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    const int64_t named = blueprint_.settings.whole("facet");
    if (named > tree_.facets())
      fail("--set facet", text("at most ", tree_.facets(), ", the number of facets"), text(named));
    const int64_t facet = named > 0 ? named - 1 : tree_.chief();
    const auto all = tree_.posteriors(net_.codes(rows, progress));
    return argmax(all[size_t(facet)], 1).to(DType::i32);
  }
  void visit(nn::Visitor& v) override { v("net", net_), v("tree", tree_); }

 private:
  static constexpr double kLogTwoPiE = 2.8378770664093454836;

  struct Sampled {
    Var z, logvar;  // (N, latent): of q(z | x) and its log variances
  };
  Sampled sample(const Tensor& x, int64_t step) {
    Random own = Random(blueprint_.seed).fork("ltvae noise").fork(uint64_t(step));
    const Vade::Posterior q = net_.encode(x);
    return {reparameterize(q.mean, q.logvar, own), q.logvar};
  }
  std::vector<Var> loss(const Sampled& q, const Tensor& x) {
    const Var r = mean(net_.reconstruction_error(q.z, x));
    // Entropy of a Gaussian: 1/2 sum [logvar + log 2 pi + 1]
    const Var entropy = 0.5 * sum(q.logvar + kLogTwoPiE, {1});
    const Var d = -mean(tree_.log_density(q.z) + entropy);
    return {blueprint_.settings.number("reconstruction_weight") * r + d, r, d};
  }

  Blueprint blueprint_;
  Vade net_;  // its autoencoder and variance head; its own mixture is not used
  LatentTree tree_;
};

}  // namespace

SystemInfo ltvae_system() {
  return {
      .name = "ltvae",
      .what = "variational autoencoder with a latent tree of mixtures for its prior",
      .source = "Li et al. 2019; recipe 10",
      .needs_clusters = true,
      .cpu_only = true,
      .settings = joined(
          vade_settings(),
          {one_of("loss", "", "squared bernoulli", "of reconstructions"),
           number("vade_lr", "0.0005", "learning rate after pretraining", 1e-12),
           whole("facets", "1", "groups of latent dimensions, each with its own clusters", 1, 64),
           whole("facet", "0", "whose clusters are told; 0: the one that tells most", 0, 64),
           whole("tree_every", "10", "epochs between two learnings of the tree")}),
      .recipe = fill_vade,
      .make = [](const Blueprint& b) -> System* { return new Ltvae(b); }};
}

}  // namespace clade::models

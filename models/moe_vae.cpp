// A mixture of experts: a network that gates k variational autoencoders (MoE-VAE, as P. Santos;
// with plain autoencoders DAMIC, Chazan, Gannot and Goldberger, MLSP 2019). Recipe 19.
//
//     p = softmax(gate(x))
//     L = mean over rows of sum_i p_i [-log p(x | z_i; i) + KL_i]                   (soft winners)
//         + sharp  mean over rows of H(p)                             (each row picks one expert)
//         + even   [ln k - H(mean over rows of p)]                       (no expert stays unused)
//
// The experts are those of k-DVAE (models/kdvae.cpp), which assigns by the experts' own scores;
// here the gate does, in one pass of a small network. `init` names the partition that the gate and
// the experts learn first (`warm_epochs`), as in k-DVAE.
#include <cmath>

#include "models/dynamic_blocks.h"
#include "models/epochs.h"
#include "models/experts.h"
#include "models/vade.h"

namespace clade::models {
namespace {

class MoeVae : public System {
 public:
  explicit MoeVae(const Blueprint& b)
      : blueprint_(b), start_(b), noise_(Random(b.seed).fork("moe")) {
    const Settings& s = b.settings;
    Random rng = noise_.fork("gate");
    if (b.sample.rank() == 3) gate_.add(nn::Flatten{});
    const auto hidden = s.sizes("expert_hidden");
    gate_.add(dense_encoder(b.sample.numel(), hidden, rng));
    gate_.add(nn::Linear(hidden.back(), b.clusters, rng));
    for (int64_t i = 0; i < b.clusters; i++)
      experts_.emplace_back(b.sample, hidden, s.whole("latent"),
                            likelihood_of(s.word("likelihood")), noise_.fork(uint64_t(i)));
  }

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    if (s.word("init") == "vade")
      start_.train(phases, rows, blueprint_, t, progress);
    else
      pretrain(phases, start_.autoencoder(), rows, blueprint_, t, {}, progress);

    std::vector<int32_t> first;
    Networks networks{*this};
    optim::ParameterArena arena(networks);
    {  // the gate learns the partition, each expert its rows
      optim::Adam adam(arena, {.lr = s.number("expert_lr")});
      const Random noise = noise_.fork("warm-up");
      train_epochs(
          phases, arena, adam, rows,
          {"warm-up",
           s.whole("warm_epochs"),
           s.whole("batch"),
           blueprint_.seed + 2,
           {"warm-up bound", "gate"}},
          progress, [&](const data::Batch& batch, int64_t, int64_t step) {
            if (first.empty())
              first = first_partition(start_, rows, blueprint_, progress).to_vector<int32_t>();
            Tensor labels = Tensor::zeros({batch.values.size(0), k()});
            for (int64_t i = 0; i < labels.size(0); i++)
              labels.data<float>()[i * k() + first[size_t(batch.rows.data<int64_t>()[i])]] = 1;
            labels = labels.to(rows.device);
            Random own = noise.fork(uint64_t(step));
            const Var gate =
                -mean(sum(Var(labels) * log_softmax(gate_(Var(batch.values)), 1), {1}));
            const Var cost = mean(sum(Var(labels) * costs(batch, own), {1}));
            return std::vector<Var>{cost + gate, gate};
          });
    }
    optim::Adam adam(arena, {.lr = s.number("expert_lr")});
    train_epochs(phases, arena, adam, rows,
                 {"experts",
                  s.whole("expert_epochs"),
                  s.whole("batch"),
                  blueprint_.seed + 3,
                  {"total", "expected bound", "row entropy", "imbalance"}},
                 progress, [&](const auto&... of) { return loss(of...); });
  }
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    const Settings& s = blueprint_.settings;
    Random own = noise_.fork("experts").fork(uint64_t(step));
    const Var log_p = log_softmax(gate_(Var(batch.values)), 1), p = exp(log_p);
    const Var cost = mean(sum(p * costs(batch, own), {1}));
    const Var entropy = -mean(sum(p * log_p, {1}));
    const Var share = mean(p, {0});
    const Var uneven = sum(share * log(share + 1e-12)) + std::log(double(k()));
    return {cost + s.number("sharp") * entropy + s.number("even") * uneven, cost, entropy, uneven};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return start_.codes(rows, progress);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    return in_batches(rows, kRowsAtATime, "assign", progress, [&](const Tensor& x, const Tensor&) {
      return argmax(gate_(Var(x)).value(), 1).to(DType::i32);
    });
  }
  void visit(nn::Visitor& v) override {
    v("start", start_);
    Networks{*this}.visit(v);
  }

 private:
  struct Networks {  // what the gate's phases train
    MoeVae& moe;
    void visit(nn::Visitor& v) {
      v("gate", moe.gate_);
      for (size_t i = 0; i < moe.experts_.size(); i++)
        v(text("expert", i).c_str(), moe.experts_[i]);
    }
  };
  int64_t k() const { return blueprint_.clusters; }

  // -log p(x | z_i) + KL of every expert, (N, k).
  Var costs(const data::Batch& batch, Random& noise) {
    std::vector<Var> all;
    for (Expert& e : experts_) {
      const Expert::Posterior q = e.encode(batch.values);
      const Var z = reparameterize(q.mean, q.logvar, noise);
      const Var cost =
          kl_standard_normal(q.mean, q.logvar) - e.log_likelihood_of(batch.values, batch.mask, z);
      all.push_back(reshape(cost, {-1, 1}));
    }
    return concat(all, 1);
  }

  Blueprint blueprint_;
  Vade start_;
  Random noise_;
  nn::Sequential gate_;
  std::vector<Expert> experts_;
};

}  // namespace

SystemInfo moe_vae_system() {
  return {.name = "moe-vae",
          .what = "k variational autoencoders behind a gate that picks among them",
          .source = "Chazan et al. 2019; recipe 19",
          .needs_clusters = true,
          .settings = joined(experts_settings(),
                             {number("sharp", "1", "weight of the entropy of a row's gate"),
                              number("even", "10", "weight of the imbalance of the experts")}),
          .recipe = fill_experts,
          .make = [](const Blueprint& b) -> System* { return new MoeVae(b); }};
}

}  // namespace clade::models

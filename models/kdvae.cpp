// k-DVAE: a mixture of k variational autoencoders, each a cluster (P1). And k-DAE, the same without
// the divergence: k autoencoders (Opochinsky, Chazan, Gannot and Goldberger, ICASSP 2020).
// Recipe 12.
//
//     y uniform in 1 .. k,  z ~ N(0, I),  x | z, y ~ decoder_y(z)                       (P1, 3.1)
//     train   max_i { log p(x | z_i; i) - KL(q_i(z | x) || N(0, I)) },  z_i ~ q_i        (eq. 6)
//     assign  argmax_i log p(x | mean_i; i) - |mean_i|^2 / 2 + sum log sigma_i           (eq. 8)
//
// Only the winner of a row is trained on it, so a step costs k encoders and decoders forward and
// one backward. Hard assignments only refine the partition they start from, so `init` names it:
//     kmeans   k-means of an autoencoder's codes
//     umap     a Gaussian mixture of the codes' UMAP embedding (as N2D, McConville et al. 2020)
//     vade     the clusters of VaDE (P1: k-means of its embedding)
// First each autoencoder learns its cluster of that partition (`warm_epochs`), then the best one
// wins each row (`expert_epochs`). One that holds less than 1 % of an even share of an epoch's
// rows starts again as a copy of the largest.
#include <algorithm>

#include "models/epochs.h"
#include "models/experts.h"
#include "models/vade.h"

namespace clade::models {
namespace {

class Experts : public System {
 public:
  Experts(const Blueprint& b, bool variational)
      : blueprint_(b),
        variational_(variational),
        start_(b),
        noise_(Random(b.seed).fork("experts")) {
    const Settings& s = b.settings;
    won_ = Tensor::zeros({b.clusters}, DType::f64);
    for (int64_t i = 0; i < b.clusters; i++)
      experts_.emplace_back(b.sample, s.sizes("expert_hidden"), s.whole("latent"),
                            likelihood_of(s.word("likelihood")), noise_.fork(uint64_t(i)));
  }

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    if (s.word("init") == "vade")
      start_.train(phases, rows, blueprint_, t, progress);
    else
      pretrain(phases, start_.autoencoder(), rows, blueprint_, t, {}, progress);

    struct Networks {
      std::vector<Expert>& experts;
      void visit(nn::Visitor& v) {
        for (size_t i = 0; i < experts.size(); i++) v(text("expert", i).c_str(), experts[i]);
      }
    } networks{experts_};
    optim::ParameterArena arena(networks);
    std::vector<int32_t> first;  // the partition to start from, when it is asked for
    run(phases, arena, rows, "warm-up", s.whole("warm_epochs"), progress,
        [&](const data::Batch& batch, Random&) {
          if (first.empty())
            first = first_partition(start_, rows, blueprint_, progress).to_vector<int32_t>();
          std::vector<int32_t> winners;
          for (int64_t row : batch.rows.to_vector<int64_t>()) winners.push_back(first[size_t(row)]);
          return winners;
        });
    run(phases, arena, rows, "experts", s.whole("expert_epochs"), progress,
        [&](const data::Batch& batch, Random& noise) {
          return winners_of(batch.values, batch.mask, &noise);
        });
  }
  // Eq. 6: the winners are held.
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    Random own = noise_.fork("experts").fork(uint64_t(step));
    return {loss_of_winners(batch, winners_of(batch.values, batch.mask, &own), own)};
  }

  // The winner's latent mean: codes of different winners live in different spaces, so the code is
  // that of the autoencoder that the training started from.
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return start_.codes(rows, progress);
  }

  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    return in_batches(rows, kRowsAtATime, "reconstruct", progress,
                      [&](const Tensor& x, const Tensor& mask) {
                        const auto winners = winners_of(x, mask, nullptr);
                        Tensor out = Tensor::empty_like(x);
                        for (int64_t i = 0; i < k(); i++) {
                          const Tensor own = rows_won(winners, int32_t(i));
                          if (own.numel() == 0) continue;
                          Expert& e = experts_[size_t(i)];
                          const Var z = e.encode(data::gather_rows(x, own)).mean;
                          scatter(expectation(e.likelihood(), e.decode(z).value()), own, out);
                        }
                        return out;
                      });
  }

  Tensor assign(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    return in_batches(rows, kRowsAtATime, "assign", progress,
                      [&](const Tensor& x, const Tensor& mask) {
                        return Tensor::from(winners_of(x, mask, nullptr), {x.size(0)});
                      });
  }

  void visit(nn::Visitor& v) override {
    v("start", start_), v("won", won_);
    for (size_t i = 0; i < experts_.size(); i++) v(text("expert", i).c_str(), experts_[i]);
  }

 private:
  int64_t k() const { return blueprint_.clusters; }

  // log p(x | z_i) - KL of expert i with z_i drawn from `noise`, (N); without noise the score of
  // eq. 8. k-DAE: log p(x | mean_i).
  Var score(Expert& e, const Tensor& x, const Tensor& mask, Random* noise) {
    const Expert::Posterior q = e.encode(x);
    if (!variational_) return e.log_likelihood_of(x, mask, q.mean);
    if (noise) {
      const Var z = reparameterize(q.mean, q.logvar, *noise);
      return e.log_likelihood_of(x, mask, z) - kl_standard_normal(q.mean, q.logvar);
    }
    return e.log_likelihood_of(x, mask, q.mean) - 0.5 * sum(square(q.mean), {1}) +
           0.5 * sum(q.logvar, {1});
  }

  std::vector<int32_t> winners_of(const Tensor& x, const Tensor& mask, Random* noise) {
    NoGrad no_grad;
    std::vector<Var> scores;
    for (Expert& e : experts_) scores.push_back(reshape(score(e, x, mask, noise), {-1, 1}));
    return argmax(concat(scores, 1).value(), 1).to_vector<int32_t>();
  }

  static Tensor rows_won(const std::vector<int32_t>& winners, int32_t expert) {
    std::vector<int64_t> rows;
    for (size_t i = 0; i < winners.size(); i++)
      if (winners[i] == expert) rows.push_back(int64_t(i));
    return Tensor::from(rows, {int64_t(rows.size())});
  }

  static void scatter(const Tensor& from, const Tensor& rows, Tensor& into) {
    for (int64_t i = 0; i < rows.numel(); i++) {
      const int64_t row = rows.data<int64_t>()[i];
      copy_elements(from.slice(0, i, i + 1).view(), into.slice(0, row, row + 1).view());
    }
  }

  // Minus the mean over the batch of each row's score by its winner.
  Var loss_of_winners(const data::Batch& batch, const std::vector<int32_t>& winners,
                      Random& noise) {
    Var total;
    for (int64_t i = 0; i < k(); i++) {
      const Tensor mine = rows_won(winners, int32_t(i));
      if (mine.numel() == 0) continue;
      const Tensor mask = batch.mask.defined() ? data::gather_rows(batch.mask, mine) : Tensor();
      const Var sum_of =
          sum(score(experts_[size_t(i)], data::gather_rows(batch.values, mine), mask, &noise));
      total = total.defined() ? total + sum_of : sum_of;
    }
    return total / -double(batch.values.size(0));
  }

  // Epochs in which each row teaches the expert that the winners name.
  template <class Winners>
  void run(Phases& phases, optim::ParameterArena& arena, const Rows& rows, const char* phase,
           int64_t epochs, const Progress& progress, Winners winners_of_batch) {
    const Settings& s = blueprint_.settings;
    optim::Adam adam(arena, {.lr = s.number("expert_lr")});
    const Random noise = noise_.fork(phase);
    double* won = won_.data<double>();
    train_epochs(
        phases, arena, adam, rows,
        {phase, epochs, s.whole("batch"), blueprint_.seed + 2, {"negative bound of winners"}},
        progress,
        [&](const data::Batch& batch, int64_t, int64_t step) {
          Random own = noise.fork(uint64_t(step));
          const std::vector<int32_t> winners = winners_of_batch(batch, own);
          for (int32_t winner : winners) won[winner] += 1;
          return std::vector<Var>{loss_of_winners(batch, winners, own)};
        },
        [&](int64_t epoch) {
          if (epoch > 0) revive(double(rows.size()));
          won_.fill_(0);
        });
  }

  // An expert that wins almost nothing becomes a copy of the one that wins most; the noise of
  // their next steps tells them apart.
  void revive(double n) {
    const double* won = won_.data<double>();
    const auto largest = size_t(std::max_element(won, won + k()) - won);
    for (size_t i = 0; i < experts_.size(); i++) {
      if (won[i] * 100 * double(k()) >= n) continue;
      const auto from = nn::state_dict(experts_[largest]), to = nn::state_dict(experts_[i]);
      for (size_t j = 0; j < to.size(); j++) Tensor(to[j].tensor).copy_(from[j].tensor);
    }
  }

  Blueprint blueprint_;
  bool variational_;
  Vade start_;
  Random noise_;
  std::vector<Expert> experts_;
  Tensor won_;  // f64 (k): rows that each expert won in this epoch
};

SystemInfo info(const char* name, const char* what, const char* source,
                System* (*make)(const Blueprint&)) {
  return {.name = name,
          .what = what,
          .source = source,
          .needs_clusters = true,
          .cpu_only = true,
          .settings = experts_settings(),
          .recipe = fill_experts,
          .make = make};
}

}  // namespace

SystemInfo kdvae_system() {
  return info("k-dvae", "k variational autoencoders, one a cluster", "P1; recipe 12",
              [](const Blueprint& b) -> System* { return new Experts(b, true); });
}

SystemInfo kdae_system() {
  return info("k-dae", "k autoencoders, one a cluster", "Opochinsky et al. 2020; recipe 12",
              [](const Blueprint& b) -> System* { return new Experts(b, false); });
}

}  // namespace clade::models

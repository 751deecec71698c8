// not-MIWAE: an importance weighted autoencoder for values that hide themselves (Ipsen, Mattei and
// Frellsen, ICLR 2021). Recipe 17.
//
// Where a value's own size decides whether it is seen (MNAR), leaving missing values out is not
// enough: the mask s carries information, and the model explains it too,
//
//     log w_k = log p(x_obs | z_k) + log p(s | x_obs, x_mis) + log p(z_k) - log q(z_k | x_obs)
//     p(s_j = 1 | x) = sigmoid(-W_j (x_j - b_j))                      (self-masking)
//
// with x_mis drawn from p(x_mis | z_k) by its mean and deviation (reparameterized: a Gaussian
// decoder). `known` holds W_j above 0: it is known that large values hide.
#include <algorithm>

#include "models/epochs.h"
#include "models/iwae.h"
#include "optim/schedule.h"

namespace clade::models {
namespace {

class NotMiwae : public System {
 public:
  explicit NotMiwae(const Blueprint& b)
      : blueprint_(b),
        noise_(Random(b.seed).fork("not-miwae noise")),
        net_(b.sample,
             {.likelihood = Likelihood::gaussian,
              .latent = b.settings.whole("latent"),
              .hidden = b.settings.sizes("hidden")},
             Random(b.seed).fork("not-miwae")),
        slope_(Var::parameter(Tensor::full({1, b.sample.numel()}, known() ? 0 : 0.1))),
        offset_(Var::parameter(Tensor::zeros({1, b.sample.numel()}))) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    phases.once("start", [&] { net_.start_at_mean(rows.values, rows.mask); });
    const int64_t epochs = s.whole("epochs");
    const optim::CosineSchedule rate{s.number("lr"), epochs, 0.01 * s.number("lr")};
    optim::ParameterArena arena(*this);
    optim::Adam adam(arena, {.lr = s.number("lr")});
    train_epochs(
        phases, arena, adam, rows,
        {"training", epochs, s.whole("batch"), blueprint_.seed, {"negative bound"}}, progress,
        [&](const auto&... of) { return loss(of...); },
        [&](int64_t epoch) { adam.options.lr = rate.at(epoch); });
  }
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    Random own = noise_.fork(uint64_t(step));
    const Tensor mask = observed_of(batch.values, batch.mask);
    const int64_t k = blueprint_.settings.whole("samples");
    const Var log_w = log_weights(batch.values, mask, k, own).log_weights;
    return {-mean(importance_weighted_bound(log_w).bound)};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    Tensor codes =
        in_batches(rows, kRowsAtATime, "encode", progress,
                   [&](const Tensor& x, const Tensor&) { return net_.encode(x).mean.value(); });
    require_finite_codes(codes);
    return codes;
  }
  // E[x | x_obs, s]
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    uint64_t part = 0;
    return in_batches(rows, 32, "reconstruct", progress, [&](const Tensor& x, const Tensor& mask) {
      Random own = noise_.fork("reconstruction").fork(part++);
      const Weighted w = log_weights(x, observed_of(x, mask), kSamples, own);
      return weighted_mean(importance_weighted_bound(w.log_weights).weight, w.filled.value());
    });
  }
  void visit(nn::Visitor& v) override { v("net", net_), v("slope", slope_), v("offset", offset_); }

 private:
  static constexpr int64_t kSamples = 200;
  bool known() const { return blueprint_.settings.word("process") == "known"; }

  struct Weighted {
    Var log_weights;  // (K, N)
    Var filled;       // (K N, ...): x with its holes drawn
  };
  Weighted log_weights(const Tensor& x, const Tensor& mask, int64_t k, Random& noise) {
    const Iwae::Weighted w = net_.sample(x, mask, k, noise);
    const int64_t m = k * x.size(0), d = blueprint_.sample.numel();
    const Tensor seen = repeated(mask, k).reshape({m, d});
    const Var numbers = reshape(w.numbers, {m, 2 * d});
    const Var drawn =
        reparameterize(slice(numbers, 1, 0, d), clamp(slice(numbers, 1, d, 2 * d), -6, 2), noise);
    const Var s(seen);
    const Var whole = s * Var(repeated(x, k).reshape({m, d})) + (1 - s) * drawn;
    const Var steep = known() ? softplus(slope_) : slope_;
    const Var log_ps = -bce_with_logits(-(steep * (whole - offset_)), seen);
    return {w.log_weights + reshape(log_ps, {k, x.size(0)}), reshape(whole, x.shape().with(0, m))};
  }

  Blueprint blueprint_;
  Random noise_;
  Iwae net_;
  Var slope_, offset_;  // W (before its softplus) and b, (1, D)
};

void recipe(Settings& s, int64_t rows, const Shape& sample) {
  s.fill("epochs", std::to_string(epochs_for(rows)));
  s.fill("latent", std::to_string(std::clamp<int64_t>(sample.numel() / 2, 1, 50)));
}

}  // namespace

SystemInfo not_miwae_system() {
  return {
      .name = "not-miwae",
      .what = "importance weighted autoencoder for values that hide by their own size",
      .source = "Ipsen et al. 2021; recipe 17",
      .uses_mask = true,
      .settings = {whole("epochs", "", "passes over the data", 0),
                   whole("batch", "64", "rows a training step", 2),
                   number("lr", "0.001", "learning rate of Adam, falling along a cosine", 1e-12),
                   whole("latent", "", "features a row is reduced to"),
                   whole("samples", "20", "K, samples of z a row in training"),
                   sizes("hidden", "128-128", "units of the encoder's hidden layers (tanh)"),
                   one_of("process", "free", "free known",
                          "known: it is known that large values hide, not small ones")},
      .recipe = recipe,
      .make = [](const Blueprint& b) -> System* { return new NotMiwae(b); }};
}

}  // namespace clade::models

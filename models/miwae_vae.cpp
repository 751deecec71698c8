// MIWAE + VAE: the holes are filled first, then a variational autoencoder sees whole images (P0,
// table XV, one row). Recipe 15.4.
//
//     1. MIWAE (models/iwae.h) learns from what was observed
//     2. x_mis = E[x_mis | x_obs] by its self-normalised weights
//     3. the VAE of dynamic blocks (models/vae.h), without a mask, learns from the filled images;
//        its means are the features
//
// P0 does not say which MIWAE: here the dense one for tables and images alike.
#include "models/epochs.h"
#include "models/iwae.h"
#include "models/vae.h"

namespace clade::models {
namespace {

class MiwaeVae : public System {
 public:
  explicit MiwaeVae(const Blueprint& b)
      : blueprint_(b),
        noise_(Random(b.seed).fork("miwae-vae noise")),
        miwae_(b.sample,
               {.likelihood = likelihood_of(b.settings.word("likelihood")),
                .latent = b.settings.whole("miwae_latent"),
                .hidden = b.settings.sizes("miwae_hidden"),
                .tanh = false},
               Random(b.seed).fork("miwae")),
        vae_(b.sample,
             {.masked = false,
              .latent = b.settings.whole("latent"),
              .beta = b.settings.number("beta"),
              .filters = b.settings.given("filters") ? b.settings.whole("filters") : 0},
             Random(b.seed).fork("vae")) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    {
      optim::ParameterArena arena(miwae_);
      optim::Adam adam(arena, {.lr = s.number("lr")});
      phases.once("start", [&] { miwae_.start_at_mean(rows.values, rows.mask); });
      train_epochs(phases, arena, adam, rows,
                   {"miwae",
                    s.whole("miwae_epochs"),
                    s.whole("batch"),
                    blueprint_.seed,
                    {"negative MIWAE bound"}},
                   progress, [&](const data::Batch& batch, int64_t, int64_t step) {
                     Random own = noise_.fork(uint64_t(step));
                     return std::vector<Var>{
                         -mean(miwae_.bound(batch.values, batch.mask, s.whole("samples"), own))};
                   });
    }
    const Rows whole = completed(rows, progress);
    optim::ParameterArena arena(vae_);
    optim::Adam adam(arena, {.lr = s.number("lr")});
    train_epochs(phases, arena, adam, whole,
                 {"vae",
                  s.whole("epochs"),
                  s.whole("batch"),
                  blueprint_.seed + 1,
                  {"total", "reconstruction", "KL"}},
                 progress, [&](const auto&... of) { return loss(of...); });
  }
  // Of rows without holes.
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t) override {
    const VaeLoss l = vae_.loss(vae_(batch.values, {}), batch.values, {});
    const Var r = mean(l.reconstruction), kl = mean(l.kl);
    return {r + vae_.options().beta * kl, r, kl};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return encode_means(vae_, as_dataset(completed(rows, progress)), kRowsAtATime, progress);
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    return models::reconstruct(vae_, as_dataset(completed(rows, progress)), kRowsAtATime, progress);
  }
  void visit(nn::Visitor& v) override { v("miwae", miwae_), v("vae", vae_); }

 private:
  static constexpr int64_t kSamples = 50;

  static data::Dataset as_dataset(const Rows& rows) {
    data::Dataset d;
    d.values = rows.values;
    return d;
  }
  Rows completed(const Rows& rows, const Progress& progress) {
    if (!rows.mask.defined()) return rows;
    const Evaluating evaluating(*this);
    return {in_batches(rows, 64, "impute", progress,
                       [&](const Tensor& x, const Tensor& mask) {
                         Random own = noise_.fork("imputation");
                         return miwae_.impute(x, mask, kSamples, own);
                       }),
            {},
            rows.device};
  }

  Blueprint blueprint_;
  Random noise_;
  Iwae miwae_;
  Vae vae_;
};

void recipe(Settings& s, int64_t rows, const Shape& sample) {
  const bool images = sample.rank() == 3;
  s.fill("epochs", std::to_string(epochs_for(rows)));
  s.fill("miwae_epochs", std::to_string(epochs_for(rows)));
  s.fill("likelihood", images ? "bernoulli" : "student");
  s.fill("filters", std::to_string(images ? sample[1] : 1));
}

}  // namespace

SystemInfo miwae_vae_system() {
  return {.name = "miwae-vae",
          .what = "MIWAE fills the holes, then a variational autoencoder sees whole rows",
          .source = "P0 table XV; recipe 15.4",
          .power_of_two_images = true,
          .uses_mask = true,
          .settings = {whole("epochs", "", "passes of the VAE", 0),
                       whole("miwae_epochs", "", "passes of MIWAE before it", 0),
                       whole("batch", "128", "rows a training step", 2),
                       number("lr", "0.001", "learning rate of Adam", 1e-12),
                       whole("latent", "10", "features a row is reduced to"),
                       number("beta", "0.2", "weight of the KL term"),
                       whole("filters", "", "images: channels of the first block"),
                       whole("samples", "5", "K of MIWAE"), whole("miwae_latent", "50", "of MIWAE"),
                       sizes("miwae_hidden", "200-200", "of MIWAE: units of the hidden layers"),
                       one_of("likelihood", "", "bernoulli gaussian student", "p(x | z) of MIWAE")},
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new MiwaeVae(b); }};
}

}  // namespace clade::models

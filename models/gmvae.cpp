// GMVAE: the Gaussian mixture variational autoencoder (Dilokthanakul et al. 2016). Recipe 19.
//
//     w ~ N(0, I),  c uniform in 1 .. k,  z | w, c ~ N(m_c(w), v_c(w)),  x | z ~ decoder(z)
//     q(z, w, c | x) = q(z | x) q(w | x) p(c | z, w),
//     p(c | z, w) = N(z; m_c(w), v_c(w)) / sum over the others                       (eqs. 3, 4)
//     L = E log p(x | z) - E sum_c p(c | z, w) KL(q(z | x) || N(m_c(w), v_c(w)))
//         - KL(q(w | x) || N(0, I)) - E KL(p(c | z, w) || uniform)                      (eq. 5)
//
// Unlike VaDE the components are shaped by w: a network makes them. The last term's weight is the
// original code's `cv`: at 1 it presses rows of all classes into a few clusters (digits, 40 epochs:
// ACC .23; at .1: .66), so the default is .1.
#include <cmath>

#include "models/dynamic_blocks.h"
#include "models/epochs.h"
#include "models/likelihood.h"
#include "nn/layers.h"

namespace clade::models {
namespace {

class Gmvae : public System {
 public:
  explicit Gmvae(const Blueprint& b) : Gmvae(b, Random(b.seed).fork("gmvae")) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    Phases phases(*this, rows, t);
    optim::ParameterArena arena(*this);
    optim::Adam adam(arena, {.lr = s.number("lr")});
    train_epochs(phases, arena, adam, rows,
                 {"training",
                  s.whole("epochs"),
                  s.whole("batch"),
                  blueprint_.seed,
                  {"negative bound", "reconstruction", "divergence", "w", "clusters"}},
                 progress, [&](const auto&... of) { return loss(of...); });
  }
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    Random noise = noise_.fork(uint64_t(step));
    const Terms l = terms(batch.values, batch.mask, noise);
    const Var r = mean(l.reconstruction), d = mean(l.divergence), w = mean(l.w),
              c = mean(l.clusters);
    return {r + d + w + blueprint_.settings.number("cv") * c, r, d, w, c};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    Tensor codes = in_batches(
        rows, kRowsAtATime, "encode", progress,
        [&](const Tensor& x, const Tensor&) { return z_mean_(encoder_(Var(x))).value(); });
    require_finite_codes(codes);
    return codes;
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    return in_batches(
        rows, kRowsAtATime, "reconstruct", progress, [&](const Tensor& x, const Tensor&) {
          return expectation(likelihood_, decoder_(z_mean_(encoder_(Var(x)))).value());
        });
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(*this);
    return in_batches(rows, kRowsAtATime, "assign", progress, [&](const Tensor& x, const Tensor&) {
      const Var h = encoder_(Var(x));
      return argmax(log_density(components(w_mean_(h)), z_mean_(h)).value(), 1).to(DType::i32);
    });
  }
  void visit(nn::Visitor& v) override {
    v("encoder", encoder_), v("z_mean", z_mean_), v("z_logvar", z_logvar_);
    v("w_mean", w_mean_), v("w_logvar", w_logvar_), v("prior", prior_), v("decoder", decoder_);
  }

 private:
  Gmvae(const Blueprint& b, Random rng)
      : blueprint_(b),
        noise_(rng.fork("noise")),
        likelihood_(likelihood_of(b.settings.word("likelihood"))),
        z_mean_(width(), latent(), rng),
        z_logvar_(width(), latent(), rng),
        w_mean_(width(), style(), rng),
        w_logvar_(width(), style(), rng) {
    const bool images = b.sample.rank() == 3;
    const auto hidden = b.settings.sizes("hidden");
    const int64_t numbers = numbers_a_value(likelihood_);
    if (images) encoder_.add(nn::Flatten{});
    encoder_.add(dense_encoder(b.sample.numel(), hidden, rng));
    prior_.add(nn::Linear(style(), width(), rng)).add(nn::Tanh{});
    prior_.add(nn::Linear(width(), 2 * b.clusters * latent(), rng));
    decoder_.add(nn::Linear(latent(), width(), rng)).add(nn::ReLU{});
    decoder_.add(dense_decoder(hidden, numbers * b.sample.numel(), rng));
    if (images) decoder_.add(nn::Unflatten{numbers * b.sample[0], b.sample[1], b.sample[2]});
  }
  int64_t width() const { return blueprint_.settings.sizes("hidden").back(); }
  int64_t latent() const { return blueprint_.settings.whole("latent"); }
  int64_t style() const { return blueprint_.settings.whole("style"); }

  struct Components {
    Var means, logvars;  // (N, k, latent)
  };
  Components components(const Var& w) {
    const Var all = reshape(prior_(w), {w.size(0), 2 * blueprint_.clusters, latent()});
    return {slice(all, 1, 0, blueprint_.clusters),
            clamp(slice(all, 1, blueprint_.clusters, 2 * blueprint_.clusters), -8, 4)};
  }
  // (N, latent) as (N, 1, latent), beside the components.
  static Var wide(const Var& t) { return reshape(t, {t.size(0), 1, t.size(1)}); }

  // log N(z; m_c, v_c) without its constant, (N, k).
  static Var log_density(const Components& c, const Var& z) {
    return -0.5 * sum(c.logvars + square(wide(z) - c.means) * exp(-c.logvars), {2});
  }

  struct Terms {
    Var reconstruction, divergence, w, clusters;  // (N)
  };
  Terms terms(const Tensor& x, const Tensor& mask, Random& noise) {
    const Var h = encoder_(Var(x));
    const Var z_mean = z_mean_(h), z_logvar = z_logvar_(h), w_mean = w_mean_(h),
              w_logvar = w_logvar_(h);
    const Var z = reparameterize(z_mean, z_logvar, noise),
              w = reparameterize(w_mean, w_logvar, noise);
    const Components c = components(w);
    const Var log_p = log_softmax(log_density(c, z), 1), p = exp(log_p);
    const Var kl =
        0.5 * sum(c.logvars - wide(z_logvar) - 1 +
                      (exp(wide(z_logvar)) + square(wide(z_mean) - c.means)) * exp(-c.logvars),
                  {2});
    return {-log_likelihood(likelihood_, decoder_(z), x, mask), sum(p * kl, {1}),
            kl_standard_normal(w_mean, w_logvar),
            sum(p * log_p, {1}) + std::log(double(blueprint_.clusters))};
  }

  Blueprint blueprint_;
  Random noise_;
  Likelihood likelihood_;
  nn::Sequential encoder_;
  nn::Linear z_mean_, z_logvar_, w_mean_, w_logvar_;
  nn::Sequential prior_, decoder_;
};

void recipe(Settings& s, int64_t rows, const Shape& sample) {
  s.fill("epochs", std::to_string(2 * epochs_for(rows)));
  s.fill("likelihood", sample.rank() == 3 ? "bernoulli" : "gaussian");
}

}  // namespace

SystemInfo gmvae_system() {
  return {
      .name = "gmvae",
      .what = "variational autoencoder with a mixture of made Gaussians for its prior",
      .source = "Dilokthanakul et al. 2016; recipe 19",
      .uses_mask = true,
      .needs_clusters = true,
      .settings = {whole("epochs", "", "passes over the data", 0),
                   whole("batch", "128", "rows a training step", 2),
                   number("lr", "0.001", "learning rate of Adam", 1e-12),
                   whole("latent", "10", "features a row is reduced to"),
                   whole("style", "10", "numbers in w, which shapes the components"),
                   sizes("hidden", "500-500", "units of the encoder's hidden layers"),
                   one_of("likelihood", "", "bernoulli gaussian student", "p(x | z)"),
                   number("cv", "0.1",
                          "weight of the clusters' own divergence; at 1 few clusters stay in use")},
      .recipe = recipe,
      .make = [](const Blueprint& b) -> System* { return new Gmvae(b); }};
}

}  // namespace clade::models

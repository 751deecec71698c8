// dense-vae, iwae, conv-iwae, miwae, conv-miwae as systems (models/system.h); the model itself:
// models/iwae.h. They differ in their networks, likelihoods and number of samples alone.
//
//     dense-vae   the basic VAE: D-400-20, ReLU, analytic KL                   (P0 table III)
//     iwae        D-200-200-50, tanh, Bernoulli, K = 5, pixels binarised anew each epoch
//                                                                              (Burda et al. 2016)
//     miwae       D-128-128, ReLU, Student's t, K = 20                         (Mattei, Frellsen
//     2019) conv-*      the same bounds over P0's dynamic blocks                     (P0, V.C and
//     V.D)
#include <cmath>

#include "models/epochs.h"
#include "models/iwae.h"
#include "optim/schedule.h"
#include "tensor/parallel.h"

namespace clade::models {
namespace {

enum class Family : uint8_t { dense_vae, iwae, conv_iwae, miwae, conv_miwae };

IwaeOptions options_of(const Blueprint& b, Family family) {
  const Settings& s = b.settings;
  IwaeOptions o;
  o.likelihood = likelihood_of(s.word("likelihood"));
  o.latent = s.whole("latent");
  o.convolutional = family == Family::conv_iwae || family == Family::conv_miwae;
  if (o.convolutional)
    o.filters = s.whole("filters");
  else
    o.hidden = s.sizes("hidden");
  o.tanh = family == Family::iwae;
  return o;
}

class IwaeSystem : public System {
 public:
  IwaeSystem(const Blueprint& b, Family family)
      : family_(family),
        blueprint_(b),
        noise_(Random(b.seed).fork("iwae noise")),
        iwae_(b.sample, options_of(b, family), Random(b.seed).fork("iwae")) {}

  void train(const Rows& all, const Training& t, const Progress& progress) override {
    const Settings& s = blueprint_.settings;
    const int64_t held = s.whole("held_out");
    if (held >= all.size())
      fail("--set held_out", text("fewer than the ", all.size(), " rows"), text(held));
    const Rows rows = slice(all, 0, all.size() - held);
    Phases phases(*this, all, t);
    phases.once("start", [&] { iwae_.start_at_mean(rows.values, mask_of(rows.mask)); });

    const int64_t epochs = s.whole("epochs");
    const optim::CosineSchedule cosine{s.number("lr"), epochs, 0.01 * s.number("lr")};
    optim::ParameterArena arena(iwae_);
    optim::Adam adam(arena, {.lr = s.number("lr"), .eps = 1e-4});
    train_epochs(
        phases, arena, adam, rows,
        {"training", epochs, s.whole("batch"), blueprint_.seed, {"negative bound"}}, progress,
        [&](const auto&... of) { return loss(of...); },
        [&](int64_t epoch) {
          if (s.word("schedule") == "cosine") adam.options.lr = cosine.at(epoch);
        });
    if (held > 0) measure(slice(all, all.size() - held, all.size()), phases, progress);
  }

  std::vector<Var> loss(const data::Batch& batch, int64_t epoch, int64_t step) override {
    const Tensor x =
        binarise() ? binarised(batch.values, batch.rows, uint64_t(epoch)) : batch.values;
    Random noise = noise_.fork(uint64_t(step));
    return {-mean(bound_of(x, mask_of(batch.mask), noise))};
  }

  // The means of q(z | x), or of z under the self-normalised weights.
  Tensor encode(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(iwae_);
    const bool posterior = blueprint_.settings.word("embedding") == "posterior";
    Tensor codes =
        in_batches(rows, posterior ? kRowsAtATime : 32, "encode", progress,
                   [&](const Tensor& x, const Tensor& mask) {
                     if (posterior) return iwae_.encode(x).mean.value();
                     Random noise = noise_.fork("embedding");
                     return iwae_.importance_mean(x, mask_of(mask), kEmbeddingSamples, noise);
                   });
    require_finite_codes(codes);
    return codes;
  }

  // E[x | x_obs]; what was observed is given back by the decoder too.
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    const Evaluating evaluating(iwae_);
    return in_batches(rows, 32, "reconstruct", progress, [&](const Tensor& x, const Tensor& mask) {
      Random noise = noise_.fork("reconstruction");
      return iwae_.expected(x, mask_of(mask), kEmbeddingSamples, noise);
    });
  }
  void visit(nn::Visitor& v) override { v("iwae", iwae_); }

 private:
  static constexpr int64_t kEmbeddingSamples = 50;

  bool binarise() const { return blueprint_.settings.word("binarise") == "epoch"; }
  Tensor mask_of(const Tensor& mask) const {
    return blueprint_.settings.word("mask") == "loss" ? mask : Tensor();
  }

  Var bound_of(const Tensor& x, const Tensor& mask, Random& noise) {
    if (family_ != Family::dense_vae)
      return iwae_.bound(x, mask, blueprint_.settings.whole("samples"), noise);
    const Iwae::Posterior q = iwae_.encode(x);
    const Var h = iwae_.decode(reparameterize(q.mean, q.logvar, noise));
    return log_likelihood(iwae_.options().likelihood, h, x, mask) -
           kl_standard_normal(q.mean, q.logvar);
  }

  // Pixels drawn with their values as probabilities; a pixel's draw belongs to its row and epoch.
  Tensor binarised(const Tensor& x, const Tensor& rows, uint64_t epoch) const {
    const Random rng = Random(blueprint_.seed).fork("binarise").fork(epoch);
    if (!x.device().is_cpu()) return binarised(x.to(Device::cpu()), rows, epoch).to(x.device());
    if (x.dtype() != DType::f32) return binarised(x.to(DType::f32), rows, epoch).to(x.dtype());
    const Tensor dense = x.contiguous();
    Tensor out = Tensor::empty(x.shape());
    const int64_t d = x.numel() / x.size(0);
    parallel_for(x.size(0), 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const uint64_t first = uint64_t(rows.data<int64_t>()[i]) * uint64_t(d);
        for (int64_t j = 0; j < d; j++)
          out.data<float>()[i * d + j] =
              rng.uniform_at(first + uint64_t(j)) < double(dense.data<float>()[i * d + j]);
      }
    });
    return x.is_channels_last() ? out.to_layout(Layout::channels_last) : out;
  }

  // The bounds of rows that were not trained on, in nats, for 1, 5, 50, ... samples.
  void measure(const Rows& rows, Phases& phases, const Progress& progress) {
    const Evaluating evaluating(iwae_);
    for (int64_t k : {1, 5, 50, 500, 5000}) {
      if (k > blueprint_.settings.whole("estimate")) break;
      const int64_t at_a_time = std::max<int64_t>(1, 5000 / k);
      uint64_t part = 0;
      const Tensor bounds =
          in_batches(rows, at_a_time, "bound of held out rows", progress,
                     [&](const Tensor& x, const Tensor& mask) {
                       std::vector<int64_t> numbers;
                       for (int64_t i = 0; i < x.size(0); i++)
                         numbers.push_back(int64_t(part) * at_a_time + i);
                       const Tensor seen =
                           binarise() ? binarised(x, Tensor::from(numbers, {x.size(0)}), ~0ull) : x;
                       Random noise = noise_.fork("measure").fork(part++);
                       return iwae_.bound(seen, mask_of(mask), k, noise).value();
                     });
      phases.record(text("held out bound, k = ", k).c_str(), mean(Var(bounds)).item());
    }
  }

  Family family_;
  Blueprint blueprint_;
  Random noise_;
  Iwae iwae_;
};

template <Family family>
System* make(const Blueprint& b) {
  return new IwaeSystem(b, family);
}

template <Family family>
void recipe(Settings& s, int64_t rows, const Shape& sample) {
  const bool images = sample.rank() == 3;
  s.fill("epochs", std::to_string(epochs_for(rows)));
  const bool student = family == Family::miwae || family == Family::conv_miwae;
  s.fill("likelihood", images ? "bernoulli" : student ? "student" : "gaussian");
  // Mattei and Frellsen's notebook: as many latent dimensions as half the columns.
  s.fill("latent", std::to_string(images ? 50 : std::max<int64_t>(1, sample[0] / 2)));
  s.fill("binarise",
         s.word("likelihood") == "bernoulli" && family != Family::dense_vae ? "epoch" : "never");
  if (s.knows("filters")) s.fill("filters", std::to_string(images ? sample[1] : 1));
}

std::vector<Setting> settings_of(const char* samples, const char* batch, const char* lr) {
  return {whole("epochs", "", "passes over the data", 0),
          whole("batch", batch, "rows a training step", 2),
          number("lr", lr, "learning rate of Adam", 1e-12),
          one_of("schedule", "cosine", "constant cosine", "of the learning rate"),
          whole("latent", "", "features a row is reduced to"),
          whole("samples", samples, "K, samples of z a row in training"),
          one_of("likelihood", "", "bernoulli gaussian student", "p(x | z)"),
          one_of("binarise", "", "epoch never", "draw pixels by their values, anew each epoch"),
          one_of("mask", "loss", "loss none", "whether the likelihood leaves out what is missing"),
          one_of("embedding", "posterior", "posterior importance",
                 "features: the mean of q(z | x), or of z under the importance weights"),
          whole("held_out", "0", "last rows that are not trained on; their bounds are told", 0),
          whole("estimate", "50", "most samples of the bounds of held out rows")};
}

SystemInfo info(const char* name, const char* what, const char* source, bool convolutional,
                std::vector<Setting> settings, void (*recipe)(Settings&, int64_t, const Shape&),
                System* (*make)(const Blueprint&)) {
  return {.name = name,
          .what = what,
          .source = source,
          .power_of_two_images = convolutional,
          .images_only = convolutional,
          .uses_mask = true,
          .settings = std::move(settings),
          .recipe = recipe,
          .make = make};
}

}  // namespace

SystemInfo dense_vae_system() {
  auto settings = settings_of("1", "128", "0.001");
  settings = joined(settings, {sizes("hidden", "400", "units of the encoder's hidden layers"),
                               whole("latent", "20", "features a row is reduced to")});
  return info("dense-vae", "the basic variational autoencoder, dense", "P0 table III", false,
              settings, recipe<Family::dense_vae>, make<Family::dense_vae>);
}

SystemInfo iwae_system() {
  return info("iwae", "importance weighted autoencoder, dense", "Burda et al. 2016; recipe 16",
              false,
              joined(settings_of("5", "100", "0.001"),
                     {sizes("hidden", "200-200", "units of the encoder's hidden layers")}),
              recipe<Family::iwae>, make<Family::iwae>);
}

SystemInfo conv_iwae_system() {
  return info("conv-iwae", "importance weighted autoencoder with dynamic blocks",
              "P0 V.C; recipe 16", true,
              joined(settings_of("5", "128", "0.001"),
                     {whole("filters", "", "channels of the first block")}),
              recipe<Family::conv_iwae>, make<Family::conv_iwae>);
}

SystemInfo miwae_system() {
  return info("miwae", "importance weighted autoencoder for data with holes, dense",
              "Mattei and Frellsen 2019; recipe 17", false,
              joined(settings_of("20", "64", "0.001"),
                     {sizes("hidden", "128-128", "units of the encoder's hidden layers")}),
              recipe<Family::miwae>, make<Family::miwae>);
}

SystemInfo conv_miwae_system() {
  return info("conv-miwae", "importance weighted autoencoder for images with holes",
              "P0 V.D; recipe 17", true,
              joined(settings_of("5", "64", "0.0003"),
                     {whole("filters", "", "channels of the first block")}),
              recipe<Family::conv_miwae>, make<Family::conv_miwae>);
}

}  // namespace clade::models

// vae and masked-vae as systems (models/system.h); the models themselves: models/vae.h.
#include "models/system.h"
#include "models/vae_training.h"

namespace clade::models {
namespace {

class VaeSystem : public System {
 public:
  VaeSystem(const Blueprint& b, bool masked)
      : settings_(b.settings),
        seed_(b.seed),
        vae_(b.sample, options_of(b, masked), Random(b.seed).fork("vae")) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    const TrainingOptions options{.epochs = settings_.whole("epochs"),
                                  .batch = settings_.whole("batch"),
                                  .lr = settings_.number("lr"),
                                  .seed = seed_,
                                  .checkpoint = t.checkpoint,
                                  .resume = t.resume,
                                  .description = t.description};
    curves = {{"total", {}}, {"reconstruction", {}}, {"KL", {}}};
    for (const EpochLoss& e : train_vae(vae_, as_dataset(rows), options, progress)) {
      curves[0].values.push_back(e.total);
      curves[1].values.push_back(e.reconstruction);
      curves[2].values.push_back(e.kl);
    }
  }
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t) override {
    const BatchLoss l = loss_of(vae_, batch.values, batch.mask);
    const double n = double(batch.values.size(0));
    return {l.total, l.reconstruction / n, l.kl / n};
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return encode_means(vae_, as_dataset(rows), kRowsAtATime, progress);
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    return models::reconstruct(vae_, as_dataset(rows), kRowsAtATime, progress);
  }
  void visit(nn::Visitor& v) override { vae_.visit(v); }

 private:
  static VaeOptions options_of(const Blueprint& b, bool masked) {
    const Settings& s = b.settings;
    return {.masked = masked,
            .latent = s.whole("latent"),
            .beta = s.number("beta"),
            .filters = s.given("filters") ? s.whole("filters") : 0,
            .hidden = s.sizes("hidden")};
  }
  static data::Dataset as_dataset(const Rows& rows) {
    data::Dataset d;
    d.values = rows.values, d.mask = rows.mask;
    return d;
  }

  Settings settings_;
  uint64_t seed_;
  Vae vae_;
};

void recipe(Settings& s, int64_t rows, const Shape& sample) {
  s.fill("epochs", std::to_string(epochs_for(rows)));
  if (sample.rank() == 3) s.fill("filters", std::to_string(sample[1]));
}

SystemInfo info(const char* name, const char* what, bool masked,
                System* (*make)(const Blueprint&)) {
  return {.name = name,
          .what = what,
          .source = "P0; Kingma and Welling 2014",
          .power_of_two_images = true,
          .uses_mask = masked,
          .more_epochs = true,
          .settings = {whole("epochs", "", "passes over the data"),
                       whole("batch", "128", "rows a training step", 2),
                       number("lr", "0.001", "learning rate of Adam"),
                       whole("latent", "10", "features a row is reduced to"),
                       number("beta", "0.2", "weight of the KL term"),
                       whole("filters", "", "images: channels of the first block"),
                       sizes("hidden", "500-500-2000", "tables: units of the hidden layers")},
          .recipe = recipe,
          .make = make};
}

}  // namespace

SystemInfo masked_vae_system() {
  return info("masked-vae", "variational autoencoder whose loss leaves out what is missing", true,
              [](const Blueprint& b) -> System* { return new VaeSystem(b, true); });
}

SystemInfo vae_system() {
  return info("vae", "variational autoencoder with dynamic blocks", false,
              [](const Blueprint& b) -> System* { return new VaeSystem(b, false); });
}

}  // namespace clade::models

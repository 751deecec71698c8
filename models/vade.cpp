#include "models/vade.h"

#include "clustering/centroid/kmeans.h"
#include "clustering/manifold/umap.h"
#include "models/epochs.h"
#include "optim/schedule.h"

namespace clade::models {
namespace {

constexpr double kFirstLogvar = -5;
constexpr int kStarts = 10;  // of k-means and Gaussian mixtures

nn::Linear logvar_head(const Blueprint& b) {
  Random rng = Random(b.seed).fork("logvar");
  nn::Linear head(b.settings.sizes("hidden").back(), b.settings.whole("latent"), rng);
  Tensor weight = head.weight.value();
  fill_normal(rng, weight, 0, 1e-3);
  Tensor(head.bias.value()).fill_(kFirstLogvar);
  return head;
}

}  // namespace

Vade::Vade(const Blueprint& b)
    : autoencoder_(make_dense(b)),
      logvar_(logvar_head(b)),
      prior_(b.clusters, b.settings.whole("latent")) {}

void Vade::visit(nn::Visitor& v) {
  v("autoencoder", autoencoder_), v("logvar", logvar_), v("prior", prior_);
}

Vade::Posterior Vade::encode(const Tensor& x) {
  nn::Sequential& encoder = autoencoder_.encoder;
  const Var h = encoder.first(encoder.size() - 1, x);
  return {(*encoder.layer<nn::Linear>(encoder.size() - 1))(h), logvar_(h)};
}

Var Vade::reconstruction_error(const Var& z, const Tensor& x) {
  const Var out = autoencoder_.decoder(z);
  return autoencoder_.bernoulli ? bce_with_logits(out, x) : squared_error(out, x);
}

std::vector<Var> Vade::loss(const Tensor& x, int64_t step, const Blueprint& b) {
  Random noise = Random(b.seed).fork("vade noise").fork(uint64_t(step));
  const Posterior q = encode(x);
  const Var z = reparameterize(q.mean, q.logvar, noise);
  const Var log_g = log_softmax(prior_.log_joint(z), 1);
  const Var r = mean(reconstruction_error(z, x)),
            d = mean(mixture_divergence(prior_, log_g, q.mean, q.logvar));
  return {b.settings.number("reconstruction_weight") * r + d, r, d};
}

void Vade::start(Phases& phases, const Rows& rows, const Blueprint& b, const Training& t,
                 const Progress& progress) {
  pretrain(phases, autoencoder_, rows, b, t, {}, progress);
  phases.once("mixture", [&] {
    prior_.start_at(cluster::fit_gmm(encode_rows(autoencoder_, rows, progress),
                                     {.k = b.clusters,
                                      .covariance = cluster::Covariance::diagonal,
                                      .n_init = kStarts,
                                      .seed = b.seed},
                                     progress));
  });
}

void Vade::train(Phases& phases, const Rows& rows, const Blueprint& b, const Training& t,
                 const Progress& progress) {
  start(phases, rows, b, t, progress);
  const Settings& s = b.settings;
  const optim::StepSchedule rate{s.number("vade_lr"), 10, 0.9};
  optim::ParameterArena arena(*this);
  optim::Adam adam(arena, {.lr = s.number("vade_lr"), .eps = 1e-4});
  train_epochs(
      phases, arena, adam, rows,
      {"vade",
       s.whole("cluster_epochs"),
       s.whole("batch"),
       b.seed + 1,
       {"negative bound", "vade reconstruction", "divergence"}},
      progress,
      [&](const data::Batch& batch, int64_t, int64_t step) { return loss(batch.values, step, b); },
      [&](int64_t epoch) { adam.options.lr = rate.at(epoch); });
}

Tensor Vade::codes(const Rows& rows, const Progress& progress) {
  return encode_rows(autoencoder_, rows, progress);
}

Tensor Vade::responsibilities(const Rows& rows, const Progress& progress) {
  const Evaluating evaluating(*this);
  return in_batches(rows, kRowsAtATime, "assign", progress, [&](const Tensor& x, const Tensor&) {
    return softmax(prior_.log_joint(encode(x).mean), 1).value();
  });
}

Tensor first_partition(Vade& vade, const Rows& rows, const Blueprint& b, const Progress& progress) {
  const std::string& init = b.settings.word("init");
  Tensor labels;
  if (init == "vade") {
    labels = argmax(vade.responsibilities(rows, progress), 1).to(DType::i32);
  } else if (const Tensor codes = vade.codes(rows, progress); init == "kmeans") {
    const cluster::KMeansOptions o{.k = b.clusters, .n_init = kStarts, .seed = b.seed};
    labels = cluster::kmeans(codes, o, {}, progress).labels;
  } else {
    cluster::UmapOptions umap;
    umap.min_dist = 0;
    umap.n_neighbors = std::min<int64_t>(20, rows.size() - 1);  // as N2D, and k dimensions
    umap.n_components = b.clusters;
    umap.seed = b.seed;
    const Tensor embedding = cluster::umap(codes, umap, progress).embedding;
    const cluster::GmmOptions o{.k = b.clusters, .n_init = kStarts, .seed = b.seed};
    labels = cluster::predict(cluster::fit_gmm(embedding, o, progress), embedding);
  }
  nn::set_training(vade, true);
  return labels;
}

std::vector<Setting> vade_settings() {
  return joined(dense_settings(),
                {whole("cluster_epochs", "", "passes over the data under the whole bound", 0),
                 number("vade_lr", "0.002", "learning rate then, times .9 every 10 epochs", 1e-12),
                 number("reconstruction_weight", "1", "of the reconstruction in the bound")});
}

void fill_vade(Settings& s, int64_t rows, const Shape& sample) {
  s.fill("loss", sample.rank() == 3 ? "bernoulli" : "squared");
  fill_pretraining(s, rows);
  s.fill("cluster_epochs", std::to_string(2 * epochs_for(rows)));
}

namespace {

class VadeSystem : public System {
 public:
  explicit VadeSystem(const Blueprint& b) : blueprint_(b), vade_(b) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    Phases phases(*this, rows, t);
    vade_.train(phases, rows, blueprint_, t, progress);
  }
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    return vade_.loss(batch.values, step, blueprint_);
  }
  Tensor encode(const Rows& rows, const Progress& progress) override {
    return vade_.codes(rows, progress);
  }
  Tensor reconstruct(const Rows& rows, const Progress& progress) override {
    return reconstruct_rows(vade_.autoencoder(), rows, progress);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    return argmax(vade_.responsibilities(rows, progress), 1).to(DType::i32);
  }
  void visit(nn::Visitor& v) override { vade_.visit(v); }

 private:
  Blueprint blueprint_;
  Vade vade_;
};

}  // namespace

SystemInfo vade_system() {
  return {.name = "vade",
          .what = "variational autoencoder with a Gaussian mixture for its prior",
          .source = "Jiang et al. 2017; recipe 9",
          .needs_clusters = true,
          .settings = joined(vade_settings(),
                             {one_of("loss", "", "squared bernoulli", "of reconstructions")}),
          .recipe = fill_vade,
          .make = [](const Blueprint& b) -> System* { return new VadeSystem(b); }};
}

}  // namespace clade::models

// AE + k-means, CAE + k-means and AE + GMM: an autoencoder, then k-means or a Gaussian mixture on
// its codes.
//
//     z = encoder(x);    labels = k-means(z), 20 starts;   or   argmax_c p(c | z), full covariances
//
// The baselines of DEC (Xie, Girshick, Farhadi, ICML 2016, table 2) and of P1: what features alone
// give, before any clustering loss. Recipe 5.1.
#include "clustering/centroid/kmeans.h"
#include "clustering/mixture/gmm.h"
#include "models/conv_autoencoders.h"
#include "models/rows.h"

namespace clade::models {
namespace {

constexpr int kStarts = 20;  // of k-means, as the DEC family

class AutoencoderKMeans : public AutoencoderSystem {
 public:
  AutoencoderKMeans(const Blueprint& b, Autoencoder ae)
      : AutoencoderSystem(b, std::move(ae)),
        centres_(Tensor::zeros({b.clusters, b.settings.whole("latent")})) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    Phases phases(*this, rows, t);
    pretrain(phases, autoencoder_, rows, blueprint_, t, {}, progress);
    const Tensor codes = encode_rows(autoencoder_, rows, progress);
    put(centres_, cluster::kmeans(
                      codes, {.k = blueprint_.clusters, .n_init = kStarts, .seed = blueprint_.seed},
                      {}, progress)
                      .centres);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    return cluster::predict(cluster::KMeans{.centres = centres_.to(Device::cpu()), .labels = {}},
                            encode(rows, progress));
  }
  void visit(nn::Visitor& v) override {
    AutoencoderSystem::visit(v);
    v("centres", centres_);
  }

 private:
  Tensor centres_;  // (k, latent)
};

class AutoencoderGmm : public AutoencoderSystem {
 public:
  explicit AutoencoderGmm(const Blueprint& b) : AutoencoderSystem(b, make_dense(b)) {
    const int64_t k = b.clusters, d = b.settings.whole("latent");
    gmm_.weights = Tensor::zeros({k}, DType::f64);
    gmm_.means = Tensor::zeros({k, d}, DType::f64);
    gmm_.covariances = Tensor::zeros({k, d, d}, DType::f64);
  }

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    Phases phases(*this, rows, t);
    pretrain(phases, autoencoder_, rows, blueprint_, t, {}, progress);
    const Tensor codes = encode_rows(autoencoder_, rows, progress);
    const cluster::Gmm found = cluster::fit_gmm(
        codes, {.k = blueprint_.clusters, .n_init = 5, .seed = blueprint_.seed}, progress);
    put(gmm_.weights, found.weights), put(gmm_.means, found.means);
    put(gmm_.covariances, found.covariances);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    cluster::Gmm gmm = gmm_;
    for (Tensor* t : {&gmm.weights, &gmm.means, &gmm.covariances}) *t = t->to(Device::cpu());
    return cluster::predict(gmm, encode(rows, progress));
  }
  void visit(nn::Visitor& v) override {
    AutoencoderSystem::visit(v);
    v("gmm.weights", gmm_.weights), v("gmm.means", gmm_.means);
    v("gmm.covariances", gmm_.covariances);
  }

 private:
  cluster::Gmm gmm_;
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_pretraining(s, rows); }

}  // namespace

SystemInfo ae_kmeans_system() {
  return {.name = "ae-kmeans",
          .what = "autoencoder, then k-means on its codes",
          .source = "the baseline of DEC (Xie et al. 2016); recipe 5.1",
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = dense_settings(),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* {
            return new AutoencoderKMeans(b, make_dense(b));
          }};
}

// P3's "CAE10" and its notebook's other networks; recipes 5.2 and 5.3.
SystemInfo cae_kmeans_system() {
  return {
      .name = "cae-kmeans",
      .what = "convolutional autoencoder, then k-means on its codes",
      .source = "P3; recipes 5.2, 5.3",
      .images_only = true,
      .needs_clusters = true,
      .takes_pretrained = true,
      .settings = joined(conv_settings("p3"),
                         {one_of("loss", "bernoulli", "squared bernoulli",
                                 "of reconstructions: squared error, or cross-entropy")}),
      .recipe = recipe,
      .make = [](const Blueprint& b) -> System* { return new AutoencoderKMeans(b, make_conv(b)); }};
}

SystemInfo ae_gmm_system() {
  return {.name = "ae-gmm",
          .what = "autoencoder, then a Gaussian mixture on its codes",
          .source = "the baseline of P1; recipe 5.1",
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = dense_settings(),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new AutoencoderGmm(b); }};
}

}  // namespace clade::models

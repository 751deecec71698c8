// N2D, "not too deep" clustering (McConville, Santos-Rodriguez, Piechocki, Craddock, ICPR 2020);
// recipe 14.
//
//     z = encoder(x)                     an autoencoder, trained to reconstruct and nothing else
//     y = UMAP(z)                        20 neighbours, min_dist 0, k dimensions
//     labels = argmax_c p(c | y)         a Gaussian mixture of k full covariances
//
// A new row goes through the encoder, to its place in the finished picture, and to its likeliest
// component; the rows of the training keep the labels of the fit.
#include "clustering/manifold/umap.h"
#include "clustering/mixture/gmm.h"
#include "models/autoencoder.h"

namespace clade::models {
namespace {

class N2d : public AutoencoderSystem {
 public:
  explicit N2d(const Blueprint& b) : AutoencoderSystem(b, make_dense(b)) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    Phases phases(*this, rows, t);
    pretrain(phases, autoencoder_, rows, blueprint_, t, {}, progress);
    picture_ = cluster::umap(encode(rows, progress), umap_options(), progress);
    mixture_ = cluster::fit_gmm(picture_.embedding, {.k = k(), .seed = blueprint_.seed}, progress);
  }
  Tensor clusters(const Rows&, const Progress&) override {
    return cluster::predict(mixture_, picture_.embedding);
  }
  Tensor assign(const Rows& rows, const Progress& progress) override {
    return cluster::predict(mixture_,
                            cluster::transform(picture_, encode(rows, progress), progress));
  }

  // The picture has as many rows as the training, so its shape is known only from the file.
  std::vector<SafeTensors::Entry> state() override {
    std::vector<SafeTensors::Entry> all = nn::state_dict(*this);
    if (!picture_.embedding.defined()) return all;
    all.push_back({"umap.codes", picture_.rows});
    all.push_back({"umap.embedding", picture_.embedding});
    all.push_back(
        {"umap.curve", Tensor::from({picture_.a, picture_.b, double(picture_.epochs)}, {3})});
    all.push_back({"gmm.weights", mixture_.weights});
    all.push_back({"gmm.means", mixture_.means});
    all.push_back({"gmm.covariances", mixture_.covariances});
    return all;
  }
  void load(const std::vector<SafeTensors::Entry>& state) override {
    SafeTensors file;
    std::vector<SafeTensors::Entry> network;
    for (const SafeTensors::Entry& e : state)
      e.name.starts_with("autoencoder.") ? network.push_back(e) : file.add(e.name, e.tensor);
    nn::load_state_dict(*this, network);
    picture_.rows = file.at("umap.codes"), picture_.embedding = file.at("umap.embedding");
    const Tensor& curve = file.at("umap.curve");
    if (curve.numel() != 3 || picture_.rows.rank() != 2 || picture_.embedding.rank() != 2 ||
        picture_.rows.size(0) != picture_.embedding.size(0))
      fail("n2d", "a picture of n rows in the file", text(picture_.rows, ", ", picture_.embedding));
    picture_.a = curve.at({0}), picture_.b = curve.at({1}),
    picture_.epochs = int64_t(curve.at({2}));
    picture_.options = umap_options();
    mixture_.weights = file.at("gmm.weights"), mixture_.means = file.at("gmm.means");
    mixture_.covariances = file.at("gmm.covariances");
  }

 private:
  cluster::UmapOptions umap_options() const {
    cluster::UmapOptions o;
    o.n_neighbors = settings().whole("neighbors");
    o.n_components = settings().given("dimensions") ? settings().whole("dimensions") : k();
    o.min_dist = 0;
    o.seed = blueprint_.seed;
    return o;
  }

  cluster::UmapResult picture_;
  cluster::Gmm mixture_;
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_pretraining(s, rows); }

}  // namespace

SystemInfo n2d_system() {
  return {.name = "n2d",
          .what = "autoencoder, UMAP of its codes, a Gaussian mixture of the picture",
          .source = "N2D, McConville et al. 2020; recipe 14",
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings =
              joined(dense_settings(), {whole("neighbors", "20", "UMAP: neighbours of a point", 2),
                                        whole("dimensions", "", "UMAP: of the picture [k]")}),
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new N2d(b); }};
}

}  // namespace clade::models

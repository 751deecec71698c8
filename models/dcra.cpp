// DCRA, deep clustering with a robust autoencoder (P2); recipe 18. A denoising autoencoder whose
// codes are drawn to k-means centres:
//
//     L = lambda L1 + (1 - lambda) L2
//     L1 = mean (x - xhat(x + e))^2,  e ~ N(0, sigma^2)          the clean image from the noisy one
//     L2 = mean over rows of |z - o_s|^2                         z the code, o_s its centre
//
// P2 writes x - o_s in L2, which has no meaning between an image and a code. Centres: k-means of
// the codes of all images, again after each epoch, from where they were. At the printed lambda =
// .01 the second term has an optimum that needs no data, z = constant; the curves "variance of the
// codes" and "clusters in use", exp of the entropy of their sizes, show what becomes of that.
//
// Network (P2 names its sizes only; this is the lineage of its values): conv 4x4 s2 of F, 2F, 4F,
// 8F filters, F = 40, normalised from the second, LeakyReLU .2, dense to the code of 20; dense to
// 8F planes, transposed conv 4x4 to 4F, 2F and, with stride 2, the image; sigmoid.
#include <cmath>

#include "autograd/functions.h"
#include "data/batches.h"
#include "models/rows.h"
#include "models/self_training.h"
#include "nn/layers.h"

namespace clade::models {
namespace {

using namespace nn;

Autoencoder robust_autoencoder(const Shape& sample, int64_t filters, int64_t latent, Random& rng) {
  if (sample.rank() != 3 || sample[1] != sample[2] || sample[1] % 2 || sample[1] < 16)
    fail("dcra", "square images with an even side of 16 or more", text(sample),
         "resize or pad them");
  const int64_t channels = sample[0], side = sample[1], f = filters;
  const ConvOptions halve{.stride = 2, .padding = 1, .bias = false}, plain{.bias = false};
  Autoencoder ae;
  ae.encoder.add(Conv2d(channels, f, 4, halve, rng)).add(LeakyReLU{0.2});
  for (int64_t in = f; in < 8 * f; in *= 2)
    ae.encoder.add(Conv2d(in, 2 * in, 4, halve, rng)).add(BatchNorm2d(2 * in)).add(LeakyReLU{0.2});
  const int64_t left = side / 16, bottom = (side - 14) / 2;
  ae.encoder.add(Flatten{}).add(Linear(8 * f * left * left, latent, rng));
  ae.decoder.add(Linear(latent, 8 * f * bottom * bottom, rng)).add(ReLU{});
  ae.decoder.add(Unflatten{8 * f, bottom, bottom});
  ae.decoder.add(ConvTranspose2d(8 * f, 4 * f, 4, plain, 0, rng));  // bottom + 3
  ae.decoder.add(BatchNorm2d(4 * f)).add(ReLU{});
  ae.decoder.add(ConvTranspose2d(4 * f, 2 * f, 4, plain, 0, rng));  // bottom + 6
  ae.decoder.add(BatchNorm2d(2 * f)).add(ReLU{});
  ae.decoder.add(ConvTranspose2d(2 * f, channels, 4, {.stride = 2}, 0, rng)).add(Sigmoid{});
  return ae;
}

Autoencoder make_robust(const Blueprint& b) {
  Random rng = Random(b.seed).fork("autoencoder");
  return robust_autoencoder(b.sample, b.settings.whole("filters"), b.settings.whole("latent"), rng);
}

// exp of the entropy of the clusters' sizes: k when they are equal, 1 when there is one.
double effective_clusters(const Tensor& labels, int64_t k) {
  std::vector<double> size(size_t(k), 0.0);
  for (int32_t label : labels.to_vector<int32_t>()) size[size_t(label)] += 1;
  double entropy = 0;
  for (double s : size) {
    const double share = s / double(labels.numel());
    if (share > 0) entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

// The sum over the columns.
double variance(const Tensor& codes) {
  const Var z = codes.to(DType::f64);
  return sum(mean(square(z - mean(z, {0}, true)), {0})).item();
}

class Dcra : public CentreSystem {
 public:
  explicit Dcra(const Blueprint& b) : CentreSystem(b, make_robust(b)) {}

  void train(const Rows& rows, const Training& t, const Progress& progress) override {
    Phases phases(*this, rows, t);
    start_centres(phases, rows, progress);

    const Settings& s = settings();
    const int64_t epochs = s.whole("epochs"), batch_size = s.whole("batch");
    data::Dataset d;
    d.values = rows.values;
    // A last batch of one image would have no statistics to normalise by.
    data::Batches batches(d, {.size = batch_size,
                              .seed = blueprint_.seed,
                              .drop_partial = batch_size <= rows.size(),
                              .device = rows.device});
    optim::ParameterArena arena(autoencoder_);
    optim::Adam adam(arena, {.lr = s.number("lr")});
    labels_ = {};
    phases.keep("labels", labels_);
    phases.run("training", adam, epochs, [&](int64_t epoch) {
      if (!labels_.defined()) labels_ = assign(rows, {});
      double reconstruction = 0, distance = 0;
      const int64_t steps = batches.per_epoch();
      for (int64_t step = 0; step < steps; step++) {
        progress("training", epoch * steps + step, epochs * steps);
        const std::vector<Var> l = loss(batches.at(epoch, step), epoch, epoch * steps + step);
        arena.zero_grad();
        backward(l[0]);
        adam.step();
        reconstruction += l[1].item(), distance += l[2].item();
      }
      labels_ = restart_centres(rows, {});
      phases.record("reconstruction", reconstruction / double(steps));
      phases.record("distance to the centres", distance / double(steps));
      phases.record("variance of the codes", variance(encode(rows, {})));
      phases.record("clusters in use", effective_clusters(labels_, k()));
      return true;
    });
  }
  // L, L1, L2
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    const double lambda = settings().number("lambda");
    const Random own = Random(blueprint_.seed).fork("noise").fork(uint64_t(step));
    const Tensor& x = batch.values;
    const Var z = autoencoder_.encode(noisy(x, settings().number("noise"), own));
    const Var l1 = autoencoder_.loss(z, x),
              l2 = distance_to_own(z, batch, labels_) / double(x.size(0));
    return {lambda * l1 + (1 - lambda) * l2, l1, l2};
  }

 private:
  Tensor labels_;  // s (n) i32, of the rows that are trained on
};

void recipe(Settings&, int64_t, const Shape&) {}

}  // namespace

SystemInfo dcra_system() {
  return {.name = "dcra",
          .what = "denoising autoencoder whose codes are drawn to k-means centres",
          .source = "P2; recipe 18",
          .images_only = true,
          .needs_clusters = true,
          .settings = {whole("epochs", "25", "passes over the data", 0),
                       whole("batch", "256", "rows a training step", 2),
                       number("lr", "0.0002", "learning rate of Adam", 1e-12),
                       whole("latent", "20", "features a row is reduced to"),
                       whole("filters", "40", "channels of the first layer"),
                       number("noise", "1", "standard deviation of the noise on the input"),
                       number("lambda", "0.01",
                              "weight of the reconstruction; 1 - lambda: of the "
                              "distance to the centres",
                              0, 1)},
          .recipe = recipe,
          .make = [](const Blueprint& b) -> System* { return new Dcra(b); }};
}

}  // namespace clade::models

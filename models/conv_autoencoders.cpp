#include "models/conv_autoencoders.h"

#include "autograd/functions.h"
#include "nn/init.h"
#include "nn/layers.h"

namespace clade::models {
namespace {

using namespace nn;

constexpr double kGuoSlope = 0.05, kP3Slope = 0.2;

template <class Layer>
Layer glorot(Layer layer, Random& rng) {
  Tensor weight = layer.weight.value();
  glorot_uniform(weight, rng);
  Tensor(layer.bias.value()).fill_(0);
  return layer;
}

Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding, Random& rng) {
  return glorot(Conv2d(in, out, kernel, {.stride = stride, .padding = padding}, rng), rng);
}

ConvTranspose2d deconv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
                       int64_t more, Random& rng) {
  return glorot(ConvTranspose2d(in, out, kernel, {.stride = stride, .padding = padding}, more, rng),
                rng);
}

// Halves each side, an odd one rounded up: the last row and column are repeated, which is what a
// maximum over the pixels that are there gives.
struct HalveByMaximum {
  Var operator()(const Var& x) const {
    const int64_t h = x.size(2), w = x.size(3);
    Var y = h % 2 ? concat({x, clade::slice(x, 2, h - 1, h)}, 2) : x;
    y = w % 2 ? concat({y, clade::slice(y, 3, w - 1, w)}, 3) : y;
    return max_pool2d(y, {{2, 2}, {2, 2}, {0, 0}});
  }
  void visit(Visitor&) {}
};

// Drops the first row and column: with it a 2x2 convolution padded by 1 keeps the sides.
struct DropFirst {
  Var operator()(const Var& x) const {
    return clade::slice(clade::slice(x, 2, 1, x.size(2)), 3, 1, x.size(3));
  }
  void visit(Visitor&) {}
};

template <class Activation>
Autoencoder strided(const Shape& sample, int64_t kernel, int64_t latent, Activation act,
                    Random& rng) {
  const int64_t channels = sample[0], h = sample[1], w = sample[2], half = kernel / 2;
  const bool same = h % 8 == 0 && w % 8 == 0;
  const int64_t bottom_h = same ? h / 8 : (h / 4 - 3) / 2 + 1;
  const int64_t bottom_w = same ? w / 8 : (w / 4 - 3) / 2 + 1;
  const int64_t flat = 128 * bottom_h * bottom_w;
  // What a transposed convolution without padding falls short of H / 4 by.
  const int64_t more = same ? 1 : h / 4 - (2 * (bottom_h - 1) + 3);
  Autoencoder ae;
  ae.encoder.add(conv(channels, 32, kernel, 2, half, rng)).add(act);
  ae.encoder.add(conv(32, 64, kernel, 2, half, rng)).add(act);
  ae.encoder.add(conv(64, 128, 3, 2, same ? 1 : 0, rng)).add(act);
  ae.encoder.add(Flatten{}).add(glorot(Linear(flat, latent, rng), rng));
  ae.decoder.add(glorot(Linear(latent, flat, rng), rng)).add(ReLU{});
  ae.decoder.add(Unflatten{128, bottom_h, bottom_w});
  ae.decoder.add(deconv(128, 64, 3, 2, same ? 1 : 0, more, rng)).add(act);
  ae.decoder.add(deconv(64, 32, kernel, 2, half, 1, rng)).add(act);
  ae.decoder.add(deconv(32, channels, kernel, 2, half, 1, rng));
  return ae;
}

}  // namespace

Autoencoder guo_autoencoder(const Shape& sample, int64_t kernel, int64_t latent, Random& rng) {
  if (sample.rank() != 3 || sample[1] % 4 || sample[2] % 4 || sample[1] < 12 || sample[2] < 12)
    fail("convolutional autoencoder", "images with sides that are multiples of 4, 12 or more",
         text(sample), "resize or pad them");
  if (sample[1] != sample[2])
    fail("convolutional autoencoder", "square images", text(sample), "resize or pad them");
  if (kernel == 5) return strided(sample, 5, latent, ReLU{}, rng);
  return strided(sample, 3, latent, LeakyReLU{kGuoSlope}, rng);
}

Autoencoder p3_autoencoder(const Shape& sample, int64_t latent, Random& rng) {
  if (!(sample == Shape{1, 28, 28}) || latent != 10)
    fail("network=p3", "images (1, 28, 28) and a latent size of 10", text(sample, " and ", latent),
         "take network=5x5");
  const LeakyReLU act{kP3Slope};
  Autoencoder ae;
  int64_t in = 1;
  for (int64_t filters : {24, 20, 16, 12, 10}) {  // 28, 14, 7, 4, 2
    ae.encoder.add(conv(in, filters, 3, 1, 1, rng)).add(act).add(HalveByMaximum{});
    in = filters;
  }
  ae.encoder.add(Flatten{});
  ae.decoder.add(Unflatten{10, 1, 1}).add(Upsample2d{2});  // 2
  ae.decoder.add(conv(10, 10, 3, 1, 1, rng)).add(act);
  ae.decoder.add(conv(10, 12, 3, 1, 1, rng)).add(act).add(Upsample2d{2});                   // 4
  ae.decoder.add(conv(12, 16, 2, 1, 1, rng)).add(DropFirst{}).add(act).add(Upsample2d{3});  // 12
  ae.decoder.add(conv(16, 20, 3, 1, 1, rng)).add(act).add(Upsample2d{2});                   // 24
  ae.decoder.add(deconv(20, 24, 3, 1, 0, 0, rng)).add(ReLU{});                              // 26
  ae.decoder.add(deconv(24, 1, 3, 1, 0, 0, rng));                                           // 28
  return ae;
}

std::vector<Setting> conv_settings(const char* network) {
  return joined(pretraining_settings(),
                {one_of("network", network, "5x5 3x3 p3", "which convolutional autoencoder")});
}

Autoencoder make_conv(const Blueprint& b) {
  Random rng = Random(b.seed).fork("autoencoder");
  const Settings& s = b.settings;
  const std::string& network = s.word("network");
  Autoencoder ae =
      network == "p3" ? p3_autoencoder(b.sample, s.whole("latent"), rng)
                      : guo_autoencoder(b.sample, network == "5x5" ? 5 : 3, s.whole("latent"), rng);
  ae.bernoulli = s.word("loss") == "bernoulli";
  return ae;
}

}  // namespace clade::models

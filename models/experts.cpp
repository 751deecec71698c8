#include "models/experts.h"

#include <algorithm>

#include "models/dynamic_blocks.h"
#include "models/vade.h"

namespace clade::models {
namespace {

nn::Sequential flat_encoder(const Shape& sample, const std::vector<int64_t>& hidden, Random& rng) {
  nn::Sequential net;
  if (sample.rank() == 3) net.add(nn::Flatten{});
  net.add(dense_encoder(sample.numel(), hidden, rng));
  return net;
}

// A first layer from the latent space, then the mirror image of the encoder.
nn::Sequential flat_decoder(const Shape& sample, const std::vector<int64_t>& hidden, int64_t latent,
                            int64_t blocks, Random& rng) {
  nn::Sequential net;
  net.add(nn::Linear(latent, hidden.back(), rng)).add(nn::ReLU{});
  for (size_t i = hidden.size() - 1; i-- > 0;)
    net.add(nn::Linear(hidden[i + 1], hidden[i], rng)).add(nn::ReLU{});
  net.add(nn::Linear(hidden[0], blocks * sample.numel(), rng));
  if (sample.rank() == 3) net.add(nn::Unflatten{blocks * sample[0], sample[1], sample[2]});
  return net;
}

}  // namespace

Expert::Expert(const Shape& sample, const std::vector<int64_t>& hidden, int64_t latent,
               Likelihood likelihood, Random rng)
    : latent_(latent),
      likelihood_(likelihood),
      encoder_(flat_encoder(sample, hidden, rng)),
      mean_(hidden.back(), latent, rng),
      logvar_(hidden.back(), latent, rng),
      decoder_(flat_decoder(sample, hidden, latent, numbers_a_value(likelihood), rng)) {}

Expert::Posterior Expert::encode(const Var& x) {
  const Var h = encoder_(x);
  return {mean_(h), logvar_(h)};
}

Var Expert::log_likelihood_of(const Tensor& x, const Tensor& mask, const Var& z) {
  return log_likelihood(likelihood_, decode(z), x, mask);
}

void Expert::visit(nn::Visitor& v) {
  v("encoder", encoder_), v("mean", mean_), v("logvar", logvar_), v("decoder", decoder_);
}

std::vector<Setting> experts_settings() {
  return joined(
      vade_settings(),
      {one_of("loss", "", "squared bernoulli", "of the first autoencoder's reconstructions"),
       one_of("init", "umap", "kmeans umap vade", "the partition to start from"),
       sizes("expert_hidden", "500-100", "units of each encoder's hidden layers"),
       one_of("likelihood", "", "bernoulli gaussian student", "p(x | z) of each decoder"),
       number("expert_lr", "0.001", "learning rate of the experts", 1e-12),
       whole("warm_epochs", "", "passes in which each expert learns its first cluster", 0),
       whole("expert_epochs", "", "passes in which the best expert wins a row", 0)});
}

void fill_experts(Settings& s, int64_t rows, const Shape& sample) {
  s.fill("likelihood", sample.rank() == 3 ? "bernoulli" : "gaussian");
  fill_vade(s, rows, sample);
  s.fill("warm_epochs", std::to_string(std::max<int64_t>(1, epochs_for(rows) * 2 / 5)));
  s.fill("expert_epochs", std::to_string(epochs_for(rows)));
}

}  // namespace clade::models

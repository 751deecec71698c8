#include "models/vae.h"

#include "autograd/functions.h"
#include "models/rows.h"

namespace clade::models {
namespace {

int64_t code_size(const Shape& sample, const VaeOptions& o, const DynamicOptions& dynamic) {
  return sample.rank() == 3 ? 4 * last_filters(dynamic) : o.hidden.back();
}

// Its bias starts at 0, so that the first posteriors scatter around N(0, I).
nn::Linear centred_linear(int64_t in, int64_t out, Random& rng) {
  nn::Linear layer(in, out, rng);
  Tensor(layer.bias.value()).fill_(0);
  return layer;
}

const Shape& checked(const Shape& sample, const VaeOptions& o) {
  if (sample.rank() != 1 && (sample.rank() != 3 || sample[1] != sample[2]))
    fail("Vae", "samples (D) or square images (C, D, D)", text(sample),
         "pad or resize the images first");
  if (o.latent < 1) fail("Vae", "1 latent dimension or more", text(o.latent));
  if (o.filters < 0)
    fail("Vae", "1 filter or more (0: as many as the image is wide)", text(o.filters));
  if (o.hidden.empty()) fail("Vae", "one hidden layer or more", "none");
  if (!(o.beta >= 0)) fail("Vae", "beta of 0 or more", text(o.beta));
  return sample;
}

}  // namespace

DynamicOptions Vae::dynamic_options() const {
  DynamicOptions d;
  if (!is_images()) return d;
  d.size = sample_[1];
  d.in_channels = options_.masked ? 2 * sample_[0] : sample_[0];
  d.out_channels = sample_[0];
  d.filters = options_.filters;
  d.short_specific_blocks = options_.short_specific_blocks;
  return d;
}

Vae::Vae(const Shape& sample, const VaeOptions& options, Random rng)
    : options_(options),
      sample_(checked(sample, options)),
      encoder_(is_images() ? dynamic_encoder(dynamic_options(), rng)
                           : dense_encoder(options.masked ? 2 * sample[0] : sample[0],
                                           options.hidden, rng)),
      mean_(centred_linear(code_size(sample, options, dynamic_options()), options.latent, rng)),
      logvar_(centred_linear(code_size(sample, options, dynamic_options()), options.latent, rng)),
      code_(options.latent, code_size(sample, options, dynamic_options()), rng),
      decoder_(is_images() ? dynamic_decoder(dynamic_options(), rng)
                           : dense_decoder(options.hidden, sample[0], rng)),
      noise_(rng.fork("noise")) {}

void Vae::visit(nn::Visitor& v) {
  v("encoder", encoder_), v("mean", mean_), v("logvar", logvar_);
  v("code", code_), v("decoder", decoder_);
  v("mode", mode_), v("noise", noise_);
}

Vae::Posterior Vae::encode(const Tensor& x, const Tensor& mask) {
  Var input(x);
  if (options_.masked)
    input = concat(
        {input, mask.defined() ? mask : Tensor::full(x.shape(), 1, x.dtype(), x.device())}, 1);
  Var h = encoder_(input);
  return {mean_(h), logvar_(h)};
}

Var Vae::decode(const Var& z) {
  Var h = code_(z);
  if (!is_images()) return decoder_(relu(h));
  return sigmoid(decoder_(leaky_relu(h)));
}

VaeOutput Vae::operator()(const Tensor& x, const Tensor& mask) {
  Posterior q = encode(x, mask);
  Var z = mode_.training ? reparameterize(q.mean, q.logvar, noise_) : q.mean;
  return {q.mean, q.logvar, decode(z)};
}

VaeLoss Vae::loss(const VaeOutput& out, const Tensor& x, const Tensor& mask) const {
  return {squared_error(out.reconstruction, x, options_.masked ? mask : Tensor()),  // eq. 5
          kl_standard_normal(out.mean, out.logvar)};
}

Tensor encode_means(Vae& vae, const data::Dataset& d, int64_t batch, const Progress& progress) {
  const Evaluating evaluating(vae);
  Tensor codes = in_batches(
      {d.values, d.mask, vae.device()}, batch, "encode", progress,
      [&](const Tensor& x, const Tensor& mask) { return vae.encode(x, mask).mean.value(); });
  require_finite_codes(codes);
  return codes;
}

Tensor reconstruct(Vae& vae, const data::Dataset& d, int64_t batch, const Progress& progress) {
  const Evaluating evaluating(vae);
  return in_batches(
      {d.values, d.mask, vae.device()}, batch, "reconstruct", progress,
      [&](const Tensor& x, const Tensor& mask) { return vae(x, mask).reconstruction.value(); });
}

}  // namespace clade::models

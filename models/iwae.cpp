#include "models/iwae.h"

#include <algorithm>
#include <cmath>

#include "autograd/functions.h"
#include "nn/init.h"

namespace clade::models {
namespace {

using namespace nn;

// Glorot weights and biases of 0, as the original code.
Linear glorot(int64_t in, int64_t out, Random& rng) {
  Linear layer(in, out, rng);
  Tensor weight = layer.weight.value();
  glorot_uniform(weight, rng);
  Tensor(layer.bias.value()).fill_(0);
  return layer;
}

void add_dense(Sequential& net, int64_t in, int64_t out, bool tanh, Random& rng) {
  net.add(glorot(in, out, rng));
  if (tanh)
    net.add(Tanh{});
  else
    net.add(ReLU{});
}

const Shape& checked(const Shape& sample, const IwaeOptions& o) {
  if (sample.rank() != 1 && sample.rank() != 3)
    fail("Iwae", "samples (D) or images (C, H, W)", text(sample));
  if (o.convolutional && (sample.rank() != 3 || sample[1] != sample[2]))
    fail("Iwae", "square images for dynamic blocks", text(sample), "take the dense network");
  if (o.latent < 1 || o.hidden.empty())
    fail("Iwae", "1 latent dimension and 1 hidden layer or more",
         text(o.latent, " and ", o.hidden.size()));
  return sample;
}

DynamicOptions dynamic_options(const Shape& sample, const IwaeOptions& o) {
  return {.size = sample[1],
          .in_channels = sample[0],
          .out_channels = sample[0] * numbers_a_value(o.likelihood),
          .filters = o.filters};
}

Sequential encoder_of(const Shape& sample, const IwaeOptions& o, Random& rng) {
  if (o.convolutional) return dynamic_encoder(dynamic_options(sample, o), rng);
  Sequential net;
  if (sample.rank() == 3) net.add(Flatten{});
  int64_t in = sample.numel();
  for (int64_t width : o.hidden) {
    add_dense(net, in, width, o.tanh, rng);
    in = width;
  }
  return net;
}

Sequential decoder_of(const Shape& sample, const IwaeOptions& o, Random& rng) {
  Sequential net;
  if (o.convolutional) {
    const DynamicOptions d = dynamic_options(sample, o);
    net.add(Linear(o.latent, 4 * last_filters(d), rng)).add(LeakyReLU{d.slope});
    net.add(dynamic_decoder(d, rng));
    return net;
  }
  int64_t in = o.latent;
  for (size_t i = o.hidden.size(); i-- > 0;) {
    add_dense(net, in, o.hidden[i], o.tanh, rng);
    in = o.hidden[i];
  }
  const int64_t blocks = numbers_a_value(o.likelihood);
  net.add(glorot(in, blocks * sample.numel(), rng));
  if (sample.rank() == 3) net.add(Unflatten{blocks * sample[0], sample[1], sample[2]});
  return net;
}

int64_t code_size(const Shape& sample, const IwaeOptions& o) {
  return o.convolutional ? 4 * last_filters(dynamic_options(sample, o)) : o.hidden.back();
}

// What was observed stays; `filled` elsewhere.
Tensor merged(const Tensor& x, const Tensor& mask, const Tensor& filled) {
  if (!mask.defined()) return x;
  const Var m(mask);
  return (m * Var(x) + (1 - m) * Var(filled)).value();
}

}  // namespace

Tensor weighted_mean(const Tensor& weight, const Tensor& values) {
  const int64_t k = weight.size(0), n = weight.size(1);
  const Tensor rows = values.reshape({k, n, -1});
  const Tensor mean = sum(Var(rows) * Var(weight.unsqueeze(2)), {0}).value();  // in the order of k
  return mean.reshape(values.shape().with(0, n));
}

Tensor resampled(const Tensor& weight, const Tensor& values, Random& rng) {
  if (!values.device().is_cpu())
    return resampled(weight.to(Device::cpu()), values.to(Device::cpu()), rng).to(values.device());
  const int64_t k = weight.size(0), n = weight.size(1);
  const Tensor w = weight.contiguous();
  Tensor out = Tensor::empty(values.shape().with(0, n), values.dtype());
  for (int64_t i = 0; i < n; i++) {
    double u = rng.uniform();
    int64_t l = 0;
    while (l + 1 < k && (u -= double(w.data<float>()[l * n + i])) >= 0) l++;
    copy_elements(values.slice(0, l * n + i, l * n + i + 1).view(), out.slice(0, i, i + 1).view());
  }
  return out;
}

Tensor observed_of(const Tensor& x, const Tensor& mask) {
  return mask.defined() ? mask : Tensor::full(x.shape(), 1, x.dtype(), x.device());
}

Tensor repeated(const Tensor& x, int64_t k) {
  if (k == 1 || !x.defined()) return x;
  Tensor out = Tensor::empty(x.shape().with(0, k * x.size(0)), x.dtype(),
                             x.rank() == 4 ? Layout::channels_last : Layout::row_major, x.device());
  for (int64_t i = 0; i < k; i++)
    copy_elements(x, out.slice(0, i * x.size(0), (i + 1) * x.size(0)));
  return out;
}

Iwae::Iwae(const Shape& sample, const IwaeOptions& options, Random rng)
    : options_(options),
      sample_(checked(sample, options)),
      encoder_(encoder_of(sample, options, rng)),
      mean_(glorot(code_size(sample, options), options.latent, rng)),
      logvar_(glorot(code_size(sample, options), options.latent, rng)),
      decoder_(decoder_of(sample, options, rng)) {}

void Iwae::visit(Visitor& v) {
  v("encoder", encoder_), v("mean", mean_), v("logvar", logvar_), v("decoder", decoder_);
}

Iwae::Posterior Iwae::encode(const Var& x) {
  const Var h = encoder_(x);
  return {mean_(h), logvar_(h)};
}

Var Iwae::decode(const Var& z) { return decoder_(z); }

Iwae::Weighted Iwae::weigh(const Tensor& x, const Tensor& mask, const Posterior& q, const Var& z) {
  const int64_t k = z.size(0), n = z.size(1);
  Weighted w;
  w.z = z;
  w.numbers = decode(reshape(z, {k * n, options_.latent}));
  const Var px = log_likelihood(options_.likelihood, w.numbers, repeated(x, k), repeated(mask, k));
  w.log_weights = reshape(px, {k, n}) + log_prior_ratio(z, q.mean, q.logvar);
  return w;
}

Iwae::Weighted Iwae::sample(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  const Posterior q = encode(x);
  return weigh(x, mask, q, reparameterize(q.mean, q.logvar, k, rng));
}

Iwae::Weighted Iwae::sample_in_common(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  const Posterior q = encode(x);
  const Var eps(randn({k, 1, options_.latent}, rng, q.mean.dtype()).to(x.device()));
  return weigh(x, mask, q, q.mean + exp(0.5 * q.logvar) * eps);
}

Var Iwae::bound(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  return importance_weighted_bound(sample(x, mask, k, rng).log_weights).bound;
}

Tensor Iwae::importance_mean(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  NoGrad no_grad;
  const Weighted w = sample_in_common(x, mask, k, rng);
  const Tensor z = w.z.value().reshape({k * x.size(0), options_.latent});
  return weighted_mean(importance_weighted_bound(w.log_weights).weight, z);
}

Tensor Iwae::expected(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  NoGrad no_grad;
  const Weighted w = sample_in_common(x, mask, k, rng);
  return weighted_mean(importance_weighted_bound(w.log_weights).weight,
                       expectation(options_.likelihood, w.numbers.value()));
}

Tensor Iwae::impute(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  return merged(x, mask, expected(x, mask, k, rng));
}

Tensor Iwae::impute_draw(const Tensor& x, const Tensor& mask, int64_t k, Random& rng) {
  NoGrad no_grad;
  const Weighted w = sample(x, mask, k, rng);
  const Tensor weight = importance_weighted_bound(w.log_weights).weight;
  return merged(x, mask, draw(options_.likelihood, resampled(weight, w.numbers.value(), rng), rng));
}

void Iwae::start_at_mean(const Tensor& x, const Tensor& mask) {
  if (options_.convolutional) return;
  const int64_t d = sample_.numel();
  // The last Linear of the decoder: its bias is the last parameter.
  const Tensor last = parameters(decoder_).back().parameter->value();
  Tensor bias = last.to(Device::cpu());
  const Tensor rows = x.reshape({x.size(0), d}).contiguous();
  const Tensor seen = mask.defined() ? mask.reshape({x.size(0), d}).contiguous() : Tensor();
  for (int64_t j = 0; j < d; j++) {
    double sum = 0, count = 0;
    for (int64_t i = 0; i < x.size(0); i++) {
      if (seen.defined() && seen.data<float>()[i * d + j] == 0) continue;
      sum += double(rows.data<float>()[i * d + j]), count++;
    }
    double mean = count > 0 ? sum / count : 0;
    if (options_.likelihood == Likelihood::bernoulli) {
      mean = std::clamp(mean, 0.001, 0.999);
      mean = std::log(mean / (1 - mean));
    }
    bias.data<float>()[j] = float(mean);
  }
  if (!last.device().is_cpu()) Tensor(last).copy_(bias.to(last.device()));
}

}  // namespace clade::models

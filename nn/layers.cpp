#include "nn/layers.h"

#include <cmath>

#include "nn/init.h"
#include "tensor/capture.h"

namespace clade::nn {
namespace {

Var new_parameter(const Shape& shape, int64_t fan_in, Random& rng) {
  Tensor t = Tensor::empty(shape);
  fan_in_uniform(t, fan_in, rng);
  return Var::parameter(t);
}

void require_positive(const char* layer, std::initializer_list<int64_t> sizes) {
  for (int64_t size : sizes)
    if (size < 1) fail(layer, "sizes of 1 or more", text(std::vector<int64_t>(sizes)));
}

ConvParams conv_params(const ConvOptions& o) {
  return {{o.stride, o.stride}, {o.padding, o.padding}, {o.dilation, o.dilation}, o.groups};
}

void require_groups(const char* layer, int64_t in, int64_t out, int64_t groups) {
  require_positive(layer, {in, out, groups});
  if (in % groups || out % groups)
    fail(layer, text("groups that divide ", in, " and ", out, " channels"), text(groups));
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, Random& rng, bool with_bias) {
  require_positive("Linear", {in, out});
  weight = new_parameter({out, in}, in, rng);
  if (with_bias) bias = new_parameter({out}, in, rng);
}

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, const ConvOptions& options, Random& rng)
    : params(conv_params(options)) {
  require_groups("Conv2d", in, out, options.groups);
  require_positive("Conv2d", {kernel});
  int64_t fan_in = in / options.groups * kernel * kernel;
  weight = new_parameter({out, in / options.groups, kernel, kernel}, fan_in, rng);
  if (options.bias) bias = new_parameter({out}, fan_in, rng);
}

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, int64_t kernel,
                                 const ConvOptions& options, int64_t output_padding, Random& rng) {
  static_cast<ConvParams&>(params) = conv_params(options);
  params.output_padding[0] = params.output_padding[1] = output_padding;
  require_groups("ConvTranspose2d", in, out, options.groups);
  require_positive("ConvTranspose2d", {kernel});
  // PyTorch takes the fan of the weight's second axis here too: out, not in.
  int64_t fan_in = out / options.groups * kernel * kernel;
  weight = new_parameter({in, out / options.groups, kernel, kernel}, fan_in, rng);
  if (options.bias) bias = new_parameter({out}, fan_in, rng);
}

BatchNorm::BatchNorm(int64_t channels, double momentum, double eps) : momentum(momentum), eps(eps) {
  require_positive("BatchNorm", {channels});
  if (!(momentum >= 0 && momentum <= 1)) fail("BatchNorm", "momentum in [0, 1]", text(momentum));
  if (!(eps > 0 && std::isfinite(eps))) fail("BatchNorm", "a finite eps above 0", text(eps));
  weight = Var::parameter(Tensor::full({channels}, 1));
  bias = Var::parameter(Tensor::zeros({channels}));
  running_mean = Tensor::zeros({channels});
  running_var = Tensor::full({channels}, 1);
  num_batches_tracked = Tensor::zeros({}, DType::i64);
}

Var BatchNorm::operator()(const Var& x, double slope) {
  const Tensor& t = x.value();
  if (mode.training && t.rank() >= 2 && t.numel() > 0 && t.numel() == t.size(1))
    fail("BatchNorm", "more than 1 value a channel in training: of one the output is 0 for any x",
         text(t), "use batches of 2 rows or more (BatchOptions::drop_partial)");
  Var y =
      batch_norm(x, weight, bias, {running_mean, running_var}, mode.training, momentum, eps, slope);
  if (mode.training) {
    auto count = [tracked = num_batches_tracked]() mutable { tracked.fill_(tracked.item() + 1); };
    if (Capture* capture = Capture::current())
      capture->on_replay(count);
    else
      count();
  }
  return y;
}

Var BatchNorm::apply(const char* layer, int rank, const Var& x, double slope) {
  if (x.value().rank() != rank)
    fail(layer, rank == 2 ? "x as (N, C)" : "x as (N, C, H, W)", text(x.value()));
  return BatchNorm::operator()(x, slope);
}

void BatchNorm::visit(Visitor& v) {
  v("weight", weight), v("bias", bias);
  v("running_mean", running_mean), v("running_var", running_var);
  v("num_batches_tracked", num_batches_tracked);
  v("mode", mode);
}

Dropout::Dropout(double p, Random rng) : p(p), random(rng) {
  if (!(p >= 0 && p < 1)) fail("Dropout", "a probability in [0, 1)", text(p));
}

}  // namespace clade::nn

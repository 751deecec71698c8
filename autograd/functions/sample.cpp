#include "autograd/functions/sample.h"

#include "autograd/functions/detail.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/sample/sample.h"
#include "tensor/capture.h"

namespace clade {
namespace {

// While a step is recorded nothing is drawn; each replay draws anew, from the same rng.
kernels::Draw draw_from(Random& rng, int64_t elements) {
  if (Capture* capture = Capture::current())
    return {rng.seed(), rng.stream(), 0,
            capture->number<uint64_t>([&rng, elements] { return rng.take(elements); })};
  return {rng.seed(), rng.stream(), rng.take(elements)};
}

Var reparameterized(const Var& mean, const Var& logvar, const Shape& shape, Random& rng) {
  const char* name = "reparameterize";
  detail::require_floating(name, "mean", mean.value());
  detail::require_rank(name, "mean (N, D)", mean.value(), 2);
  detail::require_same_dtype(name, mean.value(), logvar.value());
  detail::require_same_shape(name, mean.value(), logvar.value());
  Tensor m = mean.value().contiguous(), v = logvar.value().contiguous();
  Tensor z = Tensor::empty(shape, m.dtype(), Layout::row_major, m.device());
  kernels::Draw draw = draw_from(rng, z.numel());
  detail::on_device(z, [&](auto context) {
    kernels::reparameterize(context, m.view(), v.view(), draw, z.view());
  });
  return record(
      op::reparameterize, z, {mean, logvar}, [draw, v = save(v)](Gradients& g, const Tensor& dz) {
        Tensor dmean = Tensor::empty_like(v.get()), dlogvar = Tensor::empty_like(v.get());
        detail::on_device(dmean, [&](auto context) {
          kernels::reparameterize_backward(context, v.get().view(), draw, dz.contiguous().view(),
                                           dmean.view(), dlogvar.view());
        });
        g.add(0, [&] { return dmean; });
        g.add(1, [&] { return dlogvar; });
      });
}

}  // namespace

Var reparameterize(const Var& mean, const Var& logvar, Random& rng) {
  return reparameterized(mean, logvar, mean.shape(), rng);
}

Var reparameterize(const Var& mean, const Var& logvar, int64_t samples, Random& rng) {
  if (samples < 1) fail("reparameterize", "1 sample or more", text(samples));
  detail::require_rank("reparameterize", "mean (N, D)", mean.value(), 2);
  return reparameterized(mean, logvar, {samples, mean.size(0), mean.size(1)}, rng);
}

Var dropout(const Var& x, double p, Random& rng) {
  detail::require_floating("dropout", "x", x.value());
  if (!(p >= 0 && p < 1)) fail("dropout", "a probability in [0, 1)", text(p));
  Tensor input = detail::dense(x.value()), y = Tensor::empty_like(input);
  kernels::Draw draw = draw_from(rng, y.numel());
  detail::on_device(
      y, [&](auto context) { kernels::dropout(context, input.view(), p, draw, y.view()); });
  // y stands for x in the backward pass, where only the layout of both matters: the next op keeps
  // it anyhow, x perhaps not.
  return record(op::dropout, y, {x}, [p, draw, model = y](Gradients& g, const Tensor& dy) {
    g.add(0, [&] {
      Tensor from = detail::like_layout(dy, model), dx = Tensor::empty_like(model);
      detail::on_device(
          dx, [&](auto context) { kernels::dropout(context, from.view(), p, draw, dx.view()); });
      return dx;
    });
  });
}

Var log_prior_ratio(const Var& z, const Var& mean, const Var& logvar) {
  const char* name = "log_prior_ratio";
  detail::require_floating(name, "z", z.value());
  detail::require_rank(name, "z (K, N, D)", z.value(), 3);
  for (const Var* table : {&mean, &logvar}) {
    detail::require_same_dtype(name, z.value(), table->value());
    if (!(table->shape() == Shape{z.size(1), z.size(2)}))
      fail(name,
           text("mean and logvar of shape [", z.size(1), ", ", z.size(2), "] for z ", z.shape()),
           text(table->value()));
  }
  Tensor at = z.value().contiguous(), mu = mean.value().contiguous(),
         v = logvar.value().contiguous();
  Tensor out = Tensor::empty({z.size(0), z.size(1)}, at.dtype(), Layout::row_major, at.device());
  detail::on_device(out, [&](auto context) {
    kernels::log_prior_ratio(context, at.view(), mu.view(), v.view(), out.view());
  });
  return record(op::log_prior_ratio, out, {z, mean, logvar},
                [at = save(at), mu = save(mu), v = save(v)](Gradients& g, const Tensor& dout) {
                  Tensor dz = Tensor::empty_like(at.get()), dmean = Tensor::empty_like(mu.get()),
                         dlogvar = Tensor::empty_like(mu.get());
                  detail::on_device(dz, [&](auto context) {
                    kernels::log_prior_ratio_backward(context, at.get().view(), mu.get().view(),
                                                      v.get().view(), dout.contiguous().view(),
                                                      dz.view(), dmean.view(), dlogvar.view());
                  });
                  g.add(0, [&] { return dz; });
                  g.add(1, [&] { return dmean; });
                  g.add(2, [&] { return dlogvar; });
                });
}

ImportanceWeights importance_weighted_bound(const Var& log_w) {
  const char* name = "importance_weighted_bound";
  detail::require_floating(name, "log_w", log_w.value());
  detail::require_rank(name, "log_w (K, N)", log_w.value(), 2);
  if (log_w.size(0) < 1) fail(name, "at least one sample (K >= 1)", text(log_w.value()));
  Tensor w = log_w.value().contiguous();
  Tensor bound = Tensor::empty({w.size(1)}, w.dtype(), Layout::row_major, w.device());
  Tensor effective = Tensor::empty_like(bound);
  Tensor weight = Tensor::empty_like(w);
  detail::on_device(w, [&](auto context) {
    kernels::importance_weights(context, w.view(), bound.view(), weight.view(), effective.view());
  });
  Var result = record(op::importance_weighted_bound, bound, {log_w},
                      [weight = save(weight)](Gradients& g, const Tensor& dbound) {
                        g.add(0, [&] {
                          Tensor wide = dbound.expand(weight.get().shape()),
                                 dw = Tensor::empty_like(weight.get());
                          detail::on_device(dw, [&](auto context) {
                            kernels::binary(context, kernels::Binary::mul, wide.view(),
                                            weight.get().view(), dw.view());
                          });
                          return dw;
                        });
                      });
  return {result, weight, effective};
}

}  // namespace clade

#include "autograd/functions/norm.h"

#include "autograd/functions/detail.h"
#include "kernels/norm/norm.h"

namespace clade {
namespace {

// The kernels' layout: (N, C) row-major or (N, C, H, W) channels-last.
Tensor kernel_layout(const Tensor& t) {
  return t.to_layout(t.rank() == 4 ? Layout::channels_last : Layout::row_major);
}

Tensor empty_vector(const Tensor& like) {
  return Tensor::empty({like.size(1)}, like.dtype(), Layout::row_major, like.device());
}

// dx, dgamma and dbeta come from one kernel call.
struct NormGradients {
  Tensor dx, dgamma, dbeta;
};

template <class Backward>
void add_all(Gradients& g, const Tensor& x, Backward backward) {
  NormGradients out{Tensor::empty_like(x), empty_vector(x), empty_vector(x)};
  backward(out);
  g.add(0, [&] { return std::move(out.dx); });
  g.add(1, [&] { return std::move(out.dgamma); });
  g.add(2, [&] { return std::move(out.dbeta); });
}

}  // namespace

Var batch_norm(const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state,
               bool training, double momentum, double eps, double slope) {
  const char* name = "batch_norm";
  detail::require_floating(name, "x", x.value());
  if (x.value().rank() != 2 && x.value().rank() != 4)
    fail(name, "x as (N, C) or (N, C, H, W)", text(x.value()));
  int64_t channels = x.size(1);
  detail::require_vector(name, "gamma", gamma.value(), channels, x.value());
  detail::require_vector(name, "beta", beta.value(), channels, x.value());
  if (state.running_mean.defined() || !training) {
    detail::require_vector(name, "running_mean", state.running_mean, channels, x.value());
    detail::require_vector(name, "running_var", state.running_var, channels, x.value());
  }
  if (training && x.value().numel() == 0)
    fail(name, "a batch with elements to take statistics of", text(x.value()));
  if (!(eps > 0)) fail(name, "eps above 0", text(eps));
  if (!(slope >= 0)) fail(name, "a slope of 0 or more", text(slope), "use leaky_relu after it");

  Tensor input = kernel_layout(x.value()), y = Tensor::empty_like(input);
  Tensor scale = gamma.value().contiguous(), shift = beta.value().contiguous();
  if (!training) {
    Tensor mean = state.running_mean.contiguous(), var = state.running_var.contiguous();
    detail::on_device(y, [&](auto context) {
      kernels::batch_norm_evaluation(context, input.view(), scale.view(), shift.view(), eps,
                                     mean.view(), var.view(), slope, y.view());
    });
    return record(op::batch_norm, y, {x, gamma, beta},
                  [eps, slope, x = save(input), gamma = save(scale), beta = save(shift),
                   mean = save(mean), var = save(var)](Gradients& g, const Tensor& dy) {
                    add_all(g, x.get(), [&](NormGradients& out) {
                      detail::on_device(dy, [&](auto context) {
                        kernels::batch_norm_evaluation_backward(
                            context, x.get().view(), kernel_layout(dy).view(), gamma.get().view(),
                            beta.get().view(), eps, mean.get().view(), var.get().view(), slope,
                            out.dx.view(), out.dgamma.view(), out.dbeta.view());
                      });
                    });
                  });
  }

  Tensor mean = empty_vector(input), inv_std = empty_vector(input), offset = empty_vector(input);
  detail::on_device(y, [&](auto context) {
    kernels::batch_norm_training(context, input.view(), scale.view(), shift.view(), eps, momentum,
                                 detail::optional_view(state.running_mean),
                                 detail::optional_view(state.running_var), slope, y.view(),
                                 mean.view(), inv_std.view(), offset.view());
  });
  if (state.running_mean.defined()) {
    state.running_mean.written_by(name);
    state.running_var.written_by(name);
  }
  return record(op::batch_norm, y, {x, gamma, beta},
                [slope, x = save(input), gamma = save(scale), mean = save(mean),
                 inv_std = save(inv_std), offset = save(offset)](Gradients& g, const Tensor& dy) {
                  add_all(g, x.get(), [&](NormGradients& out) {
                    detail::on_device(dy, [&](auto context) {
                      kernels::batch_norm_training_backward(
                          context, x.get().view(), kernel_layout(dy).view(), gamma.get().view(),
                          mean.get().view(), inv_std.get().view(), offset.get().view(), slope,
                          out.dx.view(), out.dgamma.view(), out.dbeta.view());
                    });
                  });
                });
}

}  // namespace clade

#include "autograd/functions/loss.h"

#include "autograd/functions/detail.h"
#include "kernels/loss/loss.h"

namespace clade {
namespace {

// The elementwise arguments of a loss, in one dense order of memory.
Tensor argument(const char* op, const Tensor& t, const Tensor& like) {
  detail::require_same_dtype(op, like, t);
  detail::require_same_shape(op, like, t);
  return detail::like_layout(t, like);
}

Tensor mask_argument(const char* op, const Tensor& mask, const Tensor& like) {
  return mask.defined() ? argument(op, mask, like) : mask;
}

Tensor first_argument(const char* op, const char* name, const Tensor& t) {
  detail::require_floating(op, name, t);
  if (t.rank() < 1) fail(op, text(name, " with a batch axis"), text(t));
  return detail::dense(t);
}

// Losses of one prediction against a constant target.
template <class Forward, class Backward>
Var against_target(const Op& op, const Var& prediction, const Tensor& x, const Tensor& mask,
                   Forward forward, Backward backward) {
  Tensor p = first_argument(op.name, "the prediction", prediction.value());
  Tensor target = argument(op.name, x, p), m = mask_argument(op.name, mask, p);
  Tensor out = Tensor::empty({p.size(0)}, p.dtype(), Layout::row_major, p.device());
  detail::on_device(out, [&](auto context) {
    forward(context, p.view(), target.view(), detail::optional_view(m), out.view());
  });
  return record(op, out, {prediction},
                [backward, p = save(p), target = save(target), m = save(m)](Gradients& g,
                                                                            const Tensor& dout) {
                  g.add(0, [&] {
                    Tensor dp = Tensor::empty_like(p.get());
                    detail::on_device(dp, [&](auto context) {
                      backward(context, p.get().view(), target.get().view(),
                               detail::optional_view(m.get()), dout.contiguous().view(), dp.view());
                    });
                    return dp;
                  });
                });
}

}  // namespace

Var squared_error(const Var& xhat, const Tensor& x, const Tensor& mask) {
  return against_target(
      op::squared_error, xhat, x, mask,
      [](auto c, const View& p, const View& t, const View& m, const View& out) {
        kernels::squared_error(c, p, t, m, out);
      },
      [](auto c, const View& p, const View& t, const View& m, const View& dout, const View& dp) {
        kernels::squared_error_backward(c, p, t, m, dout, dp);
      });
}

Var bce_with_logits(const Var& logits, const Tensor& x, const Tensor& mask) {
  return against_target(
      op::bce_with_logits, logits, x, mask,
      [](auto c, const View& p, const View& t, const View& m, const View& out) {
        kernels::bce_with_logits(c, p, t, m, out);
      },
      [](auto c, const View& p, const View& t, const View& m, const View& dout, const View& dp) {
        kernels::bce_with_logits_backward(c, p, t, m, dout, dp);
      });
}

Var gaussian_log_likelihood(const Var& x, const Var& mean, const Var& logvar, const Tensor& mask) {
  const char* name = op::gaussian_log_likelihood.name;
  Tensor mu = first_argument(name, "mean", mean.value());
  Tensor data = argument(name, x.value(), mu), lv = argument(name, logvar.value(), mu);
  Tensor m = mask_argument(name, mask, mu);
  Tensor out = Tensor::empty({mu.size(0)}, mu.dtype(), Layout::row_major, mu.device());
  detail::on_device(out, [&](auto context) {
    kernels::gaussian_log_likelihood(context, data.view(), mu.view(), lv.view(),
                                     detail::optional_view(m), out.view());
  });
  return record(op::gaussian_log_likelihood, out, {x, mean, logvar},
                [data = save(data), mu = save(mu), lv = save(lv), m = save(m)](Gradients& g,
                                                                               const Tensor& dout) {
                  Tensor dmu = Tensor::empty_like(mu.get()), dlv = Tensor::empty_like(dmu), dx;
                  if (g.needs(0)) dx = Tensor::empty_like(dmu);  // data seldom do
                  detail::on_device(dmu, [&](auto context) {
                    kernels::gaussian_log_likelihood_backward(
                        context, data.get().view(), mu.get().view(), lv.get().view(),
                        detail::optional_view(m.get()), dout.contiguous().view(),
                        detail::optional_view(dx), dmu.view(), dlv.view());
                  });
                  g.add(0, [&] { return dx; });
                  g.add(1, [&] { return dmu; });
                  g.add(2, [&] { return dlv; });
                });
}

Var student_t_log_likelihood(const Tensor& x, const Var& mean, const Var& scale, const Var& df,
                             const Tensor& mask) {
  const char* name = op::student_t_log_likelihood.name;
  Tensor mu = first_argument(name, "mean", mean.value());
  Tensor data = argument(name, x, mu), s = argument(name, scale.value(), mu);
  Tensor f = argument(name, df.value(), mu), m = mask_argument(name, mask, mu);
  Tensor out = Tensor::empty({mu.size(0)}, mu.dtype(), Layout::row_major, mu.device());
  detail::on_device(out, [&](auto context) {
    kernels::student_t_log_likelihood(context, data.view(), mu.view(), s.view(), f.view(),
                                      detail::optional_view(m), out.view());
  });
  return record(op::student_t_log_likelihood, out, {mean, scale, df},
                [data = save(data), mu = save(mu), s = save(s), f = save(f), m = save(m)](
                    Gradients& g, const Tensor& dout) {
                  Tensor dmu = Tensor::empty_like(mu.get()), ds = Tensor::empty_like(dmu),
                         df = Tensor::empty_like(dmu);
                  detail::on_device(dmu, [&](auto context) {
                    kernels::student_t_log_likelihood_backward(
                        context, data.get().view(), mu.get().view(), s.get().view(), f.get().view(),
                        detail::optional_view(m.get()), dout.contiguous().view(), dmu.view(),
                        ds.view(), df.view());
                  });
                  g.add(0, [&] { return dmu; });
                  g.add(1, [&] { return ds; });
                  g.add(2, [&] { return df; });
                });
}

Var kl_standard_normal(const Var& mean, const Var& logvar) {
  const char* name = op::kl_standard_normal.name;
  Tensor mu = first_argument(name, "mean", mean.value());
  Tensor lv = argument(name, logvar.value(), mu);
  Tensor out = Tensor::empty({mu.size(0)}, mu.dtype(), Layout::row_major, mu.device());
  detail::on_device(out, [&](auto context) {
    kernels::kl_standard_normal(context, mu.view(), lv.view(), out.view());
  });
  return record(op::kl_standard_normal, out, {mean, logvar},
                [mu = save(mu), lv = save(lv)](Gradients& g, const Tensor& dout) {
                  Tensor dmu = Tensor::empty_like(mu.get()), dlv = Tensor::empty_like(mu.get());
                  detail::on_device(dmu, [&](auto context) {
                    kernels::kl_standard_normal_backward(context, mu.get().view(), lv.get().view(),
                                                         dout.contiguous().view(), dmu.view(),
                                                         dlv.view());
                  });
                  g.add(0, [&] { return dmu; });
                  g.add(1, [&] { return dlv; });
                });
}

}  // namespace clade

#include "autograd/functions/linear.h"

#include "autograd/functions/detail.h"
#include "kernels/gemm/gemm.h"

namespace clade {
namespace {

// c = a b + beta c, where a, b may be transposed views
void multiply(const Tensor& a, const Tensor& b, const Tensor& c, double beta = 0) {
  detail::on_device(
      a, [&](auto context) { kernels::gemm(context, a.view(), b.view(), c.view(), 1, beta); });
}
Tensor product(const Tensor& a, const Tensor& b) {
  Tensor c = Tensor::empty({a.size(0), b.size(1)}, a.dtype(), Layout::row_major, a.device());
  multiply(a, b, c);
  return c;
}

}  // namespace

Var matmul(const Var& a, const Var& b) {
  detail::require_floating("matmul", "a", a.value());
  detail::require_same_dtype("matmul", a.value(), b.value());
  detail::require_rank("matmul", "a", a.value(), 2);
  detail::require_rank("matmul", "b", b.value(), 2);
  if (a.size(1) != b.size(0))
    fail("matmul", text("b with ", a.size(1), " rows (columns of a ", a.shape(), ")"),
         text("b ", b.shape()), "transpose one, or check the order of the arguments");
  return record(op::matmul, product(a.value(), b.value()), {a, b},
                [a = save(a), b = save(b)](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] { return product(dy, b.get().transpose(0, 1)); });
                  g.write(1, [&](const Tensor& db, double beta) {
                    multiply(a.get().transpose(0, 1), dy, db, beta);
                  });
                });
}

Var linear(const Var& x, const Var& w, const Var& b, double slope) {
  detail::require_floating("linear", "x", x.value());
  detail::require_same_dtype("linear", x.value(), w.value());
  detail::require_rank("linear", "x", x.value(), 2);
  detail::require_rank("linear", "w", w.value(), 2);
  if (x.size(1) != w.size(1))
    fail("linear", text("x with ", w.size(1), " columns (w is ", w.shape(), ", [out, in])"),
         text("x ", x.shape()));
  if (b.defined()) detail::require_vector("linear", "bias", b.value(), w.size(0), x.value());
  detail::require_slope("linear", slope);
  Tensor y =
      Tensor::empty({x.size(0), w.size(0)}, x.dtype(), Layout::row_major, x.value().device());
  const Tensor bias = b.defined() ? b.value().contiguous() : Tensor();
  const View bias_view = b.defined() ? bias.view() : View();
  const kernels::Finish finish{b.defined() ? &bias_view : nullptr, slope};
  detail::on_device(y, [&](auto context) {
    kernels::gemm(context, x.value().view(), w.value().transpose(0, 1).view(), y.view(), 1, 0,
                  finish);
  });
  return record(op::linear, y, {x, w, b},
                [slope, x = save(x), w = save(w), y = slope == 1 ? Saved() : save(y)](
                    Gradients& g, const Tensor& dy) {
                  const Tensor dz = slope == 1 ? dy : detail::before_activation(y.get(), dy, slope);
                  g.add(0, [&] { return product(dz, w.get()); });
                  g.write(1, [&](const Tensor& dw, double beta) {
                    multiply(dz.transpose(0, 1), x.get(), dw, beta);
                  });
                  g.add(2, [&] { return detail::sum_to(dz, {dz.size(1)}); });
                });
}

}  // namespace clade

#include "autograd/functions/linear.h"

#include "autograd/functions/detail.h"
#include "kernels/gemm/gemm.h"

namespace clade {
namespace {

// a b + beta c, where a, b may be transposed views
Tensor product(const Tensor& a, const Tensor& b) {
  Tensor c = Tensor::empty({a.size(0), b.size(1)}, a.dtype());
  detail::on_device(a, [&](auto context) { kernels::gemm(context, a.view(), b.view(), c.view()); });
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
                  g.add(1, [&] { return product(a.get().transpose(0, 1), dy); });
                });
}

Var linear(const Var& x, const Var& w, const Var& b) {
  detail::require_floating("linear", "x", x.value());
  detail::require_same_dtype("linear", x.value(), w.value());
  detail::require_rank("linear", "x", x.value(), 2);
  detail::require_rank("linear", "w", w.value(), 2);
  if (x.size(1) != w.size(1))
    fail("linear", text("x with ", w.size(1), " columns (w is ", w.shape(), ", [out, in])"),
         text("x ", x.shape()));
  if (b.defined()) detail::require_vector("linear", "bias", b.value(), w.size(0), x.value());
  Tensor y = Tensor::empty({x.size(0), w.size(0)}, x.dtype());
  if (b.defined()) copy_elements(b.value().expand(y.shape()).view(), y.view());
  detail::on_device(y, [&](auto context) {
    kernels::gemm(context, x.value().view(), w.value().transpose(0, 1).view(), y.view(), 1,
                  b.defined() ? 1 : 0);
  });
  return record(op::linear, y, {x, w, b},
                [x = save(x), w = save(w)](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] { return product(dy, w.get()); });
                  g.add(1, [&] { return product(dy.transpose(0, 1), x.get()); });
                  g.add(2, [&] { return detail::sum_to(dy, {dy.size(1)}); });
                });
}

}  // namespace clade

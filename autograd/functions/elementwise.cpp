#include "autograd/functions/elementwise.h"

#include "autograd/functions/detail.h"
#include "kernels/elementwise/elementwise.h"

namespace clade {
namespace {

using kernels::Binary;
using kernels::Unary;

// -- y = f(x) ------------------------------------------------------------------------------------

// f'(x) can be told from y alone (y has x's sign, or f' is a function of y): then x is not saved,
// and an activation's input can be freed in the forward pass.
bool derivative_from_output(Unary f, double a) {
  switch (f) {
    case Unary::exp:
    case Unary::sqrt:
    case Unary::reciprocal:
    case Unary::relu:
    case Unary::sigmoid:
    case Unary::tanh: return true;
    case Unary::leaky_relu:
    case Unary::elu: return a > 0;
    default: return false;
  }
}

Var unary(const Op& op, Unary f, const Var& x, double a = 0, double b = 0) {
  detail::require_floating(op.name, "x", x.value());
  Tensor input = detail::dense(x.value());
  Tensor y = Tensor::empty_like(input);
  detail::on_device(
      input, [&](auto context) { kernels::unary(context, f, input.view(), y.view(), a, b); });
  Saved saved_x = save(derivative_from_output(f, a) ? y : input);
  return record(op, y, {x}, [f, a, b, x = saved_x, y = save(y)](Gradients& g, const Tensor& dy) {
    g.add(0, [&] {
      const Tensor dx = detail::own_or_new(dy, y.get());
      const Tensor dy_like = detail::like_layout(dy, dx);
      detail::on_device(dx, [&](auto context) {
        kernels::unary_backward(context, f, x.get().view(), y.get().view(), dy_like.view(),
                                dx.view(), a, b);
      });
      return dx;
    });
  });
}

// -- y = f(a, b) ---------------------------------------------------------------------------------

Tensor binary_value(const char* op, Binary f, const Tensor& a, const Tensor& b) {
  detail::require_floating(op, "a", a);
  detail::require_same_dtype(op, a, b);
  Shape shape = broadcast(op, a.shape(), b.shape());
  const Tensor& model = a.shape() == shape && (a.is_dense() || !(b.shape() == shape)) ? a : b;
  Tensor y = model.shape() == shape
                 ? Tensor::empty_like(model)
                 : Tensor::empty(shape, a.dtype(), Layout::row_major, a.device());
  detail::on_device(y, [&](auto context) {
    kernels::binary(context, f, a.expand(shape).view(), b.expand(shape).view(), y.view());
  });
  return y;
}

Tensor times(const Tensor& a, const Tensor& b) { return binary_value("mul", Binary::mul, a, b); }

Tensor scaled(const Tensor& x, double scale) {
  Tensor input = detail::dense(x), y = Tensor::empty_like(input);
  detail::on_device(y, [&](auto context) {
    kernels::unary(context, Unary::affine, input.view(), y.view(), scale, 0);
  });
  return y;
}

// maximum and minimum; `a_wins` says where y is a.
Var extreme(const Op& op, Binary f, Binary a_wins, const Var& a, const Var& b) {
  Tensor y = binary_value(op.name, f, a.value(), b.value());
  return record(op, y, {a, b}, [a_wins, a = save(a), b = save(b)](Gradients& g, const Tensor& dy) {
    Tensor from_a = times(dy, binary_value("winner", a_wins, a.get(), b.get()));
    g.add(0, [&] { return detail::sum_to(from_a, a.get().shape()); });
    g.add(1, [&] {
      return detail::sum_to(binary_value("sub", Binary::sub, dy, from_a), b.get().shape());
    });
  });
}

}  // namespace

Var add(const Var& a, const Var& b) {
  Tensor y = binary_value("add", Binary::add, a.value(), b.value());
  return record(op::add, y, {a, b},
                [sa = a.shape(), sb = b.shape()](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] { return detail::sum_to(dy, sa); });
                  g.add(1, [&] { return detail::sum_to(dy, sb); });
                });
}

Var sub(const Var& a, const Var& b) {
  Tensor y = binary_value("sub", Binary::sub, a.value(), b.value());
  return record(op::sub, y, {a, b},
                [sa = a.shape(), sb = b.shape()](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] { return detail::sum_to(dy, sa); });
                  g.add(1, [&] { return scaled(detail::sum_to(dy, sb), -1); });
                });
}

Var mul(const Var& a, const Var& b) {
  Tensor y = binary_value("mul", Binary::mul, a.value(), b.value());
  return record(op::mul, y, {a, b}, [a = save(a), b = save(b)](Gradients& g, const Tensor& dy) {
    g.add(0, [&] { return detail::sum_to(times(dy, b.get()), a.get().shape()); });
    g.add(1, [&] { return detail::sum_to(times(dy, a.get()), b.get().shape()); });
  });
}

Var div(const Var& a, const Var& b) {
  Tensor y = binary_value("div", Binary::div, a.value(), b.value());
  return record(
      op::div, y, {a, b},
      [sa = a.shape(), b = save(b), y = save(y)](Gradients& g, const Tensor& dy) {
        Tensor da = binary_value("div", Binary::div, dy, b.get());  // both need it
        g.add(0, [&] { return detail::sum_to(da, sa); });
        g.add(1, [&] { return detail::sum_to(scaled(times(da, y.get()), -1), b.get().shape()); });
      });
}

Var maximum(const Var& a, const Var& b) {
  return extreme(op::maximum, Binary::maximum, Binary::at_least, a, b);
}
Var minimum(const Var& a, const Var& b) {
  return extreme(op::minimum, Binary::minimum, Binary::at_most, a, b);
}

Var affine(const Var& x, double a, double b) { return unary(op::affine, Unary::affine, x, a, b); }
Var exp(const Var& x) { return unary(op::exp, Unary::exp, x); }
Var log(const Var& x) { return unary(op::log, Unary::log, x); }
Var sqrt(const Var& x) { return unary(op::sqrt, Unary::sqrt, x); }
Var square(const Var& x) { return unary(op::square, Unary::square, x); }
Var abs(const Var& x) { return unary(op::abs, Unary::abs, x); }
Var reciprocal(const Var& x) { return unary(op::reciprocal, Unary::reciprocal, x); }
Var power(const Var& x, double e) { return unary(op::power, Unary::power, x, e); }
Var clamp(const Var& x, double low, double high) {
  if (!(low <= high)) fail("clamp", "low <= high", text(low, " and ", high));
  return unary(op::clamp, Unary::clamp, x, low, high);
}
Var relu(const Var& x) { return unary(op::relu, Unary::relu, x); }
Var leaky_relu(const Var& x, double a) { return unary(op::leaky_relu, Unary::leaky_relu, x, a); }
Var elu(const Var& x, double a) { return unary(op::elu, Unary::elu, x, a); }
Var sigmoid(const Var& x) { return unary(op::sigmoid, Unary::sigmoid, x); }
Var tanh(const Var& x) { return unary(op::tanh, Unary::tanh, x); }
Var softplus(const Var& x) { return unary(op::softplus, Unary::softplus, x); }
Var gelu(const Var& x) { return unary(op::gelu, Unary::gelu, x); }
Var silu(const Var& x) { return unary(op::silu, Unary::silu, x); }

}  // namespace clade

#include "autograd/functions/detail.h"

#include <algorithm>

#include "kernels/elementwise/elementwise.h"
#include "kernels/reduce/reduce.h"

namespace clade::detail {

void require_floating(const char* op, const char* argument, const Tensor& t) {
  if (!t.defined() || !is_floating(t.dtype()))
    fail(op, text(argument, " of dtype f32 or f64"), text(t),
         t.defined() ? "convert it with .to(DType::f32)" : "");
}

void require_rank(const char* op, const char* argument, const Tensor& t, int rank) {
  if (t.rank() != rank) fail(op, text(argument, " with ", rank, " axes"), text(t));
}

void require_same_device(const char* op, const Tensor& a, const Tensor& b) {
  if (a.device() != b.device())
    fail(op, "arguments on one device",
         text(a.view(), " on ", a.device(), " and ", b.view(), " on ", b.device()),
         "move one with .to(Device)");
}

void require_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype())
    fail(op, "arguments of one dtype", text(a, " and ", b), "convert one with .to(...)");
  require_same_device(op, a, b);
}

void require_same_shape(const char* op, const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) fail(op, "arguments of one shape", text(a, " and ", b));
}

void require_vector(const char* op, const char* argument, const Tensor& t, int64_t n,
                    const Tensor& like) {
  if (!(t.shape() == Shape{n}) || t.dtype() != like.dtype())
    fail(op, text(argument, " as ", like.dtype(), " [", n, "]"), text(t));
  require_same_device(op, like, t);
}

void require_window(const char* op, std::initializer_list<int64_t> sizes) {
  for (int64_t size : sizes)
    if (size > int64_t{1} << 30)
      fail(op, "kernel, stride, padding and dilation of at most 2^30", text(size));
}

Tensor sum_to(const Tensor& t, const Shape& shape) {
  if (t.shape() == shape) return t;
  // Axes that broadcasting put in front are summed away, axes of size 1 are summed to size 1.
  int lead = t.rank() - shape.rank();
  int64_t kept[kMaxRank];
  for (int d = 0; d < t.rank(); d++) kept[d] = d < lead ? 1 : shape[d - lead];
  Tensor y = Tensor::empty(Shape(kept, t.rank()), t.dtype(), Layout::row_major, t.device());
  on_device(
      t, [&](auto context) { kernels::reduce(context, kernels::Reduce::sum, t.view(), y.view()); });
  return y.reshape(shape);
}

Tensor like_layout(const Tensor& t, const Tensor& like) {
  if (like.is_dense() && like.shape() == t.shape()) {
    bool same = true;
    for (int d = 0; d < t.rank(); d++)
      same = same && (t.size(d) == 1 || t.stride(d) == like.stride(d));
    if (same) return t;
    Tensor copy = Tensor::empty_like(like);
    copy_elements(t, copy);
    return copy;
  }
  return t.contiguous();
}

Tensor dense(const Tensor& t) { return t.is_dense() ? t : t.contiguous(); }

Tensor own_or_new(const Tensor& dy, const Tensor& y) {
  const bool same = dy.storage().owners() == 1 && y.is_dense() &&
                    std::equal(dy.view().stride, dy.view().stride + dy.rank(), y.view().stride);
  return same ? dy : Tensor::empty_like(y);
}

void require_slope(const char* op, double slope) {
  if (!(slope >= 0)) fail(op, "a slope of 0 or more", text(slope), "use leaky_relu after it");
}

// y has the sign of z.
Tensor before_activation(const Tensor& y, const Tensor& dy, double slope) {
  const Tensor dz = own_or_new(dy, y), like = like_layout(dy, dz);
  const auto act = slope == 0 ? kernels::Unary::relu : kernels::Unary::leaky_relu;
  on_device(y, [&](auto context) {
    kernels::unary_backward(context, act, y.view(), y.view(), like.view(), dz.view(), slope, 0);
  });
  return dz;
}

}  // namespace clade::detail

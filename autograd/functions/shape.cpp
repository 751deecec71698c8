#include "autograd/functions/shape.h"

#include <algorithm>

#include "autograd/functions/detail.h"

namespace clade {
namespace {

Var reshaped(const Var& x, Tensor y) {
  return record(op::reshape, std::move(y), {x},
                [shape = x.shape()](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] { return dy.reshape(shape); });
                });
}

}  // namespace

Var reshape(const Var& x, std::initializer_list<int64_t> sizes) {
  return reshaped(x, x.value().reshape(sizes));
}
Var reshape(const Var& x, const Shape& shape) { return reshaped(x, x.value().reshape(shape)); }
Var flatten(const Var& x, int first, int last) {
  return reshaped(x, x.value().flatten(first, last));
}

Var permute(const Var& x, std::initializer_list<int> axes) {
  Tensor y = x.value().permute(axes);
  int rank = y.rank();
  std::vector<int> inverse(static_cast<size_t>(rank));
  int to = 0;
  for (int from : axes) inverse[size_t(from < 0 ? from + rank : from)] = to++;
  return record(op::permute, y, {x}, [inverse](Gradients& g, const Tensor& dy) {
    g.add(0, [&] { return dy.permute(inverse.data(), int(inverse.size())); });
  });
}

Var transpose(const Var& x, int a, int b) {
  Tensor y = x.value().transpose(a, b);
  return record(op::permute, y, {x}, [a, b](Gradients& g, const Tensor& dy) {
    g.add(0, [&] { return dy.transpose(a, b); });
  });
}

Var slice(const Var& x, int axis, int64_t begin, int64_t end, int64_t step) {
  Tensor y = x.value().slice(axis, begin, end, step);
  return record(op::slice, y, {x},
                [axis, begin, end, step, shape = x.shape()](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] {
                    Tensor dx = Tensor::zeros(shape, dy.dtype(), Layout::row_major, dy.device());
                    copy_elements(dy, dx.slice(axis, begin, end, step));
                    return dx;
                  });
                });
}

Var concat(const std::vector<Var>& parts, int axis) {
  if (parts.empty()) fail("concat", "at least one tensor", "none");
  const Tensor& first = parts[0].value();
  int rank = first.rank(), d = axis < 0 ? axis + rank : axis;
  if (d < 0 || d >= rank) fail("concat", text("an axis in ", -rank, " .. ", rank - 1), text(axis));
  int64_t total = 0;
  bool channels_last = rank == 4;
  for (const Var& part : parts) {
    const Tensor& t = part.value();
    detail::require_same_dtype("concat", first, t);
    if (t.rank() != rank || !(t.shape().with(d, 0) == first.shape().with(d, 0)))
      fail("concat", text("shapes equal but for axis ", d), text(first, " and ", t));
    total += t.size(d);
    channels_last = channels_last && t.is_channels_last();
  }
  Tensor y =
      Tensor::empty(first.shape().with(d, total), first.dtype(),
                    channels_last ? Layout::channels_last : Layout::row_major, first.device());
  std::vector<int64_t> edges{0};
  for (const Var& part : parts) {
    edges.push_back(edges.back() + part.size(d));
    copy_elements(part.value(), y.slice(d, edges[edges.size() - 2], edges.back()));
  }
  return record(op::concat, y, parts, [d, edges](Gradients& g, const Tensor& dy) {
    for (int i = 0; i + 1 < int(edges.size()); i++)
      g.add(i, [&] { return dy.slice(d, edges[size_t(i)], edges[size_t(i) + 1]); });
  });
}

Var expand(const Var& x, const Shape& shape) {
  Tensor y = x.value().expand(shape);
  return record(op::expand, y, {x}, [from = x.shape()](Gradients& g, const Tensor& dy) {
    g.add(0, [&] { return detail::sum_to(dy, from); });
  });
}

}  // namespace clade

#include "autograd/functions/reduce.h"

#include "autograd/functions/detail.h"
#include "autograd/functions/elementwise.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/reduce/reduce.h"

namespace clade {
namespace {

using kernels::Reduce;

int axis_of(const char* op, const Tensor& x, int axis) {
  int rank = x.rank();
  if (axis < -rank || axis >= rank)
    fail(op, text("an axis in ", -rank, " .. ", rank - 1), text("axis ", axis, " of ", x));
  return axis < 0 ? axis + rank : axis;
}

struct Axes {
  Shape kept;         // reduced axes have size 1
  Shape dropped;      // reduced axes are gone
  int64_t count = 1;  // elements that join into one
};

Axes find_axes(const char* op, const Tensor& x, const int* axes, size_t n) {
  Axes out;
  out.kept = x.shape();
  bool reduced[kMaxRank] = {};
  for (size_t i = 0; i < n; i++) {
    int d = axis_of(op, x, axes[i]);
    if (reduced[d]) fail(op, "each axis once", text("axis ", d, " twice"));
    reduced[d] = true;
    out.count *= x.size(d);
    out.kept = out.kept.with(d, 1);
  }
  int64_t sizes[kMaxRank];
  int rank = 0;
  for (int d = 0; d < x.rank(); d++)
    if (!reduced[d]) sizes[rank++] = x.size(d);
  out.dropped = Shape(sizes, rank);
  return out;
}

Tensor reduced(Reduce f, const Tensor& x, const Shape& kept) {
  Tensor y = Tensor::empty(kept, x.dtype(), Layout::row_major, x.device());
  detail::on_device(x, [&](auto context) { kernels::reduce(context, f, x.view(), y.view()); });
  return y;
}

Var additive(const Op& op, Reduce f, const Var& x, const Axes& axes, bool keep) {
  double share = f == Reduce::mean ? 1.0 / double(axes.count) : 1.0;
  Tensor y = reduced(f, x.value(), axes.kept).reshape(keep ? axes.kept : axes.dropped);
  return record(op, y, {x},
                [share, kept = axes.kept, shape = x.shape()](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] {
                    Tensor dx = dy.reshape(kept);
                    if (share != 1) dx = affine(dx, share, 0).value();
                    return dx.expand(shape);
                  });
                });
}

Var extreme(const Op& op, Reduce f, const Var& x, const Axes& axes, bool keep) {
  if (axes.count == 0) fail(op.name, "at least one element along the axes", text(x.value()));
  Tensor kept = reduced(f, x.value(), axes.kept);
  return record(op, kept.reshape(keep ? axes.kept : axes.dropped), {x},
                [x = save(x), y = save(kept)](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] {
                    // won = 1 where x is the extreme, shared by their number
                    const Tensor &in = x.get(), &extreme = y.get();
                    Tensor won =
                        Tensor::empty(in.shape(), in.dtype(), Layout::row_major, in.device());
                    detail::on_device(won, [&](auto context) {
                      kernels::binary(context, kernels::Binary::equal, in.view(),
                                      extreme.expand(in.shape()).view(), won.view());
                    });
                    Tensor winners = reduced(Reduce::sum, won, extreme.shape());
                    Var share = div(Var(dy.reshape(extreme.shape())), Var(winners));
                    return mul(Var(won), share).value();
                  });
                });
}

// Kernels of the softmax family take any strides; their results are row-major or x's dense layout.
template <class Kernel>
Tensor along(const Tensor& x, Kernel kernel) {
  Tensor y = Tensor::empty_like(x);
  detail::on_device(x, [&](auto context) { kernel(context, x.view(), y.view()); });
  return y;
}

}  // namespace

Var sum(const Var& x, std::initializer_list<int> axes, bool keep) {
  detail::require_floating("sum", "x", x.value());
  return additive(op::sum, Reduce::sum, x, find_axes("sum", x.value(), axes.begin(), axes.size()),
                  keep);
}
Var mean(const Var& x, std::initializer_list<int> axes, bool keep) {
  detail::require_floating("mean", "x", x.value());
  Axes found = find_axes("mean", x.value(), axes.begin(), axes.size());
  if (found.count == 0) fail("mean", "at least one element along the axes", text(x.value()));
  return additive(op::mean, Reduce::mean, x, found, keep);
}
Var sum(const Var& x) {
  static constexpr int all[] = {0, 1, 2, 3, 4, 5};
  detail::require_floating("sum", "x", x.value());
  return additive(op::sum, Reduce::sum, x,
                  find_axes("sum", x.value(), all, size_t(x.value().rank())), false);
}
Var mean(const Var& x) {
  static constexpr int all[] = {0, 1, 2, 3, 4, 5};
  detail::require_floating("mean", "x", x.value());
  if (x.value().numel() == 0) fail("mean", "at least one element", text(x.value()));
  return additive(op::mean, Reduce::mean, x,
                  find_axes("mean", x.value(), all, size_t(x.value().rank())), false);
}
Var max(const Var& x, std::initializer_list<int> axes, bool keep) {
  detail::require_floating("max", "x", x.value());
  return extreme(op::max, Reduce::max, x, find_axes("max", x.value(), axes.begin(), axes.size()),
                 keep);
}
Var min(const Var& x, std::initializer_list<int> axes, bool keep) {
  detail::require_floating("min", "x", x.value());
  return extreme(op::min, Reduce::min, x, find_axes("min", x.value(), axes.begin(), axes.size()),
                 keep);
}

Var softmax(const Var& x, int axis) {
  detail::require_floating("softmax", "x", x.value());
  int d = axis_of("softmax", x.value(), axis);
  Tensor y = along(x.value(), [d](auto context, const View& in, const View& out) {
    kernels::softmax(context, in, out, d);
  });
  return record(op::softmax, y, {x}, [d, y = save(y)](Gradients& g, const Tensor& dy) {
    g.add(0, [&] {
      return along(y.get(), [&](auto context, const View& in, const View& out) {
        kernels::softmax_backward(context, in, dy.view(), out, d);
      });
    });
  });
}

Var log_softmax(const Var& x, int axis) {
  detail::require_floating("log_softmax", "x", x.value());
  int d = axis_of("log_softmax", x.value(), axis);
  Tensor y = along(x.value(), [d](auto context, const View& in, const View& out) {
    kernels::log_softmax(context, in, out, d);
  });
  return record(op::log_softmax, y, {x}, [d, y = save(y)](Gradients& g, const Tensor& dy) {
    g.add(0, [&] {
      return along(y.get(), [&](auto context, const View& in, const View& out) {
        kernels::log_softmax_backward(context, in, dy.view(), out, d);
      });
    });
  });
}

Var logsumexp(const Var& x, int axis, bool keep) {
  detail::require_floating("logsumexp", "x", x.value());
  int d = axis_of("logsumexp", x.value(), axis);
  if (x.size(d) == 0) fail("logsumexp", "at least one element along the axis", text(x.value()));
  Tensor y = Tensor::empty(x.shape().with(d, 1), x.dtype(), Layout::row_major, x.value().device());
  detail::on_device(
      y, [&](auto context) { kernels::logsumexp(context, x.value().view(), y.view(), d); });
  return record(op::logsumexp, keep ? y : y.squeeze(d), {x},
                [d, x = save(x), y = save(y)](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] {
                    Tensor kept = dy.reshape(y.get().shape());
                    return along(x.get(), [&](auto context, const View& in, const View& out) {
                      kernels::logsumexp_backward(context, in, y.get().view(), kept.view(), out, d);
                    });
                  });
                });
}

Tensor argmax(const Tensor& x, int axis) {
  detail::require_floating("argmax", "x", x);
  int d = axis_of("argmax", x, axis);
  if (x.size(d) == 0) fail("argmax", "at least one element along the axis", text(x));
  Tensor index = Tensor::empty(x.shape().with(d, 1), DType::i64, Layout::row_major, x.device());
  detail::on_device(x, [&](auto context) { kernels::argmax(context, x.view(), index.view(), d); });
  return index.squeeze(d);
}

}  // namespace clade

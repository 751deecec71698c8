#include "autograd/functions/conv.h"

#include <algorithm>

#include "autograd/functions/detail.h"

namespace clade {
namespace {

// The three faces on tensors. Images go in and come out channels-last.

Tensor channels_last(const Tensor& t) { return t.to_layout(Layout::channels_last); }

// What conv2d gives for images of shape `x`.
Shape output_shape(const Shape& x, const Tensor& w, const ConvParams& p) {
  int64_t size[2];
  for (int i = 0; i < 2; i++)
    size[i] = kernels::conv_output_size(x[2 + i], w.size(2 + i), p.stride[i], p.padding[i],
                                        p.dilation[i]);
  return {x[0], w.size(0), size[0], size[1]};
}

Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvParams& p,
               double slope = 1) {
  Tensor y =
      Tensor::empty(output_shape(x.shape(), w, p), x.dtype(), Layout::channels_last, x.device());
  Tensor image = channels_last(x), weight = w.contiguous();
  detail::on_device(y, [&](auto context) {
    kernels::conv2d_forward(context, image.view(), weight.view(), detail::optional_view(bias),
                            y.view(), p, slope);
  });
  return y;
}

Tensor grad_input(const Tensor& y, const Tensor& w, const Tensor& bias, const Shape& shape,
                  const ConvParams& p, double slope = 1) {
  Tensor x = Tensor::empty(shape, y.dtype(), Layout::channels_last, y.device());
  Tensor image = channels_last(y), weight = w.contiguous();
  detail::on_device(x, [&](auto context) {
    kernels::conv2d_grad_input(context, image.view(), weight.view(), detail::optional_view(bias),
                               x.view(), p, slope);
  });
  return x;
}

void grad_weight(const Tensor& x, const Tensor& y, const Tensor& w, const ConvParams& p) {
  Tensor input = channels_last(x), output = channels_last(y);
  detail::on_device(w, [&](auto context) {
    kernels::conv2d_grad_weight(context, input.view(), output.view(), w.view(), p);
  });
}

// `t` as an output of the convolution of images of shape `x`. An output_padding of the stride or
// more (a larger dilation allows it) gives such an output rows that t lacks: they are 0.
Tensor as_output_for(const Shape& x, const Tensor& t, const Tensor& w, const ConvParams& p) {
  Shape shape = output_shape(x, w, p);
  if (shape == t.shape()) return t;
  Tensor wide = Tensor::zeros(shape, t.dtype(), Layout::channels_last, t.device());
  copy_elements(t, wide.slice(2, 0, t.size(2)).slice(3, 0, t.size(3)));
  return wide;
}

Tensor grad_bias(const Tensor& dy) {  // sum over N, H, W
  return detail::sum_to(dy, {1, dy.size(1), 1, 1}).reshape({dy.size(1)});
}

void check_images(const char* op, const Var& x, const Var& w, const ConvParams& p, double slope) {
  detail::require_floating(op, "x", x.value());
  detail::require_same_dtype(op, x.value(), w.value());
  detail::require_rank(op, "x (N, C, H, W)", x.value(), 4);
  detail::require_rank(op, "w", w.value(), 4);
  for (int i = 0; i < 2; i++) {
    if (p.stride[i] < 1 || p.dilation[i] < 1 || p.padding[i] < 0)
      fail(op, "stride and dilation of 1 or more, padding of 0 or more",
           text("stride ", p.stride[i], ", dilation ", p.dilation[i], ", padding ", p.padding[i]));
    detail::require_window(op, {p.stride[i], p.padding[i], p.dilation[i], w.size(2 + i)});
    if (w.size(2 + i) < 1) fail(op, "a kernel of 1 x 1 or more", text("w ", w.shape()));
  }
  detail::require_slope(op, slope);
  if (p.groups < 1 || w.size(0) % p.groups != 0)
    fail(op, text("groups that divide the ", w.size(0), " rows of w"), text("groups ", p.groups));
}

}  // namespace

Var conv2d(const Var& x, const Var& w, const Var& b, const ConvParams& p, double slope) {
  check_images("conv2d", x, w, p, slope);
  if (x.size(1) != w.size(1) * p.groups)
    fail("conv2d",
         text("x with ", w.size(1) * p.groups, " channels (w ", w.shape(), ", groups ", p.groups,
              ")"),
         text("x ", x.shape()), "check the order of the axes (N, C, H, W)");
  if (b.defined()) detail::require_vector("conv2d", "bias", b.value(), w.size(0), x.value());
  for (int i = 0; i < 2; i++)
    if (kernels::conv_output_size(x.size(2 + i), w.size(2 + i), p.stride[i], p.padding[i],
                                  p.dilation[i]) < 1)
      fail("conv2d", text("an image that the ", w.size(2), " x ", w.size(3), " kernel fits into"),
           text("x ", x.shape(), " with padding ", p.padding[i]),
           "pad more or use a smaller kernel");
  Tensor y = forward(x.value(), w.value(), detail::optional_contiguous(b), p, slope);
  return record(op::conv2d, y, {x, w, b},
                [p, slope, x = save(x), w = save(w), y = slope == 1 ? Saved() : save(y)](
                    Gradients& g, const Tensor& dy) {
                  const Tensor dz = slope == 1 ? dy : detail::before_activation(y.get(), dy, slope);
                  g.add(0, [&] { return grad_input(dz, w.get(), {}, x.get().shape(), p); });
                  g.overwrite(1, [&](const Tensor& dw) { grad_weight(x.get(), dz, dw, p); });
                  g.add(2, [&] { return grad_bias(dz); });
                });
}

Var conv_transpose2d(const Var& x, const Var& w, const Var& b, const ConvTransposeParams& p,
                     double slope) {
  const char* name = "conv_transpose2d";
  check_images(name, x, w, p, slope);
  if (x.size(1) != w.size(0))
    fail(name,
         text("x with ", w.size(0), " channels (w ", w.shape(), ", [in, out / groups, R, S])"),
         text("x ", x.shape()), "check the order of the axes (N, C, H, W)");
  int64_t channels = w.size(1) * p.groups, size[2];
  if (b.defined()) detail::require_vector(name, "bias", b.value(), channels, x.value());
  for (int i = 0; i < 2; i++) {
    if (p.output_padding[i] < 0 || p.output_padding[i] >= std::max(p.stride[i], p.dilation[i]))
      fail(name, "0 <= output_padding < max(stride, dilation)",
           text("output_padding ", p.output_padding[i], ", stride ", p.stride[i]));
    size[i] = (x.size(2 + i) - 1) * p.stride[i] - 2 * p.padding[i] +
              p.dilation[i] * (w.size(2 + i) - 1) + p.output_padding[i] + 1;
    if (size[i] < 1)
      fail(name, "an output of 1 x 1 or more",
           text(size[i], " from x ", x.shape(), " and w ", w.shape()), "use less padding");
  }
  Shape shape{x.size(0), channels, size[0], size[1]};
  Tensor y = grad_input(as_output_for(shape, x.value(), w.value(), p), w.value(),
                        detail::optional_contiguous(b), shape, p, slope);
  return record(op::conv_transpose2d, y, {x, w, b},
                [p = ConvParams(p), slope, x = save(x), w = save(w),
                 y = slope == 1 ? Saved() : save(y)](Gradients& g, const Tensor& dy) {
                  const Tensor &in = x.get(), &weight = w.get();
                  const Tensor dz = slope == 1 ? dy : detail::before_activation(y.get(), dy, slope);
                  g.add(0, [&] {
                    Tensor dx = forward(dz, weight, {}, p);
                    return dx.slice(2, 0, in.size(2)).slice(3, 0, in.size(3));
                  });
                  g.overwrite(1, [&](const Tensor& dw) {
                    grad_weight(dz, as_output_for(dz.shape(), in, weight, p), dw, p);
                  });
                  g.add(2, [&] { return grad_bias(dz); });
                });
}

}  // namespace clade

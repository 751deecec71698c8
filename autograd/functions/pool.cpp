#include "autograd/functions/pool.h"

#include "autograd/functions/detail.h"
#include "kernels/conv/conv.h"

namespace clade {
namespace {

Tensor images(const char* op, const Var& x) {
  detail::require_floating(op, "x", x.value());
  detail::require_rank(op, "x (N, C, H, W)", x.value(), 4);
  return x.value().to_layout(Layout::channels_last);
}

Tensor empty_images(const Shape& shape, const Tensor& like) {
  return Tensor::empty(shape, like.dtype(), Layout::channels_last, like.device());
}

Shape pooled_shape(const char* op, const Tensor& x, const PoolParams& p) {
  int64_t size[2];
  for (int i = 0; i < 2; i++) {
    if (p.kernel[i] < 1 || p.stride[i] < 1 || p.padding[i] < 0 || p.padding[i] > p.kernel[i] / 2)
      fail(op, "kernel and stride of 1 or more, padding of at most half the kernel",
           text("kernel ", p.kernel[i], ", stride ", p.stride[i], ", padding ", p.padding[i]));
    detail::require_window(op, {p.kernel[i], p.stride[i], p.padding[i]});
    // Of padding alone there is nothing to take: no window would have a pixel.
    if (x.size(2 + i) < 1) fail(op, "images of 1 x 1 or more", text(x));
    size[i] = kernels::conv_output_size(x.size(2 + i), p.kernel[i], p.stride[i], p.padding[i], 1);
    if (size[i] < 1) fail(op, text("an image of at least ", p.kernel[i], " pixels"), text(x));
  }
  return {x.size(0), x.size(1), size[0], size[1]};
}

}  // namespace

Var max_pool2d(const Var& x, const PoolParams& p) {
  Tensor input = images("max_pool2d", x);
  Shape shape = pooled_shape("max_pool2d", input, p);
  Tensor y = empty_images(shape, input);
  Tensor index = Tensor::empty(shape, DType::i64, Layout::channels_last, input.device());
  detail::on_device(y, [&](auto context) {
    kernels::max_pool2d(context, input.view(), y.view(), index.view(), p);
  });
  return record(op::max_pool2d, y, {x},
                [shape = input.shape(), index = save(index)](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] {
                    Tensor dx = empty_images(shape, dy);
                    detail::on_device(dx, [&](auto context) {
                      kernels::max_pool2d_backward(context,
                                                   dy.to_layout(Layout::channels_last).view(),
                                                   index.get().view(), dx.view());
                    });
                    return dx;
                  });
                });
}

Var avg_pool2d(const Var& x, const PoolParams& p) {
  Tensor input = images("avg_pool2d", x);
  Tensor y = empty_images(pooled_shape("avg_pool2d", input, p), input);
  detail::on_device(y,
                    [&](auto context) { kernels::avg_pool2d(context, input.view(), y.view(), p); });
  return record(op::avg_pool2d, y, {x}, [p, shape = input.shape()](Gradients& g, const Tensor& dy) {
    g.add(0, [&] {
      Tensor dx = empty_images(shape, dy);
      detail::on_device(dx, [&](auto context) {
        kernels::avg_pool2d_backward(context, dy.to_layout(Layout::channels_last).view(), dx.view(),
                                     p);
      });
      return dx;
    });
  });
}

Var upsample2d(const Var& x, int64_t factor, Upsample mode) {
  Tensor input = images("upsample2d", x);
  if (factor < 1) fail("upsample2d", "a factor of 1 or more", text(factor));
  int64_t size[2];
  for (int i = 0; i < 2; i++)
    if (__builtin_mul_overflow(input.size(2 + i), factor, &size[i]))
      fail("upsample2d", "an output of less than 2^63 pixels", text(input, " times ", factor));
  Tensor y = empty_images({input.size(0), input.size(1), size[0], size[1]}, input);
  detail::on_device(
      y, [&](auto context) { kernels::upsample2d(context, mode, input.view(), y.view()); });
  return record(op::upsample2d, y, {x},
                [mode, shape = input.shape()](Gradients& g, const Tensor& dy) {
                  g.add(0, [&] {
                    Tensor dx = empty_images(shape, dy);
                    detail::on_device(dx, [&](auto context) {
                      kernels::upsample2d_backward(
                          context, mode, dy.to_layout(Layout::channels_last).view(), dx.view());
                    });
                    return dx;
                  });
                });
}

}  // namespace clade

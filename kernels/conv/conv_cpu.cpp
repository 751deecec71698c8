// Convolution on the CPU: the entry points, and which algorithm serves which shape.
#include <type_traits>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_im2col.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

double bytes_moved(const View& x, const View& w, const View& y) {
  return double(x.numel() + w.numel() + y.numel()) * double(size_of(w.dtype));
}

}  // namespace

void conv2d_forward(const Cpu&, const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p) {
  ConvShape s(x, w, y, p);
  profiler::Span span("conv2d_forward", s.flops(), bytes_moved(x, w, y));
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, float>) {
      if (direct::serves(s))
        return direct::forward(s, x.as<T>(), w.as<T>(), bias.as<T>(), y.as<T>());
    }
    im2col::forward(s, x.as<T>(), w.as<T>(), bias.as<T>(), y.as<T>());
  });
}

void conv2d_grad_input(const Cpu&, const View& y, const View& w, const View& bias, const View& x,
                       const ConvParams& p) {
  ConvShape s(x, w, y, p);
  profiler::Span span("conv2d_grad_input", s.flops(), bytes_moved(x, w, y));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, float>) {
      if (direct::serves(s))
        return direct::grad_input(s, y.as<T>(), w.as<T>(), bias.as<T>(), x.as<T>());
    }
    im2col::grad_input(s, y.as<T>(), w.as<T>(), bias.as<T>(), x.as<T>());
  });
}

void conv2d_grad_weight(const Cpu&, const View& x, const View& y, const View& w,
                        const ConvParams& p) {
  ConvShape s(x, w, y, p);
  profiler::Span span("conv2d_grad_weight", s.flops(), bytes_moved(x, w, y));
  dispatch_floating(w.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, float>) {
      if (direct::serves(s)) return direct::grad_weight(s, x.as<T>(), y.as<T>(), w.as<T>());
    }
    im2col::grad_weight(s, x.as<T>(), y.as<T>(), w.as<T>());
  });
}

}  // namespace clade::kernels

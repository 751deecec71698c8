// Convolution on the CPU: the entry points, and which algorithm serves which shape.
//
//     f32, 3 x 3, stride 1, many channels      conv_winograd.h
//     f32, weight gradient of many channels    conv_packed.h
//     f32, one group, kernels up to 16 x 16    conv_direct.h
//     everything else                          conv_im2col.h
//
// See conv.md for what each costs.
#include <cstdio>
#include <string>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_im2col.h"
#include "kernels/conv/conv_packed.h"
#include "kernels/conv/conv_winograd.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

bool exact = false;

bool goes_winograd(const ConvShape& s, DType dtype) {
  return dtype == DType::f32 && !exact && winograd::pays(s);
}

bool goes_direct(const ConvShape& s, DType dtype) {
  return dtype == DType::f32 && direct::serves(s);
}

double bytes_moved(const View& x, const View& w, const View& y) {
  return double(x.numel() + w.numel() + y.numel()) * double(size_of(w.dtype));
}

// "128 x 32x28x28 to 64x14x14, kernel 5x5, stride 2": images, x, y.
auto described(const ConvShape& s) {
  return [&s] {
    char text[160];
    std::snprintf(text, sizeof text, "%d x %dx%dx%d to %dx%dx%d, kernel %dx%d, stride %d", int(s.N),
                  int(s.C), int(s.H), int(s.W), int(s.O), int(s.P), int(s.Q), int(s.R), int(s.S),
                  int(s.stride[0]));
    return std::string(text);
  };
}

}  // namespace

void set_exact_convolution(bool yes) { exact = yes; }
bool exact_convolution() { return exact; }

void conv2d_forward(const Cpu&, const View& x, const View& w, const View& bias, const View& y,
                    const ConvParams& p, double slope) {
  ConvShape s(x, w, y, p);
  profiler::Span span("conv2d_forward", s.flops(), bytes_moved(x, w, y), described(s));
  auto run = [&](auto algorithm, auto zero) {
    using T = decltype(zero);
    algorithm(s, x.as<T>(), w.as<T>(), bias.as<T>(), T(slope), y.as<T>());
  };
  if (goes_winograd(s, y.dtype)) return run(winograd::forward, float{});
  if (goes_direct(s, y.dtype)) return run(direct::forward, float{});
  dispatch_floating(y.dtype, [&](auto zero) { run(im2col::forward<decltype(zero)>, zero); });
}

void conv2d_grad_input(const Cpu&, const View& y, const View& w, const View& bias, const View& x,
                       const ConvParams& p, double slope) {
  ConvShape s(x, w, y, p);
  profiler::Span span("conv2d_grad_input", s.flops(), bytes_moved(x, w, y), described(s));
  auto run = [&](auto algorithm, auto zero) {
    using T = decltype(zero);
    algorithm(s, y.as<T>(), w.as<T>(), bias.as<T>(), T(slope), x.as<T>());
  };
  if (goes_winograd(s, x.dtype)) return run(winograd::grad_input, float{});
  if (goes_direct(s, x.dtype)) return run(direct::grad_input, float{});
  dispatch_floating(x.dtype, [&](auto zero) { run(im2col::grad_input<decltype(zero)>, zero); });
}

void conv2d_grad_weight(const Cpu&, const View& x, const View& y, const View& w,
                        const ConvParams& p) {
  ConvShape s(x, w, y, p);
  profiler::Span span("conv2d_grad_weight", s.flops(), bytes_moved(x, w, y), described(s));
  auto run = [&](auto algorithm, auto zero) {
    using T = decltype(zero);
    algorithm(s, x.as<T>(), y.as<T>(), w.as<T>());
  };
  if (goes_winograd(s, w.dtype)) return run(winograd::grad_weight, float{});
  if (w.dtype == DType::f32 && packed::weight_pays(s)) return run(packed::grad_weight, float{});
  if (goes_direct(s, w.dtype)) return run(direct::grad_weight, float{});
  dispatch_floating(w.dtype, [&](auto zero) { run(im2col::grad_weight<decltype(zero)>, zero); });
}

}  // namespace clade::kernels

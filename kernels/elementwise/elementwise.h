// elementwise: y[i] = f(x[i]), its gradient, and binary arithmetic with broadcasting.
//
// Each function is written once, as a functor with f and df (functions.h), and compiled for every
// device. Cost: memory. Reads and writes each element once.
//
// Required: equal sizes (broadcast views have strides of 0), one floating dtype. The output may be
// the very same view as an input (in place), but not overlap it otherwise.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

enum class Unary : uint8_t {
  affine,  // a x + b                    (negation, scaling, shift)
  exp,
  log,
  sqrt,
  square,
  abs,  // df(0) = 0
  reciprocal,
  power,       // x^a
  clamp,       // to [a, b]; gradient 0 outside, 1 at the ends
  relu,        // df(0) = 0
  leaky_relu,  // x > 0 ? x : a x
  elu,         // x > 0 ? x : a (e^x - 1)
  sigmoid,     // no overflow at any x
  tanh,
  softplus,  // log(1 + e^x), no overflow at any x
  gelu,      // x Phi(x), with erf
  silu,      // x sigmoid(x)
};

void unary(const Cpu&, Unary op, const View& x, const View& y, double a = 0, double b = 0);
// dx[i] = dy[i] f'(x[i]), given both x and y = f(x).
void unary_backward(const Cpu&, Unary op, const View& x, const View& y, const View& dy,
                    const View& dx, double a = 0, double b = 0);

enum class Binary : uint8_t {
  add,
  sub,
  mul,
  div,
  maximum,  // NaN where a or b is
  minimum,
  at_least,  // 1 where maximum takes a (ties, NaN in a), else 0
  at_most,   // 1 where minimum takes a
  equal,     // 1 where a == b, or both are NaN
};

void binary(const Cpu&, Binary op, const View& a, const View& b, const View& y);
// y += alpha x; what gradient accumulation uses.
void accumulate(const Cpu&, const View& x, const View& y, double alpha = 1);

// The same on a GPU.
void unary(const Cuda&, Unary op, const View& x, const View& y, double a = 0, double b = 0);
void unary_backward(const Cuda&, Unary op, const View& x, const View& y, const View& dy,
                    const View& dx, double a = 0, double b = 0);
void binary(const Cuda&, Binary op, const View& a, const View& b, const View& y);
void accumulate(const Cuda&, const View& x, const View& y, double alpha = 1);

namespace reference {
void unary(Unary op, const View& x, const View& y, double a = 0, double b = 0);
void unary_backward(Unary op, const View& x, const View& y, const View& dy, const View& dx,
                    double a = 0, double b = 0);
void binary(Binary op, const View& a, const View& b, const View& y);
}  // namespace reference

}  // namespace clade::kernels

// Elementwise functions and broadcasting arithmetic. The result keeps the memory order (row-major
// or channels-last) of its dense argument.
#pragma once

#include "autograd/var.h"

namespace clade {

// NumPy broadcasting; equal dtypes.
Var add(const Var& a, const Var& b);
Var sub(const Var& a, const Var& b);
Var mul(const Var& a, const Var& b);
Var div(const Var& a, const Var& b);
Var maximum(const Var& a, const Var& b);  // the gradient of a tie goes to a
Var minimum(const Var& a, const Var& b);

Var affine(const Var& x, double scale, double shift);  // scale x + shift
Var exp(const Var& x);
Var log(const Var& x);
Var sqrt(const Var& x);
Var square(const Var& x);
Var abs(const Var& x);  // derivative 0 at 0
Var reciprocal(const Var& x);
Var power(const Var& x, double exponent);
Var clamp(const Var& x, double low, double high);
Var relu(const Var& x);  // derivative 0 at 0
Var leaky_relu(const Var& x, double slope = 0.01);
Var elu(const Var& x, double alpha = 1);
Var sigmoid(const Var& x);
Var tanh(const Var& x);
Var softplus(const Var& x);
Var gelu(const Var& x);  // x Phi(x), with erf
Var silu(const Var& x);

inline Var operator+(const Var& a, const Var& b) { return add(a, b); }
inline Var operator-(const Var& a, const Var& b) { return sub(a, b); }
inline Var operator*(const Var& a, const Var& b) { return mul(a, b); }
inline Var operator/(const Var& a, const Var& b) { return div(a, b); }
inline Var operator-(const Var& x) { return affine(x, -1, 0); }
inline Var operator+(const Var& x, double s) { return affine(x, 1, s); }
inline Var operator+(double s, const Var& x) { return affine(x, 1, s); }
inline Var operator-(const Var& x, double s) { return affine(x, 1, -s); }
inline Var operator-(double s, const Var& x) { return affine(x, -1, s); }
inline Var operator*(const Var& x, double s) { return affine(x, s, 0); }
inline Var operator*(double s, const Var& x) { return affine(x, s, 0); }
inline Var operator/(const Var& x, double s) { return affine(x, 1 / s, 0); }

}  // namespace clade

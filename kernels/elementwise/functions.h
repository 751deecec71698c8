// functions: each elementwise function once, f and df, compiled for every device.
//
// f(x) is the value; df(x, y) the derivative at x, where y = f(x) is given because it is often the
// cheapest way there. Both operands of a choice are computed and then chosen between: a loop over
// straight-line code vectorises, one over branches does not. Comparisons are turned so that NaN
// comes out as NaN.
#pragma once

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/math.h"
#include "tensor/host_device.h"

namespace clade::kernels {

template <class T>
struct Affine {
  T a, b;
  CLADE_HD T f(T x) const { return a * x + b; }
  CLADE_HD T df(T, T) const { return a; }
};

template <class T>
struct Exp {
  CLADE_HD T f(T x) const { return math::exp(x); }
  CLADE_HD T df(T, T y) const { return y; }
};

template <class T>
struct Log {
  CLADE_HD T f(T x) const { return math::log(x); }
  CLADE_HD T df(T x, T) const { return 1 / x; }
};

template <class T>
struct Sqrt {
  CLADE_HD T f(T x) const { return std::sqrt(x); }
  CLADE_HD T df(T, T y) const { return T(0.5) / y; }
};

template <class T>
struct Square {
  CLADE_HD T f(T x) const { return x * x; }
  CLADE_HD T df(T x, T) const { return 2 * x; }
};

template <class T>
struct Abs {
  CLADE_HD T f(T x) const { return std::fabs(x); }
  CLADE_HD T df(T x, T) const {
    T falling = math::choose(x < 0, T(-1), x);  // else x is 0 or NaN: its own answer
    return math::choose(x > 0, T(1), falling);
  }
};

template <class T>
struct Reciprocal {
  CLADE_HD T f(T x) const { return 1 / x; }
  CLADE_HD T df(T, T y) const { return -(y * y); }
};

template <class T>
struct Power {
  // x^0 is the constant 1; its formula would give 0 * infinity at x = 0.
  CLADE_HD explicit Power(T exponent) : a(exponent), power(a), below(a == 0 ? T(0) : a - 1) {}
  CLADE_HD T f(T x) const { return power(x); }
  CLADE_HD T df(T x, T) const { return a * below(x); }

  T a;
  math::Pow<T> power, below;
};

template <class T>
struct Clamp {
  T a, b;
  CLADE_HD T f(T x) const {
    T raised = math::choose(x < a, a, x);
    return math::choose(raised > b, b, raised);
  }
  CLADE_HD T df(T x, T) const { return math::choose((x >= a) & (x <= b), T(1), T(0)); }
};

template <class T>
struct Relu {
  CLADE_HD T f(T x) const { return math::choose(x <= 0, T(0), x); }
  CLADE_HD T df(T x, T) const { return math::choose(x <= 0, T(0), T(1)); }
};

template <class T>
struct LeakyRelu {
  T a;
  CLADE_HD T f(T x) const { return math::choose(x > 0, x, a * x); }
  CLADE_HD T df(T x, T) const { return math::choose(x > 0, T(1), a); }
};

// What other kernels do to a result in their own pass: v > 0 ? v : slope v, for a slope of 1 as
// well; ReLU of minus infinity is 0, of NaN NaN.
template <class T>
CLADE_HD T activated(T v, T slope) {
  if (slope == 1) return v;
  return slope == 0 ? Relu<T>{}.f(v) : LeakyRelu<T>{slope}.f(v);
}

template <class T>
struct Elu {
  T a;
  CLADE_HD T f(T x) const {
    T below = a * math::expm1_negative(math::choose(x > 0, T(0), x));
    return math::choose(x > 0, x, below);
  }
  CLADE_HD T df(T x, T y) const { return math::choose(x > 0, T(1), y + a); }  // a e^x = y + a
};

template <class T>
struct Sigmoid {
  CLADE_HD T f(T x) const { return math::sigmoid(x); }
  CLADE_HD T df(T, T y) const { return y * (1 - y); }
};

template <class T>
struct Tanh {
  CLADE_HD T f(T x) const { return math::tanh(x); }
  CLADE_HD T df(T, T y) const { return 1 - y * y; }
};

template <class T>
struct Softplus {
  CLADE_HD T f(T x) const { return math::softplus(x); }
  CLADE_HD T df(T x, T) const { return math::sigmoid(x); }
};

template <class T>
struct Gelu {
  CLADE_HD T f(T x) const { return math::gelu(x); }
  CLADE_HD T df(T x, T) const { return math::gelu_slope(x); }
};

template <class T>
struct Silu {
  CLADE_HD T f(T x) const { return x * math::sigmoid(x); }
  CLADE_HD T df(T x, T) const {
    T s = math::sigmoid(x);
    return s * (1 + x * (1 - s));
  }
};

// Calls body(function) with the functor that `op` names.
template <class T, class Body>
void with_function(Unary op, T a, T b, Body&& body) {
  switch (op) {
    case Unary::affine: return body(Affine<T>{a, b});
    case Unary::exp: return body(Exp<T>{});
    case Unary::log: return body(Log<T>{});
    case Unary::sqrt: return body(Sqrt<T>{});
    case Unary::square: return body(Square<T>{});
    case Unary::abs: return body(Abs<T>{});
    case Unary::reciprocal: return body(Reciprocal<T>{});
    case Unary::power:  // the powers of one instruction, which give the same bits
      if (a == 1) return body(Affine<T>{1, T(-0.0)});
      if (a == 2) return body(Square<T>{});
      if (a == -1) return body(Reciprocal<T>{});
      return body(Power<T>{a});
    case Unary::clamp: return body(Clamp<T>{a, b});
    case Unary::relu: return body(Relu<T>{});
    case Unary::leaky_relu: return body(LeakyRelu<T>{a});
    case Unary::elu: return body(Elu<T>{a});
    case Unary::sigmoid: return body(Sigmoid<T>{});
    case Unary::tanh: return body(Tanh<T>{});
    case Unary::softplus: return body(Softplus<T>{});
    case Unary::gelu: return body(Gelu<T>{});
    case Unary::silu: return body(Silu<T>{});
  }
}

template <class T>
struct Add {
  CLADE_HD T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct Sub {
  CLADE_HD T operator()(T a, T b) const { return a - b; }
};
template <class T>
struct Mul {
  CLADE_HD T operator()(T a, T b) const { return a * b; }
};
template <class T>
struct Div {
  CLADE_HD T operator()(T a, T b) const { return a / b; }
};
template <class T>
struct Maximum {
  CLADE_HD T operator()(T a, T b) const { return math::choose((a > b) | (a != a), a, b); }
};
template <class T>
struct Minimum {
  CLADE_HD T operator()(T a, T b) const { return math::choose((a < b) | (a != a), a, b); }
};

template <class T>
struct AtLeast {
  CLADE_HD T operator()(T a, T b) const { return math::choose((a >= b) | (a != a), T(1), T(0)); }
};
template <class T>
struct AtMost {
  CLADE_HD T operator()(T a, T b) const { return math::choose((a <= b) | (a != a), T(1), T(0)); }
};
template <class T>
struct Equal {
  CLADE_HD T operator()(T a, T b) const {
    return math::choose((a == b) | ((a != a) & (b != b)), T(1), T(0));
  }
};

template <class T, class Body>
void with_function(Binary op, Body&& body) {
  switch (op) {
    case Binary::add: return body(Add<T>{});
    case Binary::sub: return body(Sub<T>{});
    case Binary::mul: return body(Mul<T>{});
    case Binary::div: return body(Div<T>{});
    case Binary::maximum: return body(Maximum<T>{});
    case Binary::minimum: return body(Minimum<T>{});
    case Binary::at_least: return body(AtLeast<T>{});
    case Binary::at_most: return body(AtMost<T>{});
    case Binary::equal: return body(Equal<T>{});
  }
}

}  // namespace clade::kernels

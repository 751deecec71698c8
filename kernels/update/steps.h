// The formulas of the optimizer steps for one parameter, compiled for every device. Constants are
// worked out once a step, in f64, and rounded to the arena's type, as PyTorch does.
#pragma once

#include <cmath>

#include "kernels/update/update.h"
#include "tensor/host_device.h"

namespace clade::kernels {

inline AdamNumbers adam_numbers(const AdamStep& s) {
  return {{s.decoupled ? 1 - s.lr * s.weight_decay : 1, s.decoupled ? 0 : s.weight_decay,
           1 - s.beta1, s.beta2, 1 - s.beta2, s.eps, s.lr / (1 - std::pow(s.beta1, double(s.t))),
           std::sqrt(1 - std::pow(s.beta2, double(s.t)))}};
}

}  // namespace clade::kernels

namespace clade::kernels::update {

template <class T>
struct Sgd {
  T lr, momentum, undamped, decay;
  bool nesterov, first;

  explicit Sgd(const SgdStep& s)
      : lr(T(s.lr)),
        momentum(T(s.momentum)),
        undamped(T(s.first ? 1 : 1 - s.dampening)),
        decay(T(s.weight_decay)),
        nesterov(s.nesterov),
        first(s.first) {}

  CLADE_HD void plain(T& p, T g) const { p -= lr * (g + decay * p); }
  // The first step never reads b, which may hold anything then.
  CLADE_HD void operator()(T& p, T g, T& b) const {
    g += decay * p;
    b = (first ? T(0) : momentum * b) + undamped * g;
    p -= lr * (nesterov ? g + momentum * b : b);
  }
};

template <class T>
struct Adam {
  T keep, decay, one_minus_beta1, beta2, one_minus_beta2, eps, step_size, root_correction;

  explicit Adam(const AdamStep& s) : Adam(adam_numbers(s)) {}
  CLADE_HD explicit Adam(const AdamNumbers& n)
      : keep(T(n.value[0])),
        decay(T(n.value[1])),
        one_minus_beta1(T(n.value[2])),
        beta2(T(n.value[3])),
        one_minus_beta2(T(n.value[4])),
        eps(T(n.value[5])),
        step_size(T(n.value[6])),
        root_correction(T(n.value[7])) {}

  CLADE_HD void operator()(T& p, T g, T& m, T& v) const {
    p *= keep;
    g += decay * p;
    m += one_minus_beta1 * (g - m);
    v = beta2 * v + one_minus_beta2 * (g * g);
    p -= step_size * m / (std::sqrt(v) / root_correction + eps);
  }
};

template <class T>
struct Rmsprop {
  T lr, alpha, one_minus_alpha, eps, decay, momentum;

  explicit Rmsprop(const RmspropStep& s)
      : lr(T(s.lr)),
        alpha(T(s.alpha)),
        one_minus_alpha(T(1 - s.alpha)),
        eps(T(s.eps)),
        decay(T(s.weight_decay)),
        momentum(T(s.momentum)) {}

  CLADE_HD T direction(T p, T g, T& v) const {
    g += decay * p;
    v = alpha * v + one_minus_alpha * (g * g);
    return g / (std::sqrt(v) + eps);
  }
  CLADE_HD void plain(T& p, T g, T& v) const { p -= lr * direction(p, g, v); }
  CLADE_HD void operator()(T& p, T g, T& v, T& b) const {
    b = momentum * b + direction(p, g, v);
    p -= lr * b;
  }
};

// A step without momentum, and so without its buffer.
template <class Formula>
struct Plain {
  Formula formula;

  template <class... Own>
  CLADE_HD void operator()(Own&... own) const {
    formula.plain(own...);
  }
};
// Clang before 17 deduces no aggregate's arguments by itself.
template <class Formula>
Plain(Formula) -> Plain<Formula>;

template <class T>
struct Adadelta {
  T lr, rho, one_minus_rho, eps, decay;

  explicit Adadelta(const AdadeltaStep& s)
      : lr(T(s.lr)),
        rho(T(s.rho)),
        one_minus_rho(T(1 - s.rho)),
        eps(T(s.eps)),
        decay(T(s.weight_decay)) {}

  CLADE_HD void operator()(T& p, T g, T& v, T& u) const {
    g += decay * p;
    v = rho * v + one_minus_rho * (g * g);
    T d = std::sqrt(u + eps) / std::sqrt(v + eps) * g;
    u = rho * u + one_minus_rho * (d * d);
    p -= lr * d;
  }
};

}  // namespace clade::kernels::update

// update.h as written there, one parameter at a time, in f64; the state is rounded to its dtype.
#include "kernels/update/update.h"

#include <cmath>
#include <type_traits>

namespace clade::kernels::reference {
namespace {

// Calls body(i, read) with read(view) = element i of a view as a reference.
template <class Body>
void each(const View& p, Body body) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < p.numel(); i++) body([i](const View& v) -> T& { return v.as<T>()[i]; });
  });
}

}  // namespace

void sgd_step(const View& p, const View& g, const View& buffer, const SgdStep& s) {
  each(p, [&](auto at) {
    using T = std::remove_reference_t<decltype(at(p))>;
    double d = double(at(g)) + s.weight_decay * double(at(p));
    if (s.momentum != 0) {
      double b = s.first ? d : s.momentum * double(at(buffer)) + (1 - s.dampening) * d;
      at(buffer) = T(b);
      d = s.nesterov ? d + s.momentum * b : b;
    }
    at(p) = T(double(at(p)) - s.lr * d);
  });
}

void adam_step(const View& p, const View& g, const View& m, const View& v, const AdamStep& s) {
  const double m_correction = 1 - std::pow(s.beta1, double(s.t));
  const double v_correction = 1 - std::pow(s.beta2, double(s.t));
  each(p, [&](auto at) {
    using T = std::remove_reference_t<decltype(at(p))>;
    double q = double(at(p)), d = double(at(g));
    if (s.decoupled)
      q *= 1 - s.lr * s.weight_decay;
    else
      d += s.weight_decay * q;
    double first = s.beta1 * double(at(m)) + (1 - s.beta1) * d;
    double second = s.beta2 * double(at(v)) + (1 - s.beta2) * d * d;
    at(m) = T(first), at(v) = T(second);
    at(p) = T(q - s.lr / m_correction * first / (std::sqrt(second / v_correction) + s.eps));
  });
}

void rmsprop_step(const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s) {
  each(p, [&](auto at) {
    using T = std::remove_reference_t<decltype(at(p))>;
    double d = double(at(g)) + s.weight_decay * double(at(p));
    double second = s.alpha * double(at(v)) + (1 - s.alpha) * d * d;
    double b = d / (std::sqrt(second) + s.eps);
    if (s.momentum != 0) {
      b += s.momentum * double(at(buffer));
      at(buffer) = T(b);
    }
    at(v) = T(second);
    at(p) = T(double(at(p)) - s.lr * b);
  });
}

void adadelta_step(const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s) {
  each(p, [&](auto at) {
    using T = std::remove_reference_t<decltype(at(p))>;
    double d = double(at(g)) + s.weight_decay * double(at(p));
    double second = s.rho * double(at(v)) + (1 - s.rho) * d * d;
    double step = std::sqrt(double(at(u)) + s.eps) / std::sqrt(second + s.eps) * d;
    at(v) = T(second);
    at(u) = T(s.rho * double(at(u)) + (1 - s.rho) * step * step);
    at(p) = T(double(at(p)) - s.lr * step);
  });
}

}  // namespace clade::kernels::reference

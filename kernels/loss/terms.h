// The terms of the losses and their slopes, for one element, compiled for every device: loss.h has
// the formulas. A term is what is summed; a slope hands spread() what dout and the mask are to
// multiply.
#pragma once

#include "kernels/elementwise/math.h"
#include "tensor/host_device.h"

namespace clade::kernels::loss {

template <class T>
struct SquaredError {
  const T *xhat, *x;
  CLADE_HD T operator()(int64_t i) const {
    const T d = xhat[i] - x[i];
    return d * d;
  }
};

template <class T>
struct SquaredErrorSlope {
  const T *xhat, *x;
  T* dxhat;
  template <class Spread>
  CLADE_HD void operator()(int64_t i, Spread spread) const {
    dxhat[i] = spread(2 * (xhat[i] - x[i]));
  }
};

template <class T>
struct Bce {
  const T *logits, *x;
  CLADE_HD T operator()(int64_t i) const { return math::softplus(logits[i]) - logits[i] * x[i]; }
};

template <class T>
struct BceSlope {
  const T *logits, *x;
  T* dlogits;
  template <class Spread>
  CLADE_HD void operator()(int64_t i, Spread spread) const {
    dlogits[i] = spread(math::sigmoid(logits[i]) - x[i]);
  }
};

template <class T>
struct Gaussian {
  const T *x, *mean, *logvar;
  CLADE_HD T operator()(int64_t i) const {
    const T d = x[i] - mean[i], log_2_pi = T(1.8378770664093454836);
    return T(-0.5) * (log_2_pi + logvar[i] + d * d * math::exp(-logvar[i]));
  }
};

template <class T>
struct GaussianSlope {
  const T *x, *mean, *logvar;
  T *dx, *dmean, *dlogvar;  // dx may be null
  template <class Spread>
  CLADE_HD void operator()(int64_t i, Spread spread) const {
    const T d = x[i] - mean[i], pull = d * math::exp(-logvar[i]);
    if (dx) dx[i] = spread(-pull);
    dmean[i] = spread(pull);
    dlogvar[i] = spread(T(0.5) * (d * pull - 1));
  }
};

template <class T>
struct Kl {
  const T *mean, *logvar;
  CLADE_HD T operator()(int64_t i) const {
    return T(0.5) * (mean[i] * mean[i] + (math::exp(logvar[i]) - logvar[i] - 1));
  }
};

template <class T>
struct KlSlope {
  const T *mean, *logvar;
  T *dmean, *dlogvar;
  template <class Spread>
  CLADE_HD void operator()(int64_t i, Spread spread) const {
    dmean[i] = spread(mean[i]);
    dlogvar[i] = spread(T(0.5) * (math::exp(logvar[i]) - 1));
  }
};

}  // namespace clade::kernels::loss

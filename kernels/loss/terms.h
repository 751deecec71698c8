// The terms of the losses and their slopes, for one element, compiled for every device: loss.h has
// the formulas. A term is what is summed; a slope hands spread() what dout and the mask are to
// multiply.
#pragma once

#include "kernels/elementwise/math.h"
#include "kernels/elementwise/math_gamma.h"
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

// ln(1 + q), q >= 0: what 1 + q rounds away is put back, as many degrees of freedom multiply it.
template <class T>
CLADE_HD inline T log1p(T q) {
  const T u = 1 + q;
  return math::log(u) + (q - (u - 1)) / u;
}

template <class T>
struct StudentT {
  const T *x, *mean, *scale, *df;
  CLADE_HD T operator()(int64_t i) const {
    const T half_log_pi = T(0.57236494292470008707);
    const T f = df[i], r = (x[i] - mean[i]) / scale[i], q = r * r / f;
    return math::gamma_half_ratio(f / 2) - T(0.5) * math::log(f) - half_log_pi -
           math::log(scale[i]) - (f + 1) / 2 * log1p(q);
  }
};

template <class T>
struct StudentTSlope {
  const T *x, *mean, *scale, *df;
  T *dmean, *dscale, *ddf;
  template <class Spread>
  CLADE_HD void operator()(int64_t i, Spread spread) const {
    const T f = df[i], r = (x[i] - mean[i]) / scale[i], q = r * r / f;
    const T part = q / (1 + q);  // of the pull that a normal density would have
    dmean[i] = spread((f + 1) / f * r / (scale[i] * (1 + q)));
    dscale[i] = spread(((f + 1) * part - 1) / scale[i]);
    ddf[i] = spread(T(0.5) *
                    (math::gamma_half_ratio_slope(f / 2) - 1 / f - log1p(q) + (f + 1) / f * part));
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

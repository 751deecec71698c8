// update: optimizer steps, one fused pass over a flat arena of parameters.
//
// All views are contiguous, rank 1, equal length, one floating dtype; p and the state are updated
// in place. The formulas, their order of operations and their defaults are PyTorch's. Weight decay
// is the L2 kind (g += weight_decay p) unless said otherwise. Cost: memory; Adam moves 28 bytes a
// parameter (reads p g m v, writes p m v).
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

struct SgdStep {
  double lr, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  bool first = false;  // first step: the buffer becomes g, undamped
};
// b = momentum b + (1 - dampening) g;  p -= lr (nesterov ? g + momentum b : b).
// buffer.data may be null when momentum is 0.
void sgd_step(const Cpu&, const View& p, const View& g, const View& buffer, const SgdStep& s);

struct AdamStep {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false;  // AdamW: p *= 1 - lr weight_decay instead of the L2 term
  int64_t t = 1;           // number of this step, from 1: bias corrections 1 - beta^t
  // On a GPU, where not null: adam_numbers() of the step, in place of all above (tensor/capture.h).
  const struct AdamNumbers* numbers_on_device = nullptr;
};
// What an Adam step needs of its options, worked out: adam_numbers() in steps.h.
struct AdamNumbers {
  double value[8];
};
// p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)          (Kingma and Ba 2015)
void adam_step(const Cpu&, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s);

struct RmspropStep {
  double lr, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
};
// v = alpha v + (1 - alpha) g^2;  b = momentum b + g / (sqrt(v) + eps);  p -= lr b.
// buffer.data may be null when momentum is 0.
void rmsprop_step(const Cpu&, const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s);

struct AdadeltaStep {
  double lr = 1, rho = 0.9, eps = 1e-6, weight_decay = 0;
};
// v = rho v + (1 - rho) g^2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d^2;
// p -= lr d.                                                                  (Zeiler 2012)
void adadelta_step(const Cpu&, const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s);

// The same on a GPU.
void sgd_step(const Cuda&, const View& p, const View& g, const View& buffer, const SgdStep& s);
void adam_step(const Cuda&, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s);
void rmsprop_step(const Cuda&, const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s);
void adadelta_step(const Cuda&, const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s);

namespace reference {
void sgd_step(const View& p, const View& g, const View& buffer, const SgdStep& s);
void adam_step(const View& p, const View& g, const View& m, const View& v, const AdamStep& s);
void rmsprop_step(const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s);
void adadelta_step(const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s);
}  // namespace reference

}  // namespace clade::kernels

// update on the CPU: one pass over the arena, in the dtype, in PyTorch's order of operations.
//
// Scalars are worked out once in f64 and rounded to the dtype, as PyTorch does. The arrays of a
// step never overlap, which `ivdep` tells the compiler.
#include "kernels/update/update.h"

#include <cmath>

#include "kernels/elementwise/math.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // parameters a chunk

// Calls body(i) for every parameter, as one vector loop per chunk.
template <class Body>
void each(const View& p, Body body) {
  parallel_for(p.numel(), kGrain, [body](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; i++) body(i);
  });
}

double bytes(const View& p, int arrays) {
  return double(arrays) * double(p.numel()) * double(size_of(p.dtype));
}

}  // namespace

void sgd_step(const Cpu&, const View& p, const View& g, const View& buffer, const SgdStep& s) {
  profiler::Span span("sgd_step", 6 * double(p.numel()), bytes(p, s.momentum != 0 ? 5 : 3));
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *ps = p.as<T>(), *bs = buffer.as<T>();
    const T* gs = g.as<const T>();
    const T lr = T(s.lr), decay = T(s.weight_decay), momentum = T(s.momentum);
    if (s.momentum == 0) {
      each(p, [=](int64_t i) { ps[i] -= lr * (gs[i] + decay * ps[i]); });
      return;
    }
    const T take = T(1 - s.dampening);
    const T ahead = s.nesterov ? momentum : T(1), now = s.nesterov ? T(1) : T(0);
    const bool first = s.first;  // the buffer may hold anything then, NaN too
    each(p, [=](int64_t i) {
      const T d = gs[i] + decay * ps[i];
      const T b = math::choose(first, d, momentum * bs[i] + take * d);
      bs[i] = b;
      ps[i] -= lr * (now * d + ahead * b);
    });
  });
}

void adam_step(const Cpu&, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s) {
  profiler::Span span("adam_step", 15 * double(p.numel()), bytes(p, 7));
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *ps = p.as<T>(), *ms = m.as<T>(), *vs = v.as<T>();
    const T* gs = g.as<const T>();
    const T decay = s.decoupled ? T(0) : T(s.weight_decay);
    const T shrink = s.decoupled ? T(1 - s.lr * s.weight_decay) : T(1);
    const T take1 = T(1 - s.beta1), keep2 = T(s.beta2), take2 = T(1 - s.beta2), eps = T(s.eps);
    const T step = T(s.lr / (1 - std::pow(s.beta1, double(s.t))));
    const T v_scale = T(std::sqrt(1 - std::pow(s.beta2, double(s.t))));
    each(p, [=](int64_t i) {
      const T q = ps[i] * shrink, d = gs[i] + decay * q;
      ms[i] += take1 * (d - ms[i]);
      vs[i] = keep2 * vs[i] + take2 * d * d;
      ps[i] = q - step * ms[i] / (std::sqrt(vs[i]) / v_scale + eps);
    });
  });
}

void rmsprop_step(const Cpu&, const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s) {
  profiler::Span span("rmsprop_step", 10 * double(p.numel()), bytes(p, s.momentum != 0 ? 7 : 5));
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *ps = p.as<T>(), *vs = v.as<T>(), *bs = buffer.as<T>();
    const T* gs = g.as<const T>();
    const T lr = T(s.lr), decay = T(s.weight_decay), keep = T(s.alpha), take = T(1 - s.alpha);
    const T momentum = T(s.momentum), eps = T(s.eps);
    // Updates v and gives g / (sqrt(v) + eps).
    auto scaled = [=](int64_t i) {
      const T d = gs[i] + decay * ps[i];
      vs[i] = keep * vs[i] + take * d * d;
      return d / (std::sqrt(vs[i]) + eps);
    };
    if (s.momentum == 0) {
      each(p, [=](int64_t i) { ps[i] -= lr * scaled(i); });
      return;
    }
    each(p, [=](int64_t i) {
      bs[i] = momentum * bs[i] + scaled(i);
      ps[i] -= lr * bs[i];
    });
  });
}

void adadelta_step(const Cpu&, const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s) {
  profiler::Span span("adadelta_step", 15 * double(p.numel()), bytes(p, 7));
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *ps = p.as<T>(), *vs = v.as<T>(), *us = u.as<T>();
    const T* gs = g.as<const T>();
    const T lr = T(s.lr), decay = T(s.weight_decay), keep = T(s.rho), take = T(1 - s.rho);
    const T eps = T(s.eps);
    each(p, [=](int64_t i) {
      const T d = gs[i] + decay * ps[i];
      vs[i] = keep * vs[i] + take * d * d;
      const T step = std::sqrt(us[i] + eps) / std::sqrt(vs[i] + eps) * d;
      us[i] = keep * us[i] + take * step * step;
      ps[i] -= lr * step;
    });
  });
}

}  // namespace clade::kernels

// Optimizer steps on the CPU: one pass over the arena in chunks, each parameter on its own
// (steps.h).
#include "kernels/update/steps.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kChunk = 16384;  // parameters: 64 KB of f32 an array

// step(i) for every parameter. `arrays` are read or written per parameter, for the profiler. The
// arrays of a step never overlap, which `ivdep` tells the compiler.
template <class T, class Step>
void for_each(const char* name, int64_t n, int flops, int arrays, Step step) {
  profiler::Span span(name, double(flops) * double(n), double(arrays) * double(n) * sizeof(T));
  parallel_for(n, kChunk, [step](int64_t begin, int64_t end) {
    with_vectors([&] {
#pragma GCC ivdep
      for (int64_t i = begin; i < end; i++) step(i);
    });
  });
}

}  // namespace

void sgd_step(const Cpu&, const View& p, const View& g, const View& buffer, const SgdStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Sgd<T> f(s);
    T *w = p.as<T>(), *b = buffer.as<T>();
    const T* dw = g.as<T>();
    if (s.momentum == 0) {
      for_each<T>("sgd_step", p.numel(), 4, 3, [=](int64_t i) { f.plain(w[i], dw[i]); });
    } else {
      for_each<T>("sgd_step", p.numel(), 6, 5, [=](int64_t i) { f(w[i], dw[i], b[i]); });
    }
  });
}

void adam_step(const Cpu&, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Adam<T> f(s);
    T *w = p.as<T>(), *first = m.as<T>(), *second = v.as<T>();
    const T* dw = g.as<T>();
    for_each<T>("adam_step", p.numel(), 16, 7,
                [=](int64_t i) { f(w[i], dw[i], first[i], second[i]); });
  });
}

void rmsprop_step(const Cpu&, const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Rmsprop<T> f(s);
    T *w = p.as<T>(), *second = v.as<T>(), *b = buffer.as<T>();
    const T* dw = g.as<T>();
    if (s.momentum == 0) {
      for_each<T>("rmsprop_step", p.numel(), 10, 5,
                  [=](int64_t i) { f.plain(w[i], dw[i], second[i]); });
    } else {
      for_each<T>("rmsprop_step", p.numel(), 12, 7,
                  [=](int64_t i) { f(w[i], dw[i], second[i], b[i]); });
    }
  });
}

void adadelta_step(const Cpu&, const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Adadelta<T> f(s);
    T *w = p.as<T>(), *second = v.as<T>(), *steps = u.as<T>();
    const T* dw = g.as<T>();
    for_each<T>("adadelta_step", p.numel(), 16, 7,
                [=](int64_t i) { f(w[i], dw[i], second[i], steps[i]); });
  });
}

}  // namespace clade::kernels

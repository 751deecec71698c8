// Optimizer steps on the CPU: one pass over the arena in chunks, each element on its own.
#include "kernels/update/steps.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

constexpr int64_t kChunk = 16384;  // elements: 64 KB of f32 an array

// element(i) over the arena. `arrays` are read or written per element, for the profiler.
template <class T, class Element>
void for_each(const char* name, int64_t n, int flops, int arrays, Element element) {
  profiler::Span span(name, double(flops) * double(n), double(arrays) * double(n) * sizeof(T));
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) element(i);
  });
}

}  // namespace

void sgd_step(const Cpu&, const View& p, const View& g, const View& buffer, const SgdStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Sgd<T> f(s);
    T *w = p.as<T>(), *b = buffer.as<T>();
    const T* dw = g.as<T>();
    if (b)
      for_each<T>("sgd_step", p.numel(), 6, 5, [=](int64_t i) { f(w[i], dw[i], b[i]); });
    else
      for_each<T>("sgd_step", p.numel(), 4, 3, [=](int64_t i) { f.plain(w[i], dw[i]); });
  });
}

void adam_step(const Cpu&, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Adam<T> f(s);
    T* __restrict w = p.as<T>();
    T* __restrict first = m.as<T>();
    T* __restrict second = v.as<T>();
    const T* __restrict dw = g.as<T>();
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
    if (b)
      for_each<T>("rmsprop_step", p.numel(), 12, 7,
                  [=](int64_t i) { f(w[i], dw[i], second[i], b[i]); });
    else
      for_each<T>("rmsprop_step", p.numel(), 10, 5,
                  [=](int64_t i) { f.plain(w[i], dw[i], second[i]); });
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

// Optimizer steps on the CPU: one pass over the arena in chunks, each parameter on its own
// (steps.h).
#include <algorithm>

#include "kernels/update/steps.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kChunk = 16384;  // parameters: 64 KB of f32 an array
constexpr int64_t kBlock = 64;     // parameters between prefetches
// The processor's own prefetching stops at each page, and seven streams cross many.
constexpr int64_t kAhead = 2048;  // bytes

template <class... Array>
void prefetch(int64_t i, Array*... array) {
  (__builtin_prefetch((const char*)(array + i) + kAhead), ...);
}

// f(p, g, state...) of every parameter. What a parameter owns is read into registers and written
// back once: through references the compiler would write every intermediate value, as it cannot
// know that the arrays and the constants in f do not overlap. `arrays` are read or written per
// parameter, for the profiler.
template <class T, class Formula, class... State>
void for_each(const char* name, int64_t n, int flops, int arrays, Formula f, const T* g, T* p,
              State*... state) {
  profiler::Span span(name, double(flops) * double(n), double(arrays) * double(n) * sizeof(T));
  parallel_for(n, kChunk, [=](int64_t begin, int64_t end) {
    with_vectors([=] {
      const Formula formula = f;
      for (int64_t block = begin; block < end; block += kBlock) {
        for (int64_t i = 0; i < kBlock; i += 64 / int64_t(sizeof(T)))
          prefetch(block + i, g, p, state...);
        const int64_t stop = std::min(block + kBlock, end);
#pragma GCC ivdep
        for (int64_t i = block; i < stop; i++) {
          auto step = [&](T weight, State... own) {
            formula(weight, g[i], own...);
            p[i] = weight;
            ((state[i] = own), ...);
          };
          step(p[i], state[i]...);
        }
      }
    });
  });
}

}  // namespace

void sgd_step(const Cpu&, const View& p, const View& g, const View& buffer, const SgdStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Sgd<T> f(s);
    if (s.momentum == 0)
      for_each("sgd_step", p.numel(), 4, 3, update::Plain{f}, g.as<const T>(), p.as<T>());
    else
      for_each("sgd_step", p.numel(), 6, 5, f, g.as<const T>(), p.as<T>(), buffer.as<T>());
  });
}

void adam_step(const Cpu&, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each("adam_step", p.numel(), 16, 7, update::Adam<T>(s), g.as<const T>(), p.as<T>(),
             m.as<T>(), v.as<T>());
  });
}

void rmsprop_step(const Cpu&, const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Rmsprop<T> f(s);
    if (s.momentum == 0)
      for_each("rmsprop_step", p.numel(), 10, 5, update::Plain{f}, g.as<const T>(), p.as<T>(),
               v.as<T>());
    else
      for_each("rmsprop_step", p.numel(), 12, 7, f, g.as<const T>(), p.as<T>(), v.as<T>(),
               buffer.as<T>());
  });
}

void adadelta_step(const Cpu&, const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each("adadelta_step", p.numel(), 16, 7, update::Adadelta<T>(s), g.as<const T>(), p.as<T>(),
             v.as<T>(), u.as<T>());
  });
}

}  // namespace clade::kernels

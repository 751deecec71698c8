// Optimizer steps on the GPU: a thread a parameter, with the formulas of steps.h. The arrays of a
// step are flat and never overlap; neighbours in a warp read neighbours in memory.
#include "kernels/cuda/grid.cuh"
#include "kernels/update/steps.h"

namespace clade::kernels {
namespace {

using namespace cuda;

// step(i) for every parameter.
template <class Step>
__global__ void each_parameter(Step step, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) step(i);
}

template <class T>
struct SgdPlain {
  update::Sgd<T> f;
  T* p;
  const T* g;
  __device__ void operator()(int64_t i) const { f.plain(p[i], g[i]); }
};

template <class T>
struct RmspropPlain {
  update::Rmsprop<T> f;
  T* p;
  const T* g;
  T* v;
  __device__ void operator()(int64_t i) const { f.plain(p[i], g[i], v[i]); }
};

template <class F, class T>
struct WithOneState {
  F f;
  T* p;
  const T* g;
  T* a;
  __device__ void operator()(int64_t i) const { f(p[i], g[i], a[i]); }
};

template <class F, class T>
struct WithTwoStates {
  F f;
  T* p;
  const T* g;
  T *a, *b;
  __device__ void operator()(int64_t i) const { f(p[i], g[i], a[i], b[i]); }
};

template <class T>
struct AdamOfReplay {  // its numbers may differ in every replay
  const AdamNumbers* numbers;
  T* p;
  const T* g;
  T *m, *v;
  __device__ void operator()(int64_t i) const {
    const update::Adam<T> f(*numbers);
    f(p[i], g[i], m[i], v[i]);
  }
};

template <class Step>
void run(const Cuda& ctx, const View& p, Step step) {
  launch<each_parameter<Step>>(ctx.stream, grid_of(p.numel()), step, p.numel());
}

}  // namespace

void sgd_step(const Cuda& ctx, const View& p, const View& g, const View& buffer, const SgdStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Sgd<T> f(s);
    if (s.momentum == 0) {
      run(ctx, p, SgdPlain<T>{f, p.as<T>(), g.as<const T>()});
    } else {
      run(ctx, p, WithOneState<update::Sgd<T>, T>{f, p.as<T>(), g.as<const T>(), buffer.as<T>()});
    }
  });
}

void adam_step(const Cuda& ctx, const View& p, const View& g, const View& m, const View& v,
               const AdamStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (s.numbers_on_device)
      return run(
          ctx, p,
          AdamOfReplay<T>{s.numbers_on_device, p.as<T>(), g.as<const T>(), m.as<T>(), v.as<T>()});
    run(ctx, p,
        WithTwoStates<update::Adam<T>, T>{update::Adam<T>(s), p.as<T>(), g.as<const T>(), m.as<T>(),
                                          v.as<T>()});
  });
}

void rmsprop_step(const Cuda& ctx, const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Rmsprop<T> f(s);
    if (s.momentum == 0) {
      run(ctx, p, RmspropPlain<T>{f, p.as<T>(), g.as<const T>(), v.as<T>()});
    } else {
      run(ctx, p,
          WithTwoStates<update::Rmsprop<T>, T>{f, p.as<T>(), g.as<const T>(), v.as<T>(),
                                               buffer.as<T>()});
    }
  });
}

void adadelta_step(const Cuda& ctx, const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    run(ctx, p,
        WithTwoStates<update::Adadelta<T>, T>{update::Adadelta<T>(s), p.as<T>(), g.as<const T>(),
                                              v.as<T>(), u.as<T>()});
  });
}

}  // namespace clade::kernels

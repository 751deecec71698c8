// elementwise on the CPU: one loop for all, over rows as long as the layouts allow (walk.h).
//
// All four entries are out[i] = f(in[i]...): the loop takes a functor and any number of inputs.
// Rows whose steps are all 1 vectorise, also in place; others are gathered into blocks that do.
#include "kernels/elementwise/elementwise.h"

#include <algorithm>
#include <utility>

#include "kernels/elementwise/functions.h"
#include "kernels/elementwise/walk.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

// Elements a chunk: a few of them fit L2, and one costs far more than handing it out.
constexpr int64_t kGrain = 16384;

// `ivdep`: an output may be the very same view as an input, so iterations never touch each other's
// elements although the pointers may be equal.
template <class T, class F, class... In>
inline void dense_row(F f, int64_t n, T* out, const In*... in) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) out[i] = f(in[i]...);
}

// Elements of a row with steps that are gathered, computed and scattered at a time.
constexpr int64_t kBlock = 256;

// One row of map below; I counts the views from 0, of which the first is the output. The loop over
// f stands here once: it is long, and compiled for every instruction set.
template <class T, class F, int K, int... I>
void map_row(F f, const Walk<K>& walk, const View (&views)[K], const int64_t* at, int64_t n,
             std::integer_sequence<int, 0, I...>) {
  T gathered[K][kBlock];
  T* const base[] = {views[0].template as<T>() + at[0], views[I].template as<T>() + at[I]...};
  const int64_t block = walk.unit_steps() ? n : kBlock;
  for (int64_t i = 0; i < n; i += block) {
    const int64_t size = std::min(block, n - i);
    T* row[K];
    for (int k = 0; k < K; k++) {
      const int64_t step = walk.step(k);
      const T* from = base[k] + i * step;
      row[k] = step == 1 ? base[k] + i : gathered[k];
      if (step == 1 || k == 0) continue;
      for (int64_t j = 0; j < size; j++) gathered[k][j] = from[j * step];
    }
    dense_row(f, size, row[0], static_cast<const T*>(row[I])...);
    if (walk.step(0) == 1) continue;
    T* to = base[0] + i * walk.step(0);
    for (int64_t j = 0; j < size; j++) to[j * walk.step(0)] = gathered[0][j];
  }
}

// out[i] = f(in[i]...) over views of equal sizes.
template <class T, class F, class... In>
void map(F f, const View& out, const In&... in) {
  const View views[] = {out, in...};
  const Walk<1 + sizeof...(In)> walk(views);
  parallel_for(walk.numel(), kGrain, [&](int64_t begin, int64_t end) {
    with_vectors([&] {
      walk.rows(begin, end, [&](const int64_t* at, int64_t n) {
        map_row<T>(f, walk, views, at, n, std::make_integer_sequence<int, 1 + sizeof...(In)>{});
      });
    });
  });
}

// y[i] = f(a[i], b[i]). A broadcast operand that stands still along the row (a column added to a
// matrix, a scalar) is held in a register, so that these rows vectorise too.
template <class T, class F>
void map_pair(F f, const View& y, const View& a, const View& b) {
  const Walk<3> walk({y, a, b});
  const bool a_stands = walk.step(0) == 1 && walk.step(1) == 0 && walk.step(2) == 1;
  const bool b_stands = walk.step(0) == 1 && walk.step(1) == 1 && walk.step(2) == 0;
  if (!a_stands && !b_stands) return map<T>(f, y, a, b);
  parallel_for(walk.numel(), kGrain, [&](int64_t begin, int64_t end) {
    with_vectors([&] {
      walk.rows(begin, end, [&](const int64_t* at, int64_t n) {
        T* to = y.as<T>() + at[0];
        const T *left = a.as<T>() + at[1], *right = b.as<T>() + at[2];
        const T standing = a_stands ? *left : *right;
        if (a_stands) {
          dense_row([=](T moving) { return f(standing, moving); }, n, to, right);
        } else {
          dense_row([=](T moving) { return f(moving, standing); }, n, to, left);
        }
      });
    });
  });
}

// The names under which the profiler shows them, in the order of the enums.
constexpr const char* kUnaryNames[][2] = {
    {"affine", "affine_backward"},
    {"exp", "exp_backward"},
    {"log", "log_backward"},
    {"sqrt", "sqrt_backward"},
    {"square", "square_backward"},
    {"abs", "abs_backward"},
    {"reciprocal", "reciprocal_backward"},
    {"power", "power_backward"},
    {"clamp", "clamp_backward"},
    {"relu", "relu_backward"},
    {"leaky_relu", "leaky_relu_backward"},
    {"elu", "elu_backward"},
    {"sigmoid", "sigmoid_backward"},
    {"tanh", "tanh_backward"},
    {"softplus", "softplus_backward"},
    {"gelu", "gelu_backward"},
    {"silu", "silu_backward"},
};
constexpr const char* kBinaryNames[] = {"add",     "sub",      "mul",     "div",  "maximum",
                                        "minimum", "at_least", "at_most", "equal"};

double moved(const View& v, int arrays) {
  return double(v.numel()) * double(size_of(v.dtype)) * arrays;
}

}  // namespace

void unary(const Cpu&, Unary op, const View& x, const View& y, double a, double b) {
  profiler::Span span(kUnaryNames[int(op)][0], double(y.numel()), moved(y, 2));
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_function(op, T(a), T(b), [&](auto g) { map<T>([g](T xi) { return g.f(xi); }, y, x); });
  });
}

void unary_backward(const Cpu&, Unary op, const View& x, const View& y, const View& dy,
                    const View& dx, double a, double b) {
  profiler::Span span(kUnaryNames[int(op)][1], 2 * double(dx.numel()), moved(dx, 3));
  dispatch_floating(dx.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_function(op, T(a), T(b), [&](auto g) {
      map<T>([g](T xi, T yi, T dyi) { return dyi * g.df(xi, yi); }, dx, x, y, dy);
    });
  });
}

void binary(const Cpu&, Binary op, const View& a, const View& b, const View& y) {
  profiler::Span span(kBinaryNames[int(op)], double(y.numel()), moved(y, 3));
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_function<T>(op, [&](auto f) { map_pair<T>(f, y, a, b); });
  });
}

void accumulate(const Cpu&, const View& x, const View& y, double alpha) {
  profiler::Span span("accumulate", 2 * double(y.numel()), moved(y, 3));
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    map_pair<T>([scale = T(alpha)](T yi, T xi) { return yi + scale * xi; }, y, y, x);
  });
}

}  // namespace clade::kernels

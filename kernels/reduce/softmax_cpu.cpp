// softmax, log_softmax and logsumexp on the CPU: a line at a time.
//
// A line along the axis is read once for its largest element m and once for the sum of e^(x - m),
// which the cache makes cheap. Exponentials are math::exp, sums f64. Lines whose elements lie apart
// (axis 0 of a matrix) take the same loops with a step: neighbouring lines share their cache lines.
// Where m is -inf or +inf, 0 is subtracted in its place, as -inf - -inf is not a number: a line of
// -inf alone then has the sum 0 and the logsumexp -inf.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/elementwise/math.h"
#include "kernels/elementwise/walk.h"
#include "kernels/reduce/lanes.h"
#include "kernels/reduce/reduce.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk, about
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What stands along the axis at one place of the others.
template <class T>
struct Line {
  T* data;
  int64_t n, step;
  T& operator[](int64_t i) const { return data[i * step]; }
};

template <class T, int K, class Body, int... I>
void each_line(const View (&views)[K], int axis, Body body, std::integer_sequence<int, I...>) {
  const View beside[K] = {without_axis(views[I], axis)...};
  const Walk<K> walk(beside);
  const int64_t n = views[0].shape[axis];
  parallel_for(walk.numel(), kGrain / std::max<int64_t>(n, 1) + 1, [&](int64_t begin, int64_t end) {
    with_vectors([&] {
      walk.rows(begin, end, [&](const int64_t* at, int64_t count) {
        for (int64_t l = 0; l < count; l++)
          body(Line<T>{views[I].template as<T>() + at[I] + l * walk.step(I), views[I].shape[axis],
                       views[I].stride[axis]}...);
      });
    });
  });
}

// Calls body(line...), a line of each view, for every place beside `axis`.
template <class Body, class... V>
void for_each_line(int axis, Body body, const V&... v) {
  const View views[] = {v...};
  dispatch_floating(views[0].dtype, [&](auto zero) {
    each_line<decltype(zero)>(views, axis, body, std::make_integer_sequence<int, sizeof...(V)>{});
  });
}

// What is subtracted from each element of the line before exponentials are taken.
template <class T>
T shift_of(const Line<T>& x) {
  const double m = fold<Largest>(x.data, x.n, x.step);
  return std::isinf(m) ? T(0) : T(m);
}

template <class T>
double logsumexp_of(const Line<T>& x) {
  constexpr int64_t kBlock = 256;
  const T shift = shift_of(x);
  double sum = 0;
  for (int64_t i = 0; i < x.n; i += kBlock) {
    T e[kBlock];
    const int64_t n = std::min(kBlock, x.n - i);
    for (int64_t j = 0; j < n; j++) e[j] = math::exp(x[i + j] - shift);
    sum += fold<Sum>(e, n);
  }
  return double(shift) + math::log(sum);
}

double bytes(const View& v, double arrays) {
  return arrays * double(v.numel()) * double(size_of(v.dtype));
}

}  // namespace

void softmax(const Cpu&, const View& x, const View& y, int axis) {
  profiler::Span span("softmax", 5 * double(x.numel()), bytes(x, 2));
  auto line = []<class T>(const Line<T>& xs, const Line<T>& ys) {
    const T shift = shift_of(xs);
    for (int64_t i = 0; i < xs.n; i++) ys[i] = math::exp(xs[i] - shift);
    const double sum = fold<Sum>(ys.data, ys.n, ys.step);
    const T scale = sum == 0 ? T(0) : T(1 / sum);
    for (int64_t i = 0; i < ys.n; i++) ys[i] *= scale;
  };
  for_each_line(axis, line, x, y);
}

void softmax_backward(const Cpu&, const View& y, const View& dy, const View& dx, int axis) {
  profiler::Span span("softmax_backward", 4 * double(y.numel()), bytes(y, 3));
  auto line = []<class T>(const Line<T>& ys, const Line<T>& dys, const Line<T>& dxs) {
    for (int64_t i = 0; i < ys.n; i++) dxs[i] = ys[i] * dys[i];
    const T dot = T(fold<Sum>(dxs.data, dxs.n, dxs.step));
    for (int64_t i = 0; i < ys.n; i++) dxs[i] -= ys[i] * dot;
  };
  for_each_line(axis, line, y, dy, dx);
}

void log_softmax(const Cpu&, const View& x, const View& y, int axis) {
  profiler::Span span("log_softmax", 4 * double(x.numel()), bytes(x, 2));
  auto line = []<class T>(const Line<T>& xs, const Line<T>& ys) {
    const double total = logsumexp_of(xs);
    const double shift = total == -kInfinity ? 0 : total;  // -inf stays -inf
    for (int64_t i = 0; i < xs.n; i++) ys[i] = T(double(xs[i]) - shift);
  };
  for_each_line(axis, line, x, y);
}

void log_softmax_backward(const Cpu&, const View& y, const View& dy, const View& dx, int axis) {
  profiler::Span span("log_softmax_backward", 4 * double(y.numel()), bytes(y, 3));
  auto line = []<class T>(const Line<T>& ys, const Line<T>& dys, const Line<T>& dxs) {
    const T sum = T(fold<Sum>(dys.data, dys.n, dys.step));
    for (int64_t i = 0; i < ys.n; i++) dxs[i] = dys[i] - math::exp(ys[i]) * sum;
  };
  for_each_line(axis, line, y, dy, dx);
}

void logsumexp(const Cpu&, const View& x, const View& y, int axis) {
  profiler::Span span("logsumexp", 4 * double(x.numel()), bytes(x, 1) + bytes(y, 1));
  auto line = []<class T>(const Line<T>& xs, const Line<T>& ys) { ys[0] = T(logsumexp_of(xs)); };
  for_each_line(axis, line, x, y);
}

void logsumexp_backward(const Cpu&, const View& x, const View& y, const View& dy, const View& dx,
                        int axis) {
  profiler::Span span("logsumexp_backward", 3 * double(x.numel()), bytes(x, 2));
  auto line = []<class T>(const Line<T>& xs, const Line<T>& ys, const Line<T>& dys,
                          const Line<T>& dxs) {
    const T d = dys[0], total = ys[0] == -kInfinity ? T(0) : ys[0];  // then every e^x is 0
    for (int64_t i = 0; i < xs.n; i++) dxs[i] = d * math::exp(xs[i] - total);
  };
  for_each_line(axis, line, x, y, dy, dx);
}

}  // namespace clade::kernels

// softmax, log_softmax and logsumexp on the GPU: a team a line (cuda/team.cuh).
//
// A line is read once for its largest element m and once for the sum of e^(x - m); the second time
// it comes from a cache. Where m is infinite 0 is subtracted in its place, as on the CPU.
#include "kernels/cuda/team.cuh"
#include "kernels/elementwise/math.h"
#include "kernels/elementwise/walk.h"
#include "kernels/reduce/reduce.h"

namespace clade::kernels {
namespace {

using namespace cuda;

// One line as a team sees it: body(i) for the elements that are this lane's.
template <int Lanes>
struct Share {
  int64_t n;
  int lane;

  template <class Body>
  __device__ void each(Body body) const {
    for (int64_t i = lane; i < n; i += Lanes) body(i);
  }
  // term(i) of all elements, joined.
  template <class Op, class Term>
  __device__ double fold(Term term) const {
    double value = Op::kStart;
    each([&](int64_t i) { value = Op::join(value, double(term(i))); });
    return join_team<Op, Lanes>(value);
  }
};

template <class T>
struct Line {
  T* data;
  int64_t step;
  __device__ T& operator[](int64_t i) const { return data[i * step]; }
};

template <class T, int Lanes>
__device__ T shift_of(Share<Lanes> share, Line<T> x) {
  const double m = share.template fold<Largest>([&](int64_t i) { return x[i]; });
  return std::isinf(m) ? T(0) : T(m);
}

template <class T, int Lanes>
__device__ double logsumexp_of(Share<Lanes> share, Line<T> x) {
  const T shift = shift_of(share, x);
  const double sum = share.template fold<Sum>([&](int64_t i) { return math::exp(x[i] - shift); });
  return double(shift) + std::log(sum);
}

struct Softmax {
  template <class T, int Lanes>
  __device__ void operator()(Share<Lanes> share, Line<T> x, Line<T> y) const {
    const T shift = shift_of(share, x);
    const double sum = share.template fold<Sum>([&](int64_t i) {
      return y[i] = math::exp(x[i] - shift);  // read again below by the same lane
    });
    const T scale = sum == 0 ? T(0) : T(1 / sum);
    share.each([&](int64_t i) { y[i] *= scale; });
  }
};

struct SoftmaxBackward {
  template <class T, int Lanes>
  __device__ void operator()(Share<Lanes> share, Line<T> y, Line<T> dy, Line<T> dx) const {
    const T dot = T(share.template fold<Sum>([&](int64_t i) { return y[i] * dy[i]; }));
    share.each([&](int64_t i) { dx[i] = y[i] * dy[i] - y[i] * dot; });
  }
};

struct LogSoftmax {
  template <class T, int Lanes>
  __device__ void operator()(Share<Lanes> share, Line<T> x, Line<T> y) const {
    const double total = logsumexp_of(share, x);
    const double shift = std::isinf(total) && total < 0 ? 0 : total;  // -inf stays -inf
    share.each([&](int64_t i) { y[i] = T(double(x[i]) - shift); });
  }
};

struct LogSoftmaxBackward {
  template <class T, int Lanes>
  __device__ void operator()(Share<Lanes> share, Line<T> y, Line<T> dy, Line<T> dx) const {
    const T sum = T(share.template fold<Sum>([&](int64_t i) { return dy[i]; }));
    share.each([&](int64_t i) { dx[i] = dy[i] - math::exp(y[i]) * sum; });
  }
};

struct Logsumexp {
  template <class T, int Lanes>
  __device__ void operator()(Share<Lanes> share, Line<T> x, Line<T> y) const {
    const double total = logsumexp_of(share, x);
    if (share.lane == 0) y[0] = T(total);
  }
};

struct LogsumexpBackward {
  template <class T, int Lanes>
  __device__ void operator()(Share<Lanes> share, Line<T> x, Line<T> y, Line<T> dy,
                             Line<T> dx) const {
    const T total = std::isinf(y[0]) && y[0] < 0 ? T(0) : y[0];  // then every e^x is 0
    share.each([&](int64_t i) { dx[i] = dy[0] * math::exp(x[i] - total); });
  }
};

// The K views of a call; the first has the full line.
template <class T, int K>
struct Lines {
  Walk<K> walk;
  T* data[K];
  int64_t step[K];
  int64_t n;
};

template <class T, int K, int Lanes, class Body>
__global__ void each_line(Body body, Lines<T, K> lines) {
  const Team<Lanes> team;
  if (team.line >= lines.walk.numel()) return;
  int64_t at[K];
  lines.walk.locate(team.line, at);
  const Share<Lanes> share{lines.n, team.lane};
  auto line = [&](int k) { return Line<T>{lines.data[k] + at[k], lines.step[k]}; };
  if constexpr (K == 2) {
    body(share, line(0), line(1));
  } else if constexpr (K == 3) {
    body(share, line(0), line(1), line(2));
  } else {
    body(share, line(0), line(1), line(2), line(3));
  }
}

template <class Body, class... V>
void for_each_line(const Cuda& ctx, int axis, Body body, const V&... v) {
  constexpr int K = sizeof...(V);
  const View views[] = {v...}, beside[] = {without_axis(v, axis)...};
  dispatch_floating(views[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const Lines<T, K> lines{
        Walk<K>(beside), {v.template as<T>()...}, {v.stride[axis]...}, views[0].shape[axis]};
    with_team(views[0].stride[axis] == 1, lines.walk.numel(), [&](auto constant) {
      constexpr int kLanes = decltype(constant)::value;
      launch<each_line<T, K, kLanes, Body>>(ctx.stream, grid_of_teams<kLanes>(lines.walk.numel()),
                                            body, lines);
    });
  });
}

}  // namespace

void softmax(const Cuda& ctx, const View& x, const View& y, int axis) {
  for_each_line(ctx, axis, Softmax{}, x, y);
}

void softmax_backward(const Cuda& ctx, const View& y, const View& dy, const View& dx, int axis) {
  for_each_line(ctx, axis, SoftmaxBackward{}, y, dy, dx);
}

void log_softmax(const Cuda& ctx, const View& x, const View& y, int axis) {
  for_each_line(ctx, axis, LogSoftmax{}, x, y);
}

void log_softmax_backward(const Cuda& ctx, const View& y, const View& dy, const View& dx,
                          int axis) {
  for_each_line(ctx, axis, LogSoftmaxBackward{}, y, dy, dx);
}

void logsumexp(const Cuda& ctx, const View& x, const View& y, int axis) {
  for_each_line(ctx, axis, Logsumexp{}, x, y);
}

void logsumexp_backward(const Cuda& ctx, const View& x, const View& y, const View& dy,
                        const View& dx, int axis) {
  for_each_line(ctx, axis, LogsumexpBackward{}, x, y, dy, dx);
}

}  // namespace clade::kernels

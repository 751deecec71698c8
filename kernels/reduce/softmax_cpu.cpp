// softmax, log_softmax and logsumexp on the CPU: a line, or some side by side (lines.h), at a time.
//
// A line along the axis is read once for its largest element m and once for the sum of e^(x - m),
// which the cache makes cheap. Exponentials are math::exp, sums f64.
// Where m is -inf or +inf, 0 is subtracted in its place, as -inf - -inf is not a number: a line of
// -inf alone then has the sum 0 and the logsumexp -inf.
#include <limits>

#include "kernels/elementwise/math.h"
#include "kernels/reduce/lines.h"
#include "kernels/reduce/reduce.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What is subtracted from the elements of each line before exponentials are taken.
template <class T, bool kRow>
auto shifts(const LineLoop<kRow>& loop, const Lines<T, kRow>& x) {
  auto shift = loop.largest(x);
  loop.each_line([&](int64_t l) {
    T& m = shift[size_t(l)];
    m = math::choose(std::fabs(m) == T(kInfinity), T(0), m);
  });
  return shift;
}

template <class T, bool kRow>
auto logsumexps(const LineLoop<kRow>& loop, const Lines<T, kRow>& x) {
  const auto shift = shifts(loop, x);
  auto total = loop.template sum<T>(
      x.n, [&](int64_t i, int64_t l) { return math::exp(x(i, l) - shift[size_t(l)]); });
  loop.each_line([&](int64_t l) {
    total[size_t(l)] = double(shift[size_t(l)]) + math::log(total[size_t(l)]);
  });
  return total;
}

double bytes(const View& v, double arrays) {
  return arrays * double(v.numel()) * double(size_of(v.dtype));
}

}  // namespace

void softmax(const Cpu&, const View& x, const View& y, int axis) {
  profiler::Span span("softmax", 5 * double(x.numel()), bytes(x, 2));
  auto body = []<class T, bool kRow>(LineLoop<kRow> loop, Lines<T, kRow> xs, Lines<T, kRow> ys) {
    const auto shift = shifts(loop, xs);
    loop.each(xs.n,
              [&](int64_t i, int64_t l) { ys(i, l) = math::exp(xs(i, l) - shift[size_t(l)]); });
    const auto sum = loop.template sum<T>(xs.n, [&](int64_t i, int64_t l) { return ys(i, l); });
    auto scale = shift;
    loop.each_line([&](int64_t l) {
      const double s = sum[size_t(l)];
      scale[size_t(l)] = T(math::choose(s == 0, 0.0, 1 / s));
    });
    loop.each(xs.n, [&](int64_t i, int64_t l) { ys(i, l) *= scale[size_t(l)]; });
  };
  for_each_line(axis, body, x, y);
}

void softmax_backward(const Cpu&, const View& y, const View& dy, const View& dx, int axis) {
  profiler::Span span("softmax_backward", 4 * double(y.numel()), bytes(y, 3));
  auto body = []<class T, bool kRow>(LineLoop<kRow> loop, Lines<T, kRow> ys, Lines<T, kRow> dys,
                                     Lines<T, kRow> dxs) {
    const auto dot =
        loop.template sum<T>(ys.n, [&](int64_t i, int64_t l) { return ys(i, l) * dys(i, l); });
    loop.each(ys.n, [&](int64_t i, int64_t l) {
      dxs(i, l) = ys(i, l) * dys(i, l) - ys(i, l) * T(dot[size_t(l)]);
    });
  };
  for_each_line(axis, body, y, dy, dx);
}

void log_softmax(const Cpu&, const View& x, const View& y, int axis) {
  profiler::Span span("log_softmax", 4 * double(x.numel()), bytes(x, 2));
  auto body = []<class T, bool kRow>(LineLoop<kRow> loop, Lines<T, kRow> xs, Lines<T, kRow> ys) {
    auto shift = logsumexps(loop, xs);
    loop.each_line([&](int64_t l) {  // -inf stays -inf
      double& s = shift[size_t(l)];
      s = math::choose(s == -kInfinity, 0.0, s);
    });
    loop.each(xs.n,
              [&](int64_t i, int64_t l) { ys(i, l) = T(double(xs(i, l)) - shift[size_t(l)]); });
  };
  for_each_line(axis, body, x, y);
}

void log_softmax_backward(const Cpu&, const View& y, const View& dy, const View& dx, int axis) {
  profiler::Span span("log_softmax_backward", 4 * double(y.numel()), bytes(y, 3));
  auto body = []<class T, bool kRow>(LineLoop<kRow> loop, Lines<T, kRow> ys, Lines<T, kRow> dys,
                                     Lines<T, kRow> dxs) {
    const auto sum = loop.template sum<T>(ys.n, [&](int64_t i, int64_t l) { return dys(i, l); });
    loop.each(ys.n, [&](int64_t i, int64_t l) {
      dxs(i, l) = dys(i, l) - math::exp(ys(i, l)) * T(sum[size_t(l)]);
    });
  };
  for_each_line(axis, body, y, dy, dx);
}

void logsumexp(const Cpu&, const View& x, const View& y, int axis) {
  profiler::Span span("logsumexp", 4 * double(x.numel()), bytes(x, 1) + bytes(y, 1));
  auto body = []<class T, bool kRow>(LineLoop<kRow> loop, Lines<T, kRow> xs, Lines<T, kRow> ys) {
    const auto total = logsumexps(loop, xs);
    loop.each_line([&](int64_t l) { ys(0, l) = T(total[size_t(l)]); });
  };
  for_each_line(axis, body, x, y);
}

void logsumexp_backward(const Cpu&, const View& x, const View& y, const View& dy, const View& dx,
                        int axis) {
  profiler::Span span("logsumexp_backward", 3 * double(x.numel()), bytes(x, 2));
  auto body = []<class T, bool kRow>(LineLoop<kRow> loop, Lines<T, kRow> xs, Lines<T, kRow> ys,
                                     Lines<T, kRow> dys, Lines<T, kRow> dxs) {
    loop.each(xs.n, [&](int64_t i, int64_t l) {
      // A line of -inf alone: every e^x is 0.
      const T total = math::choose(ys(0, l) == -T(kInfinity), T(0), ys(0, l));
      dxs(i, l) = dys(0, l) * math::exp(xs(i, l) - total);
    });
  };
  for_each_line(axis, body, x, y, dy, dx);
}

}  // namespace clade::kernels

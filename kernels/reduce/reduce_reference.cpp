// reduce.h as written there, one element at a time, sums in f64.
#include "kernels/reduce/reduce.h"

#include <cmath>
#include <limits>

#include "kernels/elementwise/index.h"
#include "kernels/elementwise/walk.h"

namespace clade::kernels::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }

// A line of a view along one axis; `index` counts the other axes.
template <class T>
struct Line {
  Line(const View& v, int axis, const int64_t* index)
      : data(&element<T>(without_axis(v, axis), index)), n(v.shape[axis]), step(v.stride[axis]) {}
  T& operator[](int64_t i) const { return data[i * step]; }

  double max() const {
    double m = -kInfinity;
    for (int64_t i = 0; i < n; i++) m = larger(m, double((*this)[i]));
    return m;
  }
  double logsumexp() const {
    double m = max(), sum = 0;
    if (std::isinf(m)) return m;
    for (int64_t i = 0; i < n; i++) sum += std::exp(double((*this)[i]) - m);
    return m + std::log(sum);
  }

  T* data;
  int64_t n, step;
};

// Calls body(line of each view...) for every place beside `axis`.
template <class Body, class... V>
void for_each_line(int axis, Body body, const View& first, const V&... rest) {
  dispatch_floating(first.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(without_axis(first, axis), [&](const int64_t* i) {
      body(Line<T>(first, axis, i), Line<T>(rest, axis, i)...);
    });
  });
}

}  // namespace

void reduce(Reduce op, const View& x, const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(y, [&](const int64_t* at) {
      View part = x;  // what falls together at this place of y
      part.data = &element<T>(x, at);
      for (int d = 0; d < x.rank; d++)
        if (x.shape[d] == y.shape[d]) part.shape[d] = 1;
      double sum = 0, max = -kInfinity, min = kInfinity;
      for_each_index(part, [&](const int64_t* i) {
        double v = double(element<T>(part, i));
        sum += v, max = larger(max, v), min = smaller(min, v);
      });
      double mean = sum / double(part.numel());
      element<T>(y, at) = T(op == Reduce::sum    ? sum
                            : op == Reduce::mean ? mean
                            : op == Reduce::max  ? max
                                                 : min);
    });
  });
}

void argmax(const View& x, const View& index, int axis) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(without_axis(x, axis), [&](const int64_t* at) {
      Line<T> line(x, axis, at);
      int64_t best = 0;
      for (int64_t i = 1; i < line.n; i++)
        if (line[i] > line[best] || (std::isnan(line[i]) && !std::isnan(line[best]))) best = i;
      Line<int64_t>(index, axis, at)[0] = best;
    });
  });
}

void softmax(const View& x, const View& y, int axis) {
  for_each_line(
      axis,
      [](auto xs, auto ys) {
        double total = xs.logsumexp();
        for (int64_t i = 0; i < xs.n; i++)
          ys[i] = total == -kInfinity ? 0 : std::exp(double(xs[i]) - total);
      },
      x, y);
}

void softmax_backward(const View& y, const View& dy, const View& dx, int axis) {
  for_each_line(
      axis,
      [](auto ys, auto dys, auto dxs) {
        double dot = 0;
        for (int64_t i = 0; i < ys.n; i++) dot += double(ys[i]) * double(dys[i]);
        for (int64_t i = 0; i < ys.n; i++) dxs[i] = double(ys[i]) * (double(dys[i]) - dot);
      },
      y, dy, dx);
}

void log_softmax(const View& x, const View& y, int axis) {
  for_each_line(
      axis,
      [](auto xs, auto ys) {
        double total = xs.logsumexp();
        for (int64_t i = 0; i < xs.n; i++)
          ys[i] = total == -kInfinity ? -kInfinity : double(xs[i]) - total;
      },
      x, y);
}

void log_softmax_backward(const View& y, const View& dy, const View& dx, int axis) {
  for_each_line(
      axis,
      [](auto ys, auto dys, auto dxs) {
        double sum = 0;
        for (int64_t i = 0; i < ys.n; i++) sum += double(dys[i]);
        for (int64_t i = 0; i < ys.n; i++) dxs[i] = double(dys[i]) - std::exp(double(ys[i])) * sum;
      },
      y, dy, dx);
}

void logsumexp(const View& x, const View& y, int axis) {
  for_each_line(
      axis, [](auto xs, auto ys) { ys[0] = xs.logsumexp(); }, x, y);
}

void logsumexp_backward(const View& x, const View& y, const View& dy, const View& dx, int axis) {
  for_each_line(
      axis,
      [](auto xs, auto ys, auto dys, auto dxs) {
        for (int64_t i = 0; i < xs.n; i++)
          dxs[i] =
              ys[0] == -kInfinity ? 0 : double(dys[0]) * std::exp(double(xs[i]) - double(ys[0]));
      },
      x, y, dy, dx);
}

}  // namespace clade::kernels::reference

// lines: loops over what stands along one axis, vectorised whichever way memory lies.
//
// A line holds the n elements along the axis at one place of the other axes. Long lines whose
// elements are neighbours are taken alone, and the vectors run along them (kRow). Lines that are
// neighbours themselves (axis 0 of a matrix) are taken 32 at a time, and the vectors run across
// them. So are short lines, in which vectors would stay half empty, through a transposed copy;
// other long lines are copied, too. Which it is depends on the layout and sizes alone, so bits do
// not depend on threads.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/elementwise/walk.h"
#include "kernels/reduce/lanes.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::kernels {

constexpr int64_t kLines = 32;        // lines side by side
constexpr int64_t kFewElements = 32;  // lines of no more are not taken alone

// Lines of one view: (i, l) is element i of line l.
template <class T, bool kRow>
struct Lines {
  T* data;
  int64_t n, step;
  T& operator()(int64_t i, int64_t l) const { return kRow ? data[i] : data[i * step + l]; }
};

// What is done with `count` lines; 1 where kRow.
template <bool kRow>
struct LineLoop {
  int64_t count;

  template <class V>
  using PerLine = std::array<V, kRow ? 1 : kLines>;

  template <class F>
  void each_line(F f) const {
    if constexpr (kRow) {
      f(0);
    } else {
      for (int64_t l = 0; l < count; l++) f(l);
    }
  }

  // f(i, l) for i < n and every line l.
  template <class F>
  void each(int64_t n, F f) const {
    if constexpr (kRow) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; i++) f(i, 0);
    } else {
      for (int64_t i = 0; i < n; i++) {
#pragma GCC ivdep
        for (int64_t l = 0; l < count; l++) f(i, l);
      }
    }
  }

  // The sum of term(i, l) for each line, in f64.
  template <class T, class F>
  PerLine<double> sum(int64_t n, F term) const {
    PerLine<double> total{};
    if constexpr (kRow) {
      constexpr int64_t kBlock = 256;
      for (int64_t b = 0; b < n; b += kBlock) {
        T terms[kBlock];
        const int64_t size = std::min(kBlock, n - b);
        for (int64_t j = 0; j < size; j++) terms[j] = term(b + j, 0);
        total[0] += fold<Sum>(terms, size);
      }
    } else {
      for (int64_t i = 0; i < n; i++)
        for (int64_t l = 0; l < count; l++) total[size_t(l)] += double(term(i, l));
    }
    return total;
  }

  template <class T>
  PerLine<T> largest(const Lines<T, kRow>& x) const {
    PerLine<T> most;
    if constexpr (kRow) {
      most[0] = T(fold<Largest>(x.data, x.n));
    } else {
      most.fill(T(Largest::kStart));
      each(x.n, [&](int64_t i, int64_t l) {
        most[size_t(l)] = Largest::join(most[size_t(l)], x(i, l));
      });
    }
    return most;
  }
};

namespace detail {

template <class T, int K, class Body, int... I>
void for_each_line(const View (&views)[K], int axis, Body body, std::integer_sequence<int, I...>) {
  const View beside[K] = {without_axis(views[I], axis)...};
  const Walk<K> walk(beside);
  const int64_t sizes[K] = {views[I].shape[axis]...}, steps[K] = {views[I].stride[axis]...};
  const int64_t n = std::max({sizes[I]...});
  bool along = true, across = true;
  for (int k = 0; k < K; k++) {
    along = along && (steps[k] == 1 || sizes[k] == 1);
    across = across && walk.step(k) == 1;
  }
  const bool few = n <= kFewElements;
  const bool side_by_side = few || (!along && across && walk.numel() >= kLines / 4);
  const bool copied = side_by_side ? !across : !along;

  // The lines of view k from `from` on, copied to or from where element i of line l is
  // copy[i * kLines + l], or copy[i] where lines are taken alone.
  const int64_t apart = side_by_side ? kLines : 1, room = copied ? n * apart : 0;
  auto each_element = [&](int k, T* from, T* copy, int64_t count, auto f) {
    for (int64_t l = 0; l < count; l++)
      for (int64_t i = 0; i < sizes[k]; i++)
        f(from[l * walk.step(k) + i * steps[k]], copy[i * apart + l]);
  };
  auto group = [&]<bool kRow>(LineLoop<kRow> loop, const int64_t* at, int64_t first, T* copies) {
    T* from[K] = {views[I].template as<T>() + at[I] + first * walk.step(I)...};
    if (!copied) return body(loop, Lines<T, kRow>{from[I], sizes[I], steps[I]}...);
    for (int k = 0; k + 1 < K; k++)
      each_element(k, from[k], copies + k * room, loop.count, [](T& x, T& copy) { copy = x; });
    body(loop, Lines<T, kRow>{copies + I * room, sizes[I], kLines}...);
    each_element(K - 1, from[K - 1], copies + (K - 1) * room, loop.count,
                 [](T& x, T& copy) { x = copy; });
  };
  const int64_t grain = std::max<int64_t>(16384 / std::max<int64_t>(n, 1), 1);
  parallel_for(walk.numel(), (grain + apart - 1) / apart * apart, [&](int64_t begin, int64_t end) {
    Scratch<T> copies(K * room);
    with_vectors([&] {
      walk.rows(begin, end, [&](const int64_t* at, int64_t count) {
        if (side_by_side) {
          for (int64_t l = 0; l < count; l += kLines)
            group(LineLoop<false>{std::min(kLines, count - l)}, at, l, copies.data());
        } else {
          for (int64_t l = 0; l < count; l++) group(LineLoop<true>{1}, at, l, copies.data());
        }
      });
    });
  });
}

}  // namespace detail

// Calls body(loop, lines...) with the lines of each view, for every place beside `axis`. The last
// view is the output.
template <class Body, class... V>
void for_each_line(int axis, Body body, const V&... v) {
  const View views[] = {v...};
  dispatch_floating(views[0].dtype, [&](auto zero) {
    detail::for_each_line<decltype(zero)>(views, axis, body,
                                          std::make_integer_sequence<int, sizeof...(V)>{});
  });
}

}  // namespace clade::kernels

#include <cmath>

#include "kernels/elementwise/index.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/taps.h"

namespace clade::kernels::reference {
namespace {

template <class T>
T& pixel(const View& v, int64_t n, int64_t c, int64_t h, int64_t w) {
  const int64_t index[] = {n, c, h, w};
  return element<T>(v, index);
}

void fill_zero(const View& v) {
  dispatch_floating(v.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(v, [&](const int64_t* i) { element<T>(v, i) = T(0); });
  });
}

}  // namespace

void max_pool2d(const View& x, const View& y, const View& index, const PoolParams& p) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(y, [&](const int64_t* i) {
      int64_t winner = -1;
      T best = T(0);
      for (int64_t r = 0; r < p.kernel[0]; r++)
        for (int64_t s = 0; s < p.kernel[1]; s++) {
          int64_t h = i[2] * p.stride[0] + r - p.padding[0];
          int64_t w = i[3] * p.stride[1] + s - p.padding[1];
          if (h < 0 || h >= x.shape[2] || w < 0 || w >= x.shape[3]) continue;
          T value = pixel<T>(x, i[0], i[1], h, w);
          if (winner < 0 || value > best || (std::isnan(value) && !std::isnan(best)))
            winner = h * x.shape[3] + w, best = value;
        }
      element<T>(y, i) = best;
      element<int64_t>(index, i) = winner;
    });
  });
}

void max_pool2d_backward(const View& dy, const View& index, const View& dx) {
  fill_zero(dx);
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(dy, [&](const int64_t* i) {
      int64_t winner = element<int64_t>(index, i), width = dx.shape[3];
      pixel<T>(dx, i[0], i[1], winner / width, winner % width) += element<T>(dy, i);
    });
  });
}

void avg_pool2d(const View& x, const View& y, const PoolParams& p) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(y, [&](const int64_t* i) {
      double sum = 0;
      for (int64_t r = 0; r < p.kernel[0]; r++)
        for (int64_t s = 0; s < p.kernel[1]; s++) {
          int64_t h = i[2] * p.stride[0] + r - p.padding[0];
          int64_t w = i[3] * p.stride[1] + s - p.padding[1];
          if (h >= 0 && h < x.shape[2] && w >= 0 && w < x.shape[3])
            sum += double(pixel<T>(x, i[0], i[1], h, w));
        }
      element<T>(y, i) = T(sum / double(p.kernel[0] * p.kernel[1]));
    });
  });
}

void avg_pool2d_backward(const View& dy, const View& dx, const PoolParams& p) {
  fill_zero(dx);
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(dy, [&](const int64_t* i) {
      T share = T(double(element<T>(dy, i)) / double(p.kernel[0] * p.kernel[1]));
      for (int64_t r = 0; r < p.kernel[0]; r++)
        for (int64_t s = 0; s < p.kernel[1]; s++) {
          int64_t h = i[2] * p.stride[0] + r - p.padding[0];
          int64_t w = i[3] * p.stride[1] + s - p.padding[1];
          if (h >= 0 && h < dx.shape[2] && w >= 0 && w < dx.shape[3])
            pixel<T>(dx, i[0], i[1], h, w) += share;
        }
    });
  });
}

void upsample2d(Upsample mode, const View& x, const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(y, [&](const int64_t* i) {
      pool::Taps a = pool::taps(mode, i[2], x.shape[2], y.shape[2]);
      pool::Taps b = pool::taps(mode, i[3], x.shape[3], y.shape[3]);
      double sum = 0;
      for (int u = 0; u < 2; u++)
        for (int v = 0; v < 2; v++)
          sum += a.weight[u] * b.weight[v] * double(pixel<T>(x, i[0], i[1], a.at[u], b.at[v]));
      element<T>(y, i) = T(sum);
    });
  });
}

void upsample2d_backward(Upsample mode, const View& dy, const View& dx) {
  fill_zero(dx);
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(dy, [&](const int64_t* i) {
      pool::Taps a = pool::taps(mode, i[2], dx.shape[2], dy.shape[2]);
      pool::Taps b = pool::taps(mode, i[3], dx.shape[3], dy.shape[3]);
      for (int u = 0; u < 2; u++)
        for (int v = 0; v < 2; v++)
          pixel<T>(dx, i[0], i[1], a.at[u], b.at[v]) +=
              T(a.weight[u] * b.weight[v] * double(element<T>(dy, i)));
    });
  });
}

}  // namespace clade::kernels::reference

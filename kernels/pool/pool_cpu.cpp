// Pooling and upsampling on the CPU, channels-last: the inner loop runs over the channels of a
// pixel, which lie side by side. Work is shared out by images, so that the scattered sums of the
// backward passes belong to one thread and run in one order.
#include "kernels/pool/pool.h"

#include <algorithm>
#include <cmath>

#include "kernels/pool/taps.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

// A channels-last batch: pixel (n, h, w) begins at ((n H + h) W + w) C.
template <class T>
struct Images {
  T* data;
  int64_t count, channels, height, width;

  explicit Images(const View& v)
      : data(v.as<T>()),
        count(v.shape[0]),
        channels(v.shape[1]),
        height(v.shape[2]),
        width(v.shape[3]) {}
  T* at(int64_t n, int64_t h, int64_t w) const {
    return data + ((n * height + h) * width + w) * channels;
  }
  int64_t image() const { return height * width * channels; }
};

// The part of a window that lies inside the image, along one axis.
struct Span1 {
  int64_t begin, end;
};
Span1 window(int64_t i, int64_t kernel, int64_t stride, int64_t padding, int64_t size) {
  int64_t first = i * stride - padding;
  return {std::max<int64_t>(first, 0), std::min(first + kernel, size)};
}

double traffic(const View& a, const View& b) {
  return double(a.numel() + b.numel()) * double(size_of(a.dtype));
}

// Additions or comparisons behind the pixels of y.
double terms(const View& y, const PoolParams& p) {
  return double(y.numel()) * double(p.kernel[0]) * double(p.kernel[1]);
}

template <class Body>
void for_each_image(int64_t count, Body body) {
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) body(n);
  });
}

// body(i, j, rows, columns) for each pixel of y and its window in an image of x's size.
template <class T, class Body>
void for_each_window(const Images<T>& x, const Images<T>& y, const PoolParams& p, Body body) {
  for (int64_t i = 0; i < y.height; i++) {
    Span1 rows = window(i, p.kernel[0], p.stride[0], p.padding[0], x.height);
    for (int64_t j = 0; j < y.width; j++)
      body(i, j, rows, window(j, p.kernel[1], p.stride[1], p.padding[1], x.width));
  }
}

}  // namespace

void max_pool2d(const Cpu&, const View& x, const View& y, const View& index, const PoolParams& p) {
  profiler::Span span("max_pool2d", terms(y, p), traffic(x, y) + double(index.numel()) * 8);
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Images<T> in(x), out(y);
    const Images<int64_t> winners(index);
    for_each_image(in.count, [&](int64_t n) {
      for_each_window(in, out, p, [&](int64_t i, int64_t j, Span1 rows, Span1 columns) {
        T* best = out.at(n, i, j);
        int64_t* winner = winners.at(n, i, j);
        std::copy_n(in.at(n, rows.begin, columns.begin), in.channels, best);
        std::fill_n(winner, in.channels, rows.begin * in.width + columns.begin);
        for (int64_t h = rows.begin; h < rows.end; h++)
          for (int64_t w = columns.begin; w < columns.end; w++) {
            const T* pixel = in.at(n, h, w);
            for (int64_t c = 0; c < in.channels; c++)
              if (pixel[c] > best[c] || (std::isnan(pixel[c]) && !std::isnan(best[c])))
                best[c] = pixel[c], winner[c] = h * in.width + w;
          }
      });
    });
  });
}

void max_pool2d_backward(const Cpu&, const View& dy, const View& index, const View& dx) {
  profiler::Span span("max_pool2d_backward", double(dy.numel()),
                      traffic(dy, dx) + double(index.numel()) * 8);
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Images<T> in(dy), out(dx);
    const Images<int64_t> winners(index);
    for_each_image(out.count, [&](int64_t n) {
      T* image = out.at(n, 0, 0);
      std::fill_n(image, out.image(), T(0));
      for (int64_t i = 0; i < in.height * in.width; i++) {
        const T* g = in.at(n, 0, 0) + i * in.channels;
        const int64_t* winner = winners.at(n, 0, 0) + i * in.channels;
        for (int64_t c = 0; c < in.channels; c++) image[winner[c] * in.channels + c] += g[c];
      }
    });
  });
}

void avg_pool2d(const Cpu&, const View& x, const View& y, const PoolParams& p) {
  profiler::Span span("avg_pool2d", terms(y, p), traffic(x, y));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Images<T> in(x), out(y);
    const T share = T(1.0 / (double(p.kernel[0]) * double(p.kernel[1])));
    for_each_image(in.count, [&](int64_t n) {
      for_each_window(in, out, p, [&](int64_t i, int64_t j, Span1 rows, Span1 columns) {
        T* sum = out.at(n, i, j);
        std::fill_n(sum, in.channels, T(0));
        for (int64_t h = rows.begin; h < rows.end; h++)
          for (int64_t w = columns.begin; w < columns.end; w++) {
            const T* pixel = in.at(n, h, w);
            for (int64_t c = 0; c < in.channels; c++) sum[c] += pixel[c];
          }
        for (int64_t c = 0; c < in.channels; c++) sum[c] *= share;
      });
    });
  });
}

void avg_pool2d_backward(const Cpu&, const View& dy, const View& dx, const PoolParams& p) {
  profiler::Span span("avg_pool2d_backward", terms(dy, p), traffic(dy, dx));
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Images<T> in(dy), out(dx);
    const T share = T(1.0 / (double(p.kernel[0]) * double(p.kernel[1])));
    for_each_image(out.count, [&](int64_t n) {
      std::fill_n(out.at(n, 0, 0), out.image(), T(0));
      for_each_window(out, in, p, [&](int64_t i, int64_t j, Span1 rows, Span1 columns) {
        const T* g = in.at(n, i, j);
        for (int64_t h = rows.begin; h < rows.end; h++)
          for (int64_t w = columns.begin; w < columns.end; w++) {
            T* pixel = out.at(n, h, w);
            for (int64_t c = 0; c < in.channels; c++) pixel[c] += share * g[c];
          }
      });
    });
  });
}

void upsample2d(const Cpu&, Upsample mode, const View& x, const View& y) {
  profiler::Span span("upsample2d", 8.0 * double(y.numel()), traffic(x, y));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Images<T> in(x), out(y);
    for_each_image(in.count, [&](int64_t n) {
      for (int64_t i = 0; i < out.height; i++) {
        const pool::Taps a = pool::taps(mode, i, in.height, out.height);
        for (int64_t j = 0; j < out.width; j++) {
          T* pixel = out.at(n, i, j);
          const pool::Taps b = pool::taps(mode, j, in.width, out.width);
          if (mode == Upsample::nearest) {
            std::copy_n(in.at(n, a.at[0], b.at[0]), in.channels, pixel);
            continue;
          }
          std::fill_n(pixel, in.channels, T(0));
          for (int u = 0; u < 2; u++)
            for (int v = 0; v < 2; v++) {
              const T weight = T(a.weight[u] * b.weight[v]);
              const T* from = in.at(n, a.at[u], b.at[v]);
              for (int64_t c = 0; c < in.channels; c++) pixel[c] += weight * from[c];
            }
        }
      }
    });
  });
}

void upsample2d_backward(const Cpu&, Upsample mode, const View& dy, const View& dx) {
  profiler::Span span("upsample2d_backward", 8.0 * double(dy.numel()), traffic(dy, dx));
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Images<T> in(dy), out(dx);
    for_each_image(out.count, [&](int64_t n) {
      std::fill_n(out.at(n, 0, 0), out.image(), T(0));
      for (int64_t i = 0; i < in.height; i++) {
        const pool::Taps a = pool::taps(mode, i, out.height, in.height);
        for (int64_t j = 0; j < in.width; j++) {
          const pool::Taps b = pool::taps(mode, j, out.width, in.width);
          const T* g = in.at(n, i, j);
          for (int u = 0; u < 2; u++)
            for (int v = 0; v < 2; v++) {
              const T weight = T(a.weight[u] * b.weight[v]);
              if (weight == T(0)) continue;
              T* pixel = out.at(n, a.at[u], b.at[v]);
              for (int64_t c = 0; c < in.channels; c++) pixel[c] += weight * g[c];
            }
        }
      }
    });
  });
}

}  // namespace clade::kernels

// pool on the GPU: a thread an output element, channels fastest. Backward passes gather: an input
// pixel asks the windows that cover it, in order, so nothing is added by two threads.
#include "kernels/pool/pool.h"

#include "kernels/cuda/grid.cuh"
#include "kernels/pool/taps.h"
#include "tensor/device_memory.h"

namespace clade::kernels {
namespace {

using namespace cuda;

// Sizes of a channels-last image batch, and where its elements are.
struct Image {
  explicit Image(const View& v) : n(v.shape[0]), c(v.shape[1]), h(v.shape[2]), w(v.shape[3]) {}
  __device__ int64_t at(int64_t image, int64_t row, int64_t column, int64_t channel) const {
    return ((image * h + row) * w + column) * c + channel;
  }
  int64_t n, c, h, w;
};

struct Place {
  int64_t n, h, w, c;
  __device__ Place(int64_t i, const Image& image) {
    c = i % image.c, i /= image.c;
    w = i % image.w, i /= image.w;
    h = i % image.h, n = i / image.h;
  }
};

// The windows that cover input position `at` are begin .. end - 1 of `count`.
struct Windows {
  int64_t begin, end;
  __device__ Windows(int64_t at, int64_t kernel, int64_t stride, int64_t padding, int64_t count) {
    const int64_t first = at + padding - kernel + 1;
    begin = first <= 0 ? 0 : (first + stride - 1) / stride;
    end = min((at + padding) / stride + 1, count);
  }
};

template <class T>
__global__ void max_windows(const T* x, Image in, Image out, PoolParams p, T* y, int64_t* index) {
  const int64_t i = thread_index();
  if (i >= out.n * out.c * out.h * out.w) return;
  const Place o(i, out);
  int64_t winner = -1;
  T best = T(0);
  for (int64_t r = 0; r < p.kernel[0]; r++)
    for (int64_t s = 0; s < p.kernel[1]; s++) {
      const int64_t h = o.h * p.stride[0] + r - p.padding[0];
      const int64_t w = o.w * p.stride[1] + s - p.padding[1];
      if (h < 0 || h >= in.h || w < 0 || w >= in.w) continue;
      const T value = x[in.at(o.n, h, w, o.c)];
      if (winner < 0 || value > best || (value != value && best == best))
        winner = h * in.w + w, best = value;
    }
  y[i] = best;
  index[i] = winner;
}

// A thread has one channel of one image and adds its outputs in order: winners may be anywhere.
template <class T>
__global__ void max_scatter(const T* dy, const int64_t* index, Image out, Image in, T* dx) {
  const int64_t i = thread_index();
  if (i >= in.n * in.c) return;
  const int64_t n = i / in.c, c = i % in.c;
  for (int64_t h = 0; h < out.h; h++)
    for (int64_t w = 0; w < out.w; w++) {
      const int64_t o = out.at(n, h, w, c);
      dx[in.at(n, 0, index[o], c)] += dy[o];
    }
}

template <class T>
__global__ void average_windows(const T* x, Image in, Image out, PoolParams p, T* y) {
  const int64_t i = thread_index();
  if (i >= out.n * out.c * out.h * out.w) return;
  const Place o(i, out);
  double sum = 0;
  for (int64_t r = 0; r < p.kernel[0]; r++)
    for (int64_t s = 0; s < p.kernel[1]; s++) {
      const int64_t h = o.h * p.stride[0] + r - p.padding[0];
      const int64_t w = o.w * p.stride[1] + s - p.padding[1];
      if (h >= 0 && h < in.h && w >= 0 && w < in.w) sum += double(x[in.at(o.n, h, w, o.c)]);
    }
  y[i] = T(sum / double(p.kernel[0] * p.kernel[1]));
}

template <class T>
__global__ void average_gather(const T* dy, Image out, Image in, PoolParams p, T* dx) {
  const int64_t i = thread_index();
  if (i >= in.n * in.c * in.h * in.w) return;
  const Place at(i, in);
  const Windows rows(at.h, p.kernel[0], p.stride[0], p.padding[0], out.h);
  const Windows columns(at.w, p.kernel[1], p.stride[1], p.padding[1], out.w);
  double sum = 0;
  for (int64_t h = rows.begin; h < rows.end; h++)
    for (int64_t w = columns.begin; w < columns.end; w++)
      sum += double(dy[out.at(at.n, h, w, at.c)]);
  dx[i] = T(sum / double(p.kernel[0] * p.kernel[1]));
}

template <class T>
__global__ void upsample(Upsample mode, const T* x, Image in, Image out, T* y) {
  const int64_t i = thread_index();
  if (i >= out.n * out.c * out.h * out.w) return;
  const Place o(i, out);
  const pool::Taps a = pool::taps(mode, o.h, in.h, out.h), b = pool::taps(mode, o.w, in.w, out.w);
  double sum = 0;
  for (int u = 0; u < 2; u++)
    for (int v = 0; v < 2; v++)
      sum += a.weight[u] * b.weight[v] * double(x[in.at(o.n, a.at[u], b.at[v], o.c)]);
  y[i] = T(sum);
}

// How much of output o comes from input `from`, along one axis.
__device__ double share(Upsample mode, int64_t o, int64_t from, int64_t in, int64_t out) {
  const pool::Taps t = pool::taps(mode, o, in, out);
  return (t.at[0] == from ? t.weight[0] : 0) + (t.at[1] == from ? t.weight[1] : 0);
}

template <class T>
__global__ void upsample_gather(Upsample mode, const T* dy, Image out, Image in, T* dx) {
  const int64_t i = thread_index();
  if (i >= in.n * in.c * in.h * in.w) return;
  const Place p(i, in);
  // Outputs that look at input p lie within two factors of it.
  const int64_t f = out.h / in.h, g = out.w / in.w;
  const int64_t h0 = max((p.h - 1) * f, int64_t{0}), h1 = min((p.h + 2) * f, out.h);
  const int64_t w0 = max((p.w - 1) * g, int64_t{0}), w1 = min((p.w + 2) * g, out.w);
  double sum = 0;
  for (int64_t h = h0; h < h1; h++) {
    const double down = share(mode, h, p.h, in.h, out.h);
    if (down == 0) continue;
    for (int64_t w = w0; w < w1; w++) {
      const double weight = down * share(mode, w, p.w, in.w, out.w);
      if (weight != 0) sum += weight * double(dy[out.at(p.n, h, w, p.c)]);
    }
  }
  dx[i] = T(sum);
}

}  // namespace

void max_pool2d(const Cuda& ctx, const View& x, const View& y, const View& index,
                const PoolParams& p) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<max_windows<T>>(ctx.stream, grid_of(y.numel()), x.as<T>(), Image(x), Image(y), p,
                           y.as<T>(), index.as<int64_t>());
  });
}

void max_pool2d_backward(const Cuda& ctx, const View& dy, const View& index, const View& dx) {
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    fill_device_bytes(dx.data, 0, size_t(dx.numel()) * sizeof(T), ctx.stream);
    launch<max_scatter<T>>(ctx.stream, grid_of(dx.shape[0] * dx.shape[1]), dy.as<T>(),
                           index.as<int64_t>(), Image(dy), Image(dx), dx.as<T>());
  });
}

void avg_pool2d(const Cuda& ctx, const View& x, const View& y, const PoolParams& p) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<average_windows<T>>(ctx.stream, grid_of(y.numel()), x.as<T>(), Image(x), Image(y), p,
                               y.as<T>());
  });
}

void avg_pool2d_backward(const Cuda& ctx, const View& dy, const View& dx, const PoolParams& p) {
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<average_gather<T>>(ctx.stream, grid_of(dx.numel()), dy.as<T>(), Image(dy), Image(dx), p,
                              dx.as<T>());
  });
}

void upsample2d(const Cuda& ctx, Upsample mode, const View& x, const View& y) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<upsample<T>>(ctx.stream, grid_of(y.numel()), mode, x.as<T>(), Image(x), Image(y),
                        y.as<T>());
  });
}

void upsample2d_backward(const Cuda& ctx, Upsample mode, const View& dy, const View& dx) {
  dispatch_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch<upsample_gather<T>>(ctx.stream, grid_of(dx.numel()), mode, dy.as<T>(), Image(dy),
                               Image(dx), dx.as<T>());
  });
}

}  // namespace clade::kernels

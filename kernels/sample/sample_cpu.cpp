// sample on the CPU: noise is drawn into a small buffer, a vector loop uses it.
//
// Which draw an element gets depends on its index alone, so chunks need no state and no order. Sums
// over the K samples run in the order of k, in f64.
#include "kernels/sample/sample.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/math.h"
#include "kernels/reduce/lanes.h"
#include "kernels/sample/noise.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kGrain = 4096;  // elements a chunk: a normal number costs many times a load
constexpr int64_t kBlock = 512;   // elements in the buffers on the stack

double bytes(const View& v, double arrays) {
  return arrays * double(v.numel()) * double(size_of(v.dtype));
}

// z[i] = mean[i] + exp(logvar[i] / 2) eps[i]
template <class T>
void shift_and_scale(int64_t n, const T* mean, const T* logvar, const float* eps, T* z) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) z[i] = mean[i] + math::exp(T(0.5) * logvar[i]) * T(eps[i]);
}

// Both gradients of elements [j, j + n), n <= kBlock, of a table of `size`.
template <class T>
void gather_gradients(const View& logvar, const Draw& draw, const View& dz, int64_t j, int64_t n,
                      T* dmean, T* dlogvar) {
  const int64_t size = logvar.numel(), samples = dz.numel() / size;
  double sum[kBlock] = {}, pull[kBlock] = {};
  float eps[kBlock];
  for (int64_t k = 0; k < samples; k++) {
    fill_normals(draw, k * size + j, n, eps);
    const T* d = dz.as<const T>() + k * size + j;
    for (int64_t i = 0; i < n; i++) {
      sum[i] += double(d[i]);
      pull[i] += double(d[i]) * double(eps[i]);
    }
  }
  const T* v = logvar.as<const T>() + j;
  for (int64_t i = 0; i < n; i++) {
    dmean[j + i] = T(sum[i]);
    dlogvar[j + i] = T(pull[i]) * (T(0.5) * math::exp(T(0.5) * v[i]));
  }
}

// 1/2 sum_i [logvar + (z - mean)^2 exp(-logvar) - z^2]
template <class T>
double ratio_of_row(int64_t n, const T* z, const T* mean, const T* logvar) {
  double sum = 0;
  for (int64_t b = 0; b < n; b += kBlock) {
    const int64_t size = std::min(kBlock, n - b);
    T terms[kBlock];
#pragma GCC ivdep
    for (int64_t i = 0; i < size; i++) {
      const T off = z[b + i] - mean[b + i];
      terms[i] = logvar[b + i] + (off * off * math::exp(-logvar[b + i]) - z[b + i] * z[b + i]);
    }
    sum += fold<Sum>(terms, size);
  }
  return sum / 2;
}

// All three gradients of the elements [j, j + n), n <= kBlock, of the table; weight[i] follows
// dout of sample k along the elements' rows.
template <class T>
void ratio_gradients(const View& z, const View& mean, const View& logvar, const View& dout,
                     int64_t j, int64_t n, T* dz, T* dmean, T* dlogvar) {
  const int64_t size = mean.numel(), d = mean.shape[1], rows = mean.shape[0];
  double to_mean[kBlock] = {}, to_logvar[kBlock] = {};
  T weight[kBlock], shrink[kBlock];
  const T *means = mean.as<const T>() + j, *logvars = logvar.as<const T>() + j;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) shrink[i] = math::exp(-logvars[i]);
  for (int64_t k = 0; k < z.shape[0]; k++) {
    for (int64_t i = 0, row = j / d, left = d - j % d; i < n; i++, left--) {
      if (left == 0) row++, left = d;
      weight[i] = dout.as<const T>()[k * rows + row];
    }
    const T* from = z.as<const T>() + k * size + j;
    T* to = dz + k * size + j;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
      const T off = from[i] - means[i], pull = off * shrink[i];
      to[i] = weight[i] * (pull - from[i]);
      to_mean[i] -= double(weight[i]) * double(pull);
      to_logvar[i] += double(weight[i]) * double(1 - off * pull);
    }
  }
  for (int64_t i = 0; i < n; i++)
    dmean[j + i] = T(to_mean[i]), dlogvar[j + i] = T(to_logvar[i] / 2);
}

}  // namespace

void log_prior_ratio(const Cpu&, const View& z, const View& mean, const View& logvar,
                     const View& out) {
  profiler::Span span("log_prior_ratio", 25 * double(z.numel()), bytes(z, 1) + bytes(mean, 2));
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t d = mean.shape[1], rows = mean.shape[0];
    parallel_for(out.numel(), std::max<int64_t>(1, kGrain / std::max<int64_t>(1, d)),
                 [&](int64_t begin, int64_t end) {
                   with_vectors([&] {
                     for (int64_t r = begin; r < end; r++) {
                       const int64_t j = r % rows * d;
                       out.as<T>()[r] =
                           T(ratio_of_row(d, z.as<const T>() + r * d, mean.as<const T>() + j,
                                          logvar.as<const T>() + j));
                     }
                   });
                 });
  });
}

void log_prior_ratio_backward(const Cpu&, const View& z, const View& mean, const View& logvar,
                              const View& dout, const View& dz, const View& dmean,
                              const View& dlogvar) {
  profiler::Span span("log_prior_ratio_backward", 12 * double(z.numel()),
                      bytes(z, 2) + bytes(mean, 4));
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(mean.numel(), kBlock, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        ratio_gradients(z, mean, logvar, dout, begin, end - begin, dz.as<T>(), dmean.as<T>(),
                        dlogvar.as<T>());
      });
    });
  });
}

void reparameterize(const Cpu&, const View& mean, const View& logvar, const Draw& draw,
                    const View& z) {
  profiler::Span span("reparameterize", 60 * double(z.numel()), bytes(mean, 2) + bytes(z, 1));
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t size = mean.numel();
    parallel_for(z.numel(), kGrain, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        float eps[kBlock];
        while (begin < end) {  // a block ends where the next sample begins
          const int64_t j = begin % size, n = std::min({kBlock, end - begin, size - j});
          fill_normals(draw, begin, n, eps);
          shift_and_scale(n, mean.as<const T>() + j, logvar.as<const T>() + j, eps,
                          z.as<T>() + begin);
          begin += n;
        }
      });
    });
  });
}

void reparameterize_backward(const Cpu&, const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar) {
  profiler::Span span("reparameterize_backward", 60 * double(dz.numel()),
                      bytes(dz, 1) + bytes(logvar, 3));
  dispatch_floating(dz.dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(logvar.numel(), kBlock, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        gather_gradients(logvar, draw, dz, begin, end - begin, dmean.as<T>(), dlogvar.as<T>());
      });
    });
  });
}

void dropout(const Cpu&, const View& x, double p, const Draw& draw, const View& y) {
  profiler::Span span("dropout", 15 * double(x.numel()), bytes(x, 2));
  // A draw below p drops; draws are multiples of 2^-24, so whole numbers can be compared.
  const uint32_t threshold = uint32_t(std::ceil(p * 0x1p24));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T scale = T(1 / (1 - p));
    parallel_for(x.numel(), kGrain, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        uint32_t words[kBlock];
        for (int64_t i = begin; i < end; i += kBlock) {
          const int64_t n = std::min(kBlock, end - i);
          fill_words(draw, i, n, words);
          const T* from = x.as<const T>() + i;
          T* to = y.as<T>() + i;
#pragma GCC ivdep
          for (int64_t l = 0; l < n; l++)
            to[l] = math::choose((words[l] >> 8) < threshold, T(0), from[l] * scale);
        }
      });
    });
  });
}

void importance_weights(const Cpu&, const View& log_w, const View& bound, const View& weight,
                        const View& effective) {
  profiler::Span span("importance_weights", 30 * double(log_w.numel()), bytes(log_w, 2));
  dispatch_floating(log_w.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t samples = log_w.shape[0], columns = log_w.shape[1];
    const double log_samples = std::log(double(samples));
    // A block of columns at a time, so that the loops run along memory.
    parallel_for(columns, kBlock, [&](int64_t begin, int64_t end) {
      with_vectors([&] {
        const int64_t n = end - begin;
        T shift[kBlock];
        double sum[kBlock] = {}, squares[kBlock] = {};
        std::fill_n(shift, n, T(Largest::kStart));
        for (int64_t k = 0; k < samples; k++) {
          const T* from = log_w.as<const T>() + k * columns + begin;
          for (int64_t i = 0; i < n; i++)
            shift[i] = math::choose(from[i] > shift[i], from[i], shift[i]);
        }
        for (int64_t i = 0; i < n; i++) shift[i] = std::isinf(shift[i]) ? T(0) : shift[i];
        for (int64_t k = 0; k < samples; k++) {
          const T* from = log_w.as<const T>() + k * columns + begin;
          T* to = weight.as<T>() + k * columns + begin;
          for (int64_t i = 0; i < n; i++) {
            to[i] = math::exp(from[i] - shift[i]);
            sum[i] += double(to[i]);
            squares[i] += double(to[i]) * double(to[i]);
          }
        }
        T scale[kBlock];
        for (int64_t i = 0; i < n; i++) {
          // A column of -inf alone: no sample explains the data, and none has a weight.
          const bool none = sum[i] == 0;
          scale[i] = none ? T(0) : T(1 / sum[i]);
          bound.as<T>()[begin + i] = T(double(shift[i]) + math::log(sum[i]) - log_samples);
          effective.as<T>()[begin + i] = none ? T(0) : T(sum[i] * sum[i] / squares[i]);
        }
        for (int64_t k = 0; k < samples; k++) {
          T* to = weight.as<T>() + k * columns + begin;
          for (int64_t i = 0; i < n; i++) to[i] *= scale[i];
        }
      });
    });
  });
}

}  // namespace clade::kernels

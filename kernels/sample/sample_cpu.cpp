// The random kernels on the CPU. Each Philox block gives four numbers, so loops go by blocks: the
// noise of elements 4 b .. 4 b + 3 is drawn once, where the reference draws it four times.
#include <algorithm>
#include <cmath>

#include "kernels/elementwise/math.h"
#include "kernels/sample/sample.h"
#include "tensor/parallel.h"
#include "tensor/philox.h"
#include "tensor/profiler.h"

namespace clade::kernels {
namespace {

constexpr int64_t kChunk = 4096;  // elements; a multiple of 4, so that chunks hold whole blocks

// body(i, noise) for the elements [begin, end), noise being four normals or words; begin % 4 == 0.
template <class Body>
void for_each_block(const Draw& draw, int64_t begin, int64_t end, Body body) {
  for (int64_t i = begin; i < end; i += 4)
    body(i, std::min<int64_t>(4, end - i),
         philox((draw.first + uint64_t(i)) / 4, draw.stream, draw.seed));
}

}  // namespace

void reparameterize(const Cpu&, const View& mean, const View& logvar, const Draw& draw,
                    const View& z) {
  profiler::Span span("reparameterize", 30.0 * double(z.numel()),
                      double((2 * mean.numel() + z.numel()) * int64_t(size_of(z.dtype))));
  dispatch_floating(z.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *m = mean.as<T>(), *v = logvar.as<T>();
    T* out = z.as<T>();
    const int64_t n = mean.numel();
    parallel_for(z.numel(), kChunk, [&](int64_t begin, int64_t end) {
      for_each_block(draw, begin, end, [&](int64_t i, int64_t count, const PhiloxBlock& block) {
        float eps[4];
        normal_block(block, eps);
        for (int64_t j = 0; j < count; j++) {
          const int64_t from = (i + j) % n;
          out[i + j] = m[from] + math::exp(v[from] / 2) * T(eps[j]);
        }
      });
    });
  });
}

void reparameterize_backward(const Cpu&, const View& logvar, const Draw& draw, const View& dz,
                             const View& dmean, const View& dlogvar) {
  profiler::Span span("reparameterize_backward", 30.0 * double(dz.numel()),
                      double((3 * logvar.numel() + dz.numel()) * int64_t(size_of(dz.dtype))));
  dispatch_floating(dz.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *v = logvar.as<T>(), *g = dz.as<T>();
    T *dm = dmean.as<T>(), *dv = dlogvar.as<T>();
    const int64_t n = logvar.numel(), samples = n ? dz.numel() / n : 0;
    parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
      // Sample k's noise begins at draw first + k n, which need not begin a block.
      for (int64_t i = begin; i < end; i++) dm[i] = dv[i] = T(0);
      for (int64_t k = 0; k < samples; k++) {
        float eps[4];
        uint64_t drawn = ~uint64_t(0);
        for (int64_t i = begin; i < end; i++) {
          const uint64_t at = draw.first + uint64_t(k * n + i);
          if (at / 4 != drawn) {
            drawn = at / 4;
            normal_block(philox(drawn, draw.stream, draw.seed), eps);
          }
          dm[i] += g[k * n + i];
          dv[i] += g[k * n + i] * T(eps[at % 4]);
        }
      }
      for (int64_t i = begin; i < end; i++) dv[i] *= math::exp(v[i] / 2) / 2;
    });
  });
}

void dropout(const Cpu&, const View& x, double p, const Draw& draw, const View& y) {
  profiler::Span span("dropout", 12.0 * double(x.numel()),
                      2.0 * double(x.numel()) * double(size_of(x.dtype)));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.as<T>();
    T* out = y.as<T>();
    const T scale = T(1 / (1 - p));
    parallel_for(x.numel(), kChunk, [&](int64_t begin, int64_t end) {
      for_each_block(draw, begin, end, [&](int64_t i, int64_t count, const PhiloxBlock& block) {
        for (int64_t j = 0; j < count; j++)
          out[i + j] = double(unit_float(block.word[j])) >= p ? in[i + j] * scale : T(0);
      });
    });
  });
}

// Columns lie side by side, so each pass over k runs along n, kColumns at a time; the three passes
// of a block of columns stay in the cache.
void importance_weights(const Cpu&, const View& log_w, const View& bound, const View& weight,
                        const View& effective) {
  profiler::Span span("importance_weights", 14.0 * double(log_w.numel()),
                      2.0 * double(log_w.numel()) * double(size_of(log_w.dtype)));
  constexpr int64_t kColumns = 256;
  dispatch_floating(log_w.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* in = log_w.as<T>();
    T *b = bound.as<T>(), *w = weight.as<T>(), *e = effective.as<T>();
    const int64_t samples = log_w.shape[0], n = log_w.shape[1];
    parallel_for(n, kColumns, [&](int64_t begin, int64_t end) {
      T largest[kColumns];
      double sum[kColumns] = {}, squares[kColumns] = {};
      const int64_t count = end - begin;
      std::copy_n(in + begin, count, largest);
      for (int64_t k = 1; k < samples; k++)
        for (int64_t i = 0; i < count; i++)
          largest[i] = std::max(largest[i], in[k * n + begin + i]);
      for (int64_t k = 0; k < samples; k++)
        for (int64_t i = 0; i < count; i++) {
          const T value = math::exp(in[k * n + begin + i] - largest[i]);
          w[k * n + begin + i] = value;
          sum[i] += double(value);
        }
      for (int64_t k = 0; k < samples; k++)
        for (int64_t i = 0; i < count; i++) {
          const double value = double(w[k * n + begin + i]) / sum[i];
          w[k * n + begin + i] = T(value);
          squares[i] += value * value;
        }
      for (int64_t i = 0; i < count; i++) {
        b[begin + i] = T(double(largest[i]) + std::log(sum[i]) - std::log(double(samples)));
        e[begin + i] = T(1 / squares[i]);
      }
    });
  });
}

}  // namespace clade::kernels

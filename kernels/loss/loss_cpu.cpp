// loss on the CPU: a term per element, summed per sample; a slope per element, spread from dout.
//
// All elementwise arguments share one dense memory order, so one offset serves them all. A sample
// is walked along memory and cut into pieces of at most 16,384 elements; a piece computes its terms
// in the dtype, 256 at a time in a vector loop, sums them in f64 in eight lanes, and the pieces of
// a sample are joined in order. Terms under a mask of 0 are computed and thrown away (a branch
// would cost more): the choice is made on bits, so a NaN there goes nowhere.
#include "kernels/loss/loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/math.h"
#include "kernels/elementwise/walk.h"
#include "kernels/loss/terms.h"
#include "kernels/reduce/lanes.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kPiece = 16384;  // elements
constexpr int64_t kBlock = 256;    // terms between two sums

// m * value, and 0 where m is 0 whatever the value.
template <class T>
struct Masked {
  const T* mask;
  T operator()(int64_t i, T value) const {
    return math::choose(mask[i] != 0, mask[i] * value, T(0));
  }
};
struct Unmasked {
  template <class T>
  T operator()(int64_t, T value) const {
    return value;
  }
};

template <class T, class Body>
void with_mask(const View& mask, Body body) {
  mask.data ? body(Masked<T>{mask.as<const T>()}) : body(Unmasked{});
}

// The elements of x as samples, each cut into pieces: of a size that the shape alone decides.
class Samples {
 public:
  explicit Samples(const View& x)
      : n_(x.shape[0]), stride_(x.stride[0]), sample_({without_axis(x, 0)}) {
    pieces_ = std::max<int64_t>(1, (sample_.numel() + kPiece - 1) / kPiece);
  }
  int64_t pieces() const { return pieces_; }

  // Calls body(n, p, walk) for every piece p of every sample n, where walk(row) calls
  // row(offset, count, step) for the piece's elements in memory order.
  template <class Body>
  void each_piece(Body body) const {
    const int64_t elements = std::max<int64_t>(1, std::min(sample_.numel(), kPiece));
    parallel_for(n_ * pieces_, kPiece / elements, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / pieces_, p = i % pieces_;
        with_vectors([&] {
          body(n, p, [&](auto row) {
            sample_.rows(p * kPiece, std::min(sample_.numel(), (p + 1) * kPiece),
                         [&](const int64_t* at, int64_t count) {
                           row(n * stride_ + at[0], count, sample_.step(0));
                         });
          });
        });
      }
    });
  }

 private:
  int64_t n_, stride_, pieces_;
  Walk<1> sample_;
};

// body(k, i) for k < n, i = first + k step.
template <class Body>
inline void dense_loop(int64_t first, int64_t n, Body body) {
#pragma GCC ivdep
  for (int64_t k = 0; k < n; k++) body(k, first + k);
}

template <class Body>
void loop(int64_t first, int64_t n, int64_t step, Body body) {
  if (step == 1) return dense_loop(first, n, body);
  for (int64_t k = 0; k < n; k++) body(k, first + k * step);
}

// out[n] = sum of m * term(i) over the elements of sample n; i is an offset in memory.
template <class T, class Term>
void sum_samples(const View& x, const View& mask, const View& out, Term term) {
  const Samples samples(x);
  Scratch<double> partial(out.shape[0] * samples.pieces());
  with_mask<T>(mask, [&](auto masked) {
    samples.each_piece([&](int64_t n, int64_t p, auto walk) {
      double sum = 0;
      walk([&](int64_t first, int64_t count, int64_t step) {
        for (int64_t b = 0; b < count; b += kBlock) {
          T terms[kBlock];
          const int64_t size = std::min(kBlock, count - b);
          loop(first + b * step, size, step,
               [=, to = &terms[0]](int64_t k, int64_t i) { to[k] = masked(i, term(i)); });
          sum += fold<Sum>(terms, size);
        }
      });
      partial[n * samples.pieces() + p] = sum;
    });
  });
  for (int64_t n = 0; n < out.shape[0]; n++) {
    double sum = 0;
    for (int64_t p = 0; p < samples.pieces(); p++) sum += partial[n * samples.pieces() + p];
    out.as<T>()[n] = T(sum);
  }
}

// Calls write(i, spread) for every element, where spread(slope) = dout[n] * m * slope.
template <class T, class Write>
void spread_samples(const View& x, const View& mask, const View& dout, Write write) {
  const Samples samples(x);
  with_mask<T>(mask, [&](auto masked) {
    samples.each_piece([&](int64_t n, int64_t, auto walk) {
      const T d = dout.as<const T>()[n];
      walk([&](int64_t first, int64_t count, int64_t step) {
        loop(first, count, step,
             [=](int64_t, int64_t i) { write(i, [=](T slope) { return masked(i, d * slope); }); });
      });
    });
  });
}

// Elementwise arrays read and written, in bytes.
double moved(const View& x, const View& mask, int arrays) {
  return double(arrays + (mask.data ? 1 : 0)) * double(x.numel()) * double(size_of(x.dtype));
}

}  // namespace

void squared_error(const Cpu&, const View& xhat, const View& x, const View& mask, const View& out) {
  profiler::Span span("squared_error", 3 * double(x.numel()), moved(x, mask, 2));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(x, mask, out, loss::SquaredError<T>{xhat.as<T>(), x.as<T>()});
  });
}

void squared_error_backward(const Cpu&, const View& xhat, const View& x, const View& mask,
                            const View& dout, const View& dxhat) {
  profiler::Span span("squared_error_backward", 3 * double(x.numel()), moved(x, mask, 3));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(x, mask, dout,
                      loss::SquaredErrorSlope<T>{xhat.as<T>(), x.as<T>(), dxhat.as<T>()});
  });
}

void bce_with_logits(const Cpu&, const View& logits, const View& x, const View& mask,
                     const View& out) {
  profiler::Span span("bce_with_logits", 40 * double(x.numel()), moved(x, mask, 2));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(x, mask, out, loss::Bce<T>{logits.as<T>(), x.as<T>()});
  });
}

void bce_with_logits_backward(const Cpu&, const View& logits, const View& x, const View& mask,
                              const View& dout, const View& dlogits) {
  profiler::Span span("bce_with_logits_backward", 25 * double(x.numel()), moved(x, mask, 3));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(x, mask, dout, loss::BceSlope<T>{logits.as<T>(), x.as<T>(), dlogits.as<T>()});
  });
}

void gaussian_log_likelihood(const Cpu&, const View& x, const View& mean, const View& logvar,
                             const View& mask, const View& out) {
  profiler::Span span("gaussian_log_likelihood", 25 * double(x.numel()), moved(x, mask, 3));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(x, mask, out, loss::Gaussian<T>{x.as<T>(), mean.as<T>(), logvar.as<T>()});
  });
}

void gaussian_log_likelihood_backward(const Cpu&, const View& x, const View& mean,
                                      const View& logvar, const View& mask, const View& dout,
                                      const View& dx, const View& dmean, const View& dlogvar) {
  profiler::Span span("gaussian_log_likelihood_backward", 30 * double(x.numel()),
                      moved(x, mask, 6));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(x, mask, dout,
                      loss::GaussianSlope<T>{x.as<T>(), mean.as<T>(), logvar.as<T>(), dx.as<T>(),
                                             dmean.as<T>(), dlogvar.as<T>()});
  });
}

void student_t_log_likelihood(const Cpu&, const View& x, const View& mean, const View& scale,
                              const View& df, const View& mask, const View& out) {
  profiler::Span span("student_t_log_likelihood", 120 * double(x.numel()), moved(x, mask, 4));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(x, mask, out,
                   loss::StudentT<T>{x.as<T>(), mean.as<T>(), scale.as<T>(), df.as<T>()});
  });
}

void student_t_log_likelihood_backward(const Cpu&, const View& x, const View& mean,
                                       const View& scale, const View& df, const View& mask,
                                       const View& dout, const View& dmean, const View& dscale,
                                       const View& ddf) {
  profiler::Span span("student_t_log_likelihood_backward", 120 * double(x.numel()),
                      moved(x, mask, 7));
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(x, mask, dout,
                      loss::StudentTSlope<T>{x.as<T>(), mean.as<T>(), scale.as<T>(), df.as<T>(),
                                             dmean.as<T>(), dscale.as<T>(), ddf.as<T>()});
  });
}

void kl_standard_normal(const Cpu&, const View& mean, const View& logvar, const View& out) {
  profiler::Span span("kl_standard_normal", 25 * double(mean.numel()), moved(mean, View{}, 2));
  dispatch_floating(mean.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(mean, View{}, out, loss::Kl<T>{mean.as<T>(), logvar.as<T>()});
  });
}

void kl_standard_normal_backward(const Cpu&, const View& mean, const View& logvar, const View& dout,
                                 const View& dmean, const View& dlogvar) {
  profiler::Span span("kl_standard_normal_backward", 25 * double(mean.numel()),
                      moved(mean, View{}, 4));
  dispatch_floating(mean.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(
        mean, View{}, dout,
        loss::KlSlope<T>{mean.as<T>(), logvar.as<T>(), dmean.as<T>(), dlogvar.as<T>()});
  });
}

}  // namespace clade::kernels

// loss on the GPU: a warp sums a piece of a sample, a second kernel joins a sample's pieces in
// order. Backward: a thread an element. The functors of terms.h say what is summed and what is
// spread.
#include "kernels/loss/loss.h"

#include "kernels/cuda/team.cuh"
#include "kernels/elementwise/walk.h"
#include "kernels/loss/terms.h"
#include "tensor/device_memory.h"

namespace clade::kernels {
namespace {

using namespace cuda;

constexpr int64_t kPiece = 2048;  // elements of a sample for one warp

// The elements of x as samples; element i of sample n lies at n * stride + the walk's offset.
struct Samples {
  explicit Samples(const View& x)
      : count(x.shape[0]), stride(x.stride[0]), walk({without_axis(x, 0)}) {
    size = walk.numel();
    pieces = std::max<int64_t>(1, ceil_div(size, kPiece));
  }
  __device__ int64_t offset(int64_t n, int64_t i) const {
    int64_t at[1];
    walk.locate(i, at);
    return n * stride + at[0];
  }
  int64_t count, stride, size, pieces;
  Walk<1> walk;
};

// m value, and 0 where m is 0 whatever the value; without a mask, value.
template <class T>
struct Mask {
  const T* mask;
  __device__ T operator()(int64_t i, T value) const {
    if (!mask) return value;
    return mask[i] != 0 ? mask[i] * value : T(0);
  }
};

// Warps go through the pieces of all samples: partial[n * pieces + p].
template <class T, class Term>
__global__ void sum_pieces(Samples s, Mask<T> mask, Term term, double* partial) {
  const Team<32> team;
  if (team.line >= s.count * s.pieces) return;
  const int64_t n = team.line / s.pieces, begin = team.line % s.pieces * kPiece;
  const int64_t end = min(begin + kPiece, s.size);
  double sum = 0;
  for (int64_t i = begin + team.lane; i < end; i += 32) {
    const int64_t at = s.offset(n, i);
    sum += double(mask(at, term(at)));
  }
  sum = join_team<Sum, 32>(sum);
  if (team.lane == 0) partial[team.line] = sum;
}

template <class T>
__global__ void join_pieces(const double* partial, int64_t count, int64_t pieces, T* out) {
  const int64_t n = thread_index();
  if (n >= count) return;
  double sum = 0;
  for (int64_t p = 0; p < pieces; p++) sum += partial[n * pieces + p];
  out[n] = T(sum);
}

template <class T, class Slope>
__global__ void spread_elements(Samples s, Mask<T> mask, const T* dout, Slope slope) {
  const int64_t i = thread_index();
  if (i >= s.count * s.size) return;
  const int64_t n = i / s.size, at = s.offset(n, i - n * s.size);
  const T d = dout[n];
  slope(at, [=](T value) { return mask(at, d * value); });
}

template <class T, class Term>
void sum_samples(const Cuda& ctx, const View& x, const View& mask, const View& out, Term term) {
  const Samples s(x);
  DeviceScratch<double> partial(s.count * s.pieces, ctx.stream);
  launch<sum_pieces<T, Term>>(ctx.stream, grid_of_teams<32>(s.count * s.pieces), s,
                              Mask<T>{mask.as<const T>()}, term, partial.data());
  launch<join_pieces<T>>(ctx.stream, grid_of(s.count), partial.data(), s.count, s.pieces,
                         out.as<T>());
}

template <class T, class Slope>
void spread_samples(const Cuda& ctx, const View& x, const View& mask, const View& dout,
                    Slope slope) {
  const Samples s(x);
  launch<spread_elements<T, Slope>>(ctx.stream, grid_of(s.count * s.size), s,
                                    Mask<T>{mask.as<const T>()}, dout.as<const T>(), slope);
}

}  // namespace

void squared_error(const Cuda& ctx, const View& xhat, const View& x, const View& mask,
                   const View& out) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(ctx, x, mask, out, loss::SquaredError<T>{xhat.as<T>(), x.as<T>()});
  });
}

void squared_error_backward(const Cuda& ctx, const View& xhat, const View& x, const View& mask,
                            const View& dout, const View& dxhat) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(ctx, x, mask, dout,
                      loss::SquaredErrorSlope<T>{xhat.as<T>(), x.as<T>(), dxhat.as<T>()});
  });
}

void bce_with_logits(const Cuda& ctx, const View& logits, const View& x, const View& mask,
                     const View& out) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(ctx, x, mask, out, loss::Bce<T>{logits.as<T>(), x.as<T>()});
  });
}

void bce_with_logits_backward(const Cuda& ctx, const View& logits, const View& x, const View& mask,
                              const View& dout, const View& dlogits) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(ctx, x, mask, dout,
                      loss::BceSlope<T>{logits.as<T>(), x.as<T>(), dlogits.as<T>()});
  });
}

void gaussian_log_likelihood(const Cuda& ctx, const View& x, const View& mean, const View& logvar,
                             const View& mask, const View& out) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(ctx, x, mask, out, loss::Gaussian<T>{x.as<T>(), mean.as<T>(), logvar.as<T>()});
  });
}

void gaussian_log_likelihood_backward(const Cuda& ctx, const View& x, const View& mean,
                                      const View& logvar, const View& mask, const View& dout,
                                      const View& dx, const View& dmean, const View& dlogvar) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(ctx, x, mask, dout,
                      loss::GaussianSlope<T>{x.as<T>(), mean.as<T>(), logvar.as<T>(), dx.as<T>(),
                                             dmean.as<T>(), dlogvar.as<T>()});
  });
}

void student_t_log_likelihood(const Cuda& ctx, const View& x, const View& mean, const View& scale,
                              const View& df, const View& mask, const View& out) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(ctx, x, mask, out,
                   loss::StudentT<T>{x.as<T>(), mean.as<T>(), scale.as<T>(), df.as<T>()});
  });
}

void student_t_log_likelihood_backward(const Cuda& ctx, const View& x, const View& mean,
                                       const View& scale, const View& df, const View& mask,
                                       const View& dout, const View& dmean, const View& dscale,
                                       const View& ddf) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(ctx, x, mask, dout,
                      loss::StudentTSlope<T>{x.as<T>(), mean.as<T>(), scale.as<T>(), df.as<T>(),
                                             dmean.as<T>(), dscale.as<T>(), ddf.as<T>()});
  });
}

void kl_standard_normal(const Cuda& ctx, const View& mean, const View& logvar, const View& out) {
  dispatch_floating(mean.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_samples<T>(ctx, mean, View{}, out, loss::Kl<T>{mean.as<T>(), logvar.as<T>()});
  });
}

void kl_standard_normal_backward(const Cuda& ctx, const View& mean, const View& logvar,
                                 const View& dout, const View& dmean, const View& dlogvar) {
  dispatch_floating(mean.dtype, [&](auto zero) {
    using T = decltype(zero);
    spread_samples<T>(
        ctx, mean, View{}, dout,
        loss::KlSlope<T>{mean.as<T>(), logvar.as<T>(), dmean.as<T>(), dlogvar.as<T>()});
  });
}

}  // namespace clade::kernels

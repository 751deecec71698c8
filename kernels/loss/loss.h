// loss: per-sample losses, each a sum over all axes but the first, with the mask inside.
//
// out[n] = sum over the rest of m[n, ...] l(...). `mask` (same sizes and dtype, 1 observed, 0
// missing) may have data == nullptr: all observed. Where m = 0 the gradient is exactly 0 and the
// values there are never used, so NaN may stand in missing places of the target.
// The backward functions take dout (N) and write, per element, dout[n] m l'.
// Required: one floating dtype, equal sizes, any dense strides that all elementwise arguments
// share; out, dout (N) contiguous. Sums run in f64 in a fixed order.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

// (xhat - x)^2                                             P0 eq (5)
void squared_error(const Cpu&, const View& xhat, const View& x, const View& mask, const View& out);
void squared_error_backward(const Cpu&, const View& xhat, const View& x, const View& mask,
                            const View& dout, const View& dxhat);

// -[x log s(a) + (1 - x) log(1 - s(a))], s = sigmoid, computed as max(a, 0) - a x + log(1 + e^-|a|)
void bce_with_logits(const Cpu&, const View& logits, const View& x, const View& mask,
                     const View& out);
void bce_with_logits_backward(const Cpu&, const View& logits, const View& x, const View& mask,
                              const View& dout, const View& dlogits);

// log N(x; mean, exp(logvar)) = -1/2 [log 2 pi + logvar + (x - mean)^2 exp(-logvar)]
void gaussian_log_likelihood(const Cpu&, const View& x, const View& mean, const View& logvar,
                             const View& mask, const View& out);
// dx may be left out (data == nullptr).
void gaussian_log_likelihood_backward(const Cpu&, const View& x, const View& mean,
                                      const View& logvar, const View& mask, const View& dout,
                                      const View& dx, const View& dmean, const View& dlogvar);

// log of Student's t density with location mean, scale > 0 and df > 0 degrees of freedom; with
// r = (x - mean) / scale, q = r^2 / df:
//     ln G((df + 1) / 2) - ln G(df / 2) - 1/2 ln(pi df) - ln scale - (df + 1) / 2 ln(1 + q)
void student_t_log_likelihood(const Cpu&, const View& x, const View& mean, const View& scale,
                              const View& df, const View& mask, const View& out);
void student_t_log_likelihood_backward(const Cpu&, const View& x, const View& mean,
                                       const View& scale, const View& df, const View& mask,
                                       const View& dout, const View& dmean, const View& dscale,
                                       const View& ddf);

// KL(N(mean, exp(logvar)) || N(0, I)) = 1/2 [mean^2 + exp(logvar) - logvar - 1]
void kl_standard_normal(const Cpu&, const View& mean, const View& logvar, const View& out);
void kl_standard_normal_backward(const Cpu&, const View& mean, const View& logvar, const View& dout,
                                 const View& dmean, const View& dlogvar);

// The same on a GPU.
void squared_error(const Cuda&, const View& xhat, const View& x, const View& mask, const View& out);
void squared_error_backward(const Cuda&, const View& xhat, const View& x, const View& mask,
                            const View& dout, const View& dxhat);
void bce_with_logits(const Cuda&, const View& logits, const View& x, const View& mask,
                     const View& out);
void bce_with_logits_backward(const Cuda&, const View& logits, const View& x, const View& mask,
                              const View& dout, const View& dlogits);
void gaussian_log_likelihood(const Cuda&, const View& x, const View& mean, const View& logvar,
                             const View& mask, const View& out);
void gaussian_log_likelihood_backward(const Cuda&, const View& x, const View& mean,
                                      const View& logvar, const View& mask, const View& dout,
                                      const View& dx, const View& dmean, const View& dlogvar);
void student_t_log_likelihood(const Cuda&, const View& x, const View& mean, const View& scale,
                              const View& df, const View& mask, const View& out);
void student_t_log_likelihood_backward(const Cuda&, const View& x, const View& mean,
                                       const View& scale, const View& df, const View& mask,
                                       const View& dout, const View& dmean, const View& dscale,
                                       const View& ddf);
void kl_standard_normal(const Cuda&, const View& mean, const View& logvar, const View& out);
void kl_standard_normal_backward(const Cuda&, const View& mean, const View& logvar,
                                 const View& dout, const View& dmean, const View& dlogvar);

namespace reference {
void squared_error(const View& xhat, const View& x, const View& mask, const View& out);
void squared_error_backward(const View& xhat, const View& x, const View& mask, const View& dout,
                            const View& dxhat);
void bce_with_logits(const View& logits, const View& x, const View& mask, const View& out);
void bce_with_logits_backward(const View& logits, const View& x, const View& mask, const View& dout,
                              const View& dlogits);
void gaussian_log_likelihood(const View& x, const View& mean, const View& logvar, const View& mask,
                             const View& out);
void gaussian_log_likelihood_backward(const View& x, const View& mean, const View& logvar,
                                      const View& mask, const View& dout, const View& dx,
                                      const View& dmean, const View& dlogvar);
void student_t_log_likelihood(const View& x, const View& mean, const View& scale, const View& df,
                              const View& mask, const View& out);
void student_t_log_likelihood_backward(const View& x, const View& mean, const View& scale,
                                       const View& df, const View& mask, const View& dout,
                                       const View& dmean, const View& dscale, const View& ddf);
void kl_standard_normal(const View& mean, const View& logvar, const View& out);
void kl_standard_normal_backward(const View& mean, const View& logvar, const View& dout,
                                 const View& dmean, const View& dlogvar);
}  // namespace reference

}  // namespace clade::kernels

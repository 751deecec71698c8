// reduce: sums and extremes over axes; softmax and logsumexp along one axis.
//
// The shape says which axes go: y has x's rank, with size 1 on each axis that is reduced. Sums run
// in a fixed order that does not depend on the threads, in f64 partial sums, so a sum over 70,000
// f32 rows keeps its digits. Reducing no elements gives 0 for sum, NaN is never made: mean, max and
// min require at least one element.
#pragma once

#include "kernels/context.h"
#include "tensor/view.h"

namespace clade::kernels {

enum class Reduce : uint8_t { sum, mean, max, min };

// x, y: one floating dtype. NaN in x gives NaN in its y, for max and min too.
void reduce(const Cpu&, Reduce op, const View& x, const View& y);
// index[..., 0, ...] (i64, size 1 on `axis`) of the first largest element along `axis`, which has
// at least one; NaN counts as larger than all else.
void argmax(const Cpu&, const View& x, const View& index, int axis);

// y = exp(x - max) / sum, along `axis`. log_softmax: x - logsumexp(x). logsumexp: y has size 1
// there. The largest element is subtracted first: no overflow for any finite x; a row of -inf gives
// a logsumexp of -inf and a softmax of 0.
void softmax(const Cpu&, const View& x, const View& y, int axis);
void softmax_backward(const Cpu&, const View& y, const View& dy, const View& dx, int axis);
void log_softmax(const Cpu&, const View& x, const View& y, int axis);
void log_softmax_backward(const Cpu&, const View& y, const View& dy, const View& dx, int axis);
void logsumexp(const Cpu&, const View& x, const View& y, int axis);
// dx = dy exp(x - y)
void logsumexp_backward(const Cpu&, const View& x, const View& y, const View& dy, const View& dx,
                        int axis);

// The same on a GPU.
void reduce(const Cuda&, Reduce op, const View& x, const View& y);
void argmax(const Cuda&, const View& x, const View& index, int axis);
void softmax(const Cuda&, const View& x, const View& y, int axis);
void softmax_backward(const Cuda&, const View& y, const View& dy, const View& dx, int axis);
void log_softmax(const Cuda&, const View& x, const View& y, int axis);
void log_softmax_backward(const Cuda&, const View& y, const View& dy, const View& dx, int axis);
void logsumexp(const Cuda&, const View& x, const View& y, int axis);
void logsumexp_backward(const Cuda&, const View& x, const View& y, const View& dy, const View& dx,
                        int axis);

namespace reference {
void reduce(Reduce op, const View& x, const View& y);
void argmax(const View& x, const View& index, int axis);
void softmax(const View& x, const View& y, int axis);
void softmax_backward(const View& y, const View& dy, const View& dx, int axis);
void log_softmax(const View& x, const View& y, int axis);
void log_softmax_backward(const View& y, const View& dy, const View& dx, int axis);
void logsumexp(const View& x, const View& y, int axis);
void logsumexp_backward(const View& x, const View& y, const View& dy, const View& dx, int axis);
}  // namespace reference

}  // namespace clade::kernels

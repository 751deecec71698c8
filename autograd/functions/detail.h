// Checks and helpers that the op families share. Not part of the public interface.
#pragma once

#include "autograd/on_device.h"
#include "autograd/op.h"
#include "autograd/record.h"

namespace clade::detail {

using clade::on_device;

// A floating tensor, else Error naming op and argument ("x").
void require_floating(const char* op, const char* argument, const Tensor& t);
void require_rank(const char* op, const char* argument, const Tensor& t, int rank);
void require_same_device(const char* op, const Tensor& a, const Tensor& b);
// The device too.
void require_same_dtype(const char* op, const Tensor& a, const Tensor& b);
void require_same_shape(const char* op, const Tensor& a, const Tensor& b);
// A vector (n), as biases and per-channel arguments are.
void require_vector(const char* op, const char* argument, const Tensor& t, int64_t n,
                    const Tensor& like);

// The slope of an activation that another op takes in its own pass: 0 or more, so that the sign of
// its output tells that of its input.
void require_slope(const char* op, double slope);
// d loss / d z where y = leaky_relu(z, slope) and dy = d loss / d y.
Tensor before_activation(const Tensor& y, const Tensor& dy, double slope);

// Stride, padding, ... of a window that slides over images: at most 2^30, so that places fit int64.
void require_window(const char* op, std::initializer_list<int64_t> sizes);

// t summed over the axes along which `shape` was broadcast to t's shape: the gradient of expand().
Tensor sum_to(const Tensor& t, const Shape& shape);
// dy in the memory order that the kernels of `like` expect: its layout if dense, else row-major.
Tensor like_layout(const Tensor& t, const Tensor& like);
// Where the gradient by an element-wise function's input goes, y being its output: dy itself where
// the node alone holds it, which drops it next; else a new tensor like y. Same dtype and shape.
Tensor own_or_new(const Tensor& dy, const Tensor& y);
// The tensor itself if it has no gaps, in whatever order of axes; else a row-major copy.
Tensor dense(const Tensor& t);

// The value, row-major; undefined stays undefined.
inline Tensor optional_contiguous(const Var& v) {
  return v.defined() ? v.value().contiguous() : Tensor();
}

// A View with data == nullptr stands for an argument that was left out.
inline View optional_view(const Tensor& t) { return t.defined() ? t.view() : View{}; }

}  // namespace clade::detail

// Short names for writing rows of the table.
#pragma once

#include "autograd/functions.h"
#include "autograd/op.h"

namespace clade::op {

using Vars = std::vector<Var>;

inline Input in(const Shape& shape) { return {shape}; }
inline Input in(const Shape& shape, double low, double high) { return {shape, low, high}; }
// A target, a mask or a statistic: no gradient.
inline Input constant(const Shape& shape, double low = -1, double high = 1) {
  return {shape, low, high, false};
}

}  // namespace clade::op

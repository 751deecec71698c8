// Columns of a table brought to one scale: x' = (x - shift) * scale, column by column.
//
// Shift and scale are learned from the observed values alone, in f64: there the range of any f32
// column, and its reciprocal, are finite. Missing values stay 0, which after standardising is the
// column's mean. A column that is constant, or that nothing was observed of, gets scale 1, so that
// it becomes 0 rather than infinite.
#pragma once

#include "data/dataset.h"

namespace clade::data {

struct Scaling {
  Tensor shift, scale;  // f64 (D)

  // shift: the mean; 1 / scale: the standard deviation (over n, as scikit-learn's StandardScaler).
  static Scaling standard(const Dataset& table);
  // shift: the least value; 1 / scale: the range. Values of the learned table fall into [0, 1].
  static Scaling min_max(const Dataset& table);

  // The table on the new scale, and back. Both need (N, D) with the same D; throw Error otherwise,
  // and on a value that is not finite there, naming its column.
  Dataset apply(const Dataset& table) const;
  Dataset invert(const Dataset& table) const;
};

}  // namespace clade::data

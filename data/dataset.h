// Dataset: rows to be clustered, what of them was observed, and (kept apart) their known classes.
//
// Images are f32 (N, C, H, W), channels-last in memory, in [0, 1]; tables are f32 (N, D). `mask`
// has the shape and layout of `values`: 1 observed, 0 missing. Where it is 0 the value is 0, never
// NaN. An undefined mask says that nothing is missing.
#pragma once

#include <string>
#include <vector>

#include "data/labels.h"
#include "tensor/tensor.h"

namespace clade::data {

struct Dataset {
  std::string name;
  Tensor values;
  Tensor mask;
  Labels labels;
  std::vector<std::string> columns;  // names of a table's D columns; empty for images

  int64_t size() const { return values.defined() ? values.size(0) : 0; }
  bool is_images() const { return values.rank() == 4; }
};

// Takes a tensor as a data set: (N, D) is a table, (N, H, W) grey images, (N, C, H, W) images, and
// (N, H, W, C) too where only the last axis can be C (its size is 1 or 3 and that of axis 1 is
// not). u8 images are divided by 255; other values stay as they are. NaN becomes missing. f32 that
// lies as the values are kept is taken over, not copied, if `tensor` is its only owner. Throws
// Error on other ranks, on no rows, on infinite values, and on tables that f32 does not keep.
Dataset from_tensor(const std::string& name, Tensor tensor);

// Rows begin .. end - 1; values, mask and labels are views.
Dataset slice(const Dataset& d, int64_t begin, int64_t end);

// a's rows, then b's, under a's name. Shapes of a row, columns and classes must agree.
Dataset concat(const Dataset& a, const Dataset& b);

// The mask, or ones where it is undefined.
Tensor observed(const Dataset& d);

// The share of values that is missing, 0 .. 1.
double missing_rate(const Dataset& d);

}  // namespace clade::data

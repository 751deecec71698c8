#include "data/scaling.h"

#include <algorithm>
#include <cmath>

#include "tensor/parallel.h"

namespace clade::data {
namespace {

// A table's values and mask as row-major arrays; `mask` is null where all is observed.
struct Rows {
  explicit Rows(const Dataset& d) : values_(d.values.contiguous()) {
    if (d.values.rank() != 2 || d.values.dtype() != DType::f32)
      fail("scaling", "a table f32 (N, D)", text(d.values), "images are in [0, 1] already");
    if (d.mask.defined()) mask_ = d.mask.contiguous();
    n = d.values.size(0), columns = d.values.size(1);
    values = values_.data<float>();
    mask = d.mask.defined() ? mask_.data<float>() : nullptr;
  }
  bool observed(int64_t i) const { return !mask || mask[i] != 0; }

  // body(x) for the observed values of column c, from the first row to the last.
  template <class Body>
  void each(int64_t c, Body body) const {
    for (int64_t i = c; i < n * columns; i += columns)
      if (observed(i)) body(double(values[i]));
  }

  int64_t n, columns;
  const float* values;
  const float* mask;

 private:
  Tensor values_, mask_;
};

struct Range {
  double low = 0, high = 0;
  bool is_point() const { return low == high; }
};

// Of the observed values of column c; 0 .. 0 where there are none.
Range range_of(const Rows& rows, int64_t c) {
  double low = INFINITY, high = -INFINITY;
  rows.each(c, [&](double x) { low = std::min(low, x), high = std::max(high, x); });
  return low <= high ? Range{low, high} : Range{};
}

struct ShiftScale {
  double shift, scale;
};

// learn(c) -> ShiftScale for each column; columns are independent.
template <class Learn>
Scaling learn_columns(const Rows& rows, Learn learn) {
  Scaling s{Tensor::empty({rows.columns}, DType::f64), Tensor::empty({rows.columns}, DType::f64)};
  double* shift = s.shift.data<double>();
  double* scale = s.scale.data<double>();
  parallel_for(rows.columns, 8, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      const ShiftScale column = learn(c);
      shift[c] = column.shift;
      scale[c] = column.scale;
    }
  });
  return s;
}

[[noreturn]] void refuse(const Dataset& table, int64_t c, float value, double scale) {
  fail("scaling",
       text("values that are finite on the scale of column ", c + 1,
            size_t(c) < table.columns.size() ? text(" (", table.columns[size_t(c)], ")") : ""),
       text(value, " with scale ", scale), "look for damaged values, or drop the column");
}

// value(x, shift, scale) for each observed value; missing ones stay 0.
template <class Value>
Dataset rescaled(const Dataset& table, const Scaling& s, Value value) {
  const Rows rows(table);
  if (s.shift.numel() != rows.columns)
    fail("scaling",
         text("a table of ", s.shift.numel(), " columns, as the one it was learned from"),
         text(table.values));
  Dataset out = table;
  out.values = Tensor::empty(table.values.shape());
  float* to = out.values.data<float>();
  const double* shift = s.shift.data<double>();
  const double* scale = s.scale.data<double>();
  parallel_for(rows.n, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * rows.columns; i < end * rows.columns; i++) {
      const int64_t c = i % rows.columns;
      to[i] = rows.observed(i) ? float(value(double(rows.values[i]), shift[c], scale[c])) : 0.0f;
      if (!std::isfinite(to[i])) refuse(table, c, rows.values[i], scale[c]);
    }
  });
  return out;
}

}  // namespace

Scaling Scaling::standard(const Dataset& table) {
  const Rows rows(table);
  return learn_columns(rows, [&](int64_t c) -> ShiftScale {
    const Range range = range_of(rows, c);
    if (range.is_point()) return {range.low, 1};
    double sum = 0, squares = 0, count = 0;
    rows.each(c, [&](double x) { sum += x, count++; });
    const double mean = sum / count;
    rows.each(c, [&](double x) { squares += (x - mean) * (x - mean); });
    return {mean, 1 / std::sqrt(squares / count)};
  });
}

Scaling Scaling::min_max(const Dataset& table) {
  const Rows rows(table);
  return learn_columns(rows, [&](int64_t c) -> ShiftScale {
    const Range range = range_of(rows, c);
    return {range.low, range.is_point() ? 1 : 1 / (range.high - range.low)};
  });
}

Dataset Scaling::apply(const Dataset& table) const {
  return rescaled(table, *this,
                  [](double x, double shift, double scale) { return (x - shift) * scale; });
}

Dataset Scaling::invert(const Dataset& table) const {
  return rescaled(table, *this,
                  [](double x, double shift, double scale) { return x / scale + shift; });
}

}  // namespace clade::data

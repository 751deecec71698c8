#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tensor/parallel.h"

namespace clade::data {
namespace {

constexpr int64_t kGrain = 1 << 16;  // values a chunk

// (N, C, H, W) in the order of axes that the tensor's shape suggests; (N, D) as it is.
Tensor as_rows(Tensor t) {
  if (t.rank() == 2) return t;
  if (t.rank() == 3) return t.unsqueeze(1);
  auto is_channels = [](int64_t size) { return size == 1 || size == 3; };
  if (!is_channels(t.size(1)) && is_channels(t.size(3))) return t.permute({0, 3, 1, 2});
  return t;
}

// Sets NaN to 0 and marks it in a mask, which stays undefined when there is none.
Tensor take_missing(const std::string& name, Tensor& values) {
  float* value = values.data<float>();
  const int64_t n = values.numel();
  int64_t missing = 0;
  for (int64_t i = 0; i < n; i++) {
    if (std::isinf(value[i]))
      fail("dataset", text("finite values, or NaN for missing ones, in ", name),
           "an infinite value");
    missing += std::isnan(value[i]);
  }
  if (missing == 0) return {};
  Tensor mask = Tensor::empty_like(values);
  float* seen = mask.data<float>();
  for (int64_t i = 0; i < n; i++) {
    seen[i] = std::isnan(value[i]) ? 0.0f : 1.0f;
    if (std::isnan(value[i])) value[i] = 0;
  }
  return mask;
}

// f64 and wide integers of a table are kept as f32, of about 7 digits: refused where those do not
// tell a column's values apart, as of a time in seconds since 1970.
void require_f32_will_do(const std::string& name, const Tensor& rows) {
  constexpr double kLevels = 1000;  // that a column's range should have
  const Tensor exact = rows.to(DType::f64).contiguous();
  const int64_t n = exact.size(0), d = exact.size(1);
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> low(size_t(d), infinity), high(size_t(d), -infinity), lost(size_t(d), 0.0);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) {
      const double v = exact.data<double>()[i * d + j];
      if (!std::isfinite(v)) continue;
      if (std::abs(v) > double(std::numeric_limits<float>::max()))
        fail("dataset", text("values that f32 holds in ", name),
             text(v, " in row ", i, ", column ", j), "scale the data");
      low[size_t(j)] = std::min(low[size_t(j)], v);
      high[size_t(j)] = std::max(high[size_t(j)], v);
      lost[size_t(j)] = std::max(lost[size_t(j)], std::abs(v - double(float(v))));
    }
  for (int64_t j = 0; j < d; j++)
    if (high[size_t(j)] > low[size_t(j)] &&
        lost[size_t(j)] * kLevels > high[size_t(j)] - low[size_t(j)])
      fail("dataset", text("columns whose values differ within 7 digits, as f32 keeps, in ", name),
           text("column ", j, " about ", low[size_t(j)], ", over a range of ",
                high[size_t(j)] - low[size_t(j)]),
           "take the mean off first");
}

Tensor concat_rows(const Tensor& a, const Tensor& b) {
  Tensor both = Tensor::empty(a.shape().with(0, a.size(0) + b.size(0)), a.dtype(),
                              a.is_channels_last() ? Layout::channels_last : Layout::row_major);
  both.slice(0, 0, a.size(0)).copy_(a);
  both.slice(0, a.size(0), both.size(0)).copy_(b);
  return both;
}

}  // namespace

Dataset from_tensor(const std::string& name, Tensor tensor) {
  if (tensor.rank() < 2 || tensor.rank() > 4 || tensor.numel() == 0)
    fail("dataset", "a table (N, D) or images (N, H, W), (N, C, H, W) with one row or more",
         text(tensor, " in ", name));
  Dataset d;
  d.name = name;
  const DType dtype = tensor.dtype();
  Tensor rows = as_rows(std::move(tensor));
  if (rows.rank() == 2 && dtype != DType::f32 && dtype != DType::u8)
    require_f32_will_do(name, rows);
  const bool as_kept = rows.rank() == 4 ? rows.is_channels_last() : rows.is_contiguous();
  const bool whole = int64_t(rows.storage().bytes()) == rows.numel() * 4;
  if (dtype == DType::f32 && as_kept && whole && rows.storage().owners() == 1) {
    d.values = std::move(rows);
  } else {
    d.values = Tensor::empty(rows.shape(), DType::f32, Layout::channels_last);
    d.values.copy_(rows);
  }
  if (dtype == DType::u8 && d.is_images()) {
    float* value = d.values.data<float>();
    parallel_for(d.values.numel(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) value[i] /= 255.0f;
    });
  }
  if (is_floating(dtype)) d.mask = take_missing(name, d.values);
  return d;
}

Dataset slice(const Dataset& d, int64_t begin, int64_t end) {
  Dataset part = d;
  part.values = d.values.slice(0, begin, end);
  if (d.mask.defined()) part.mask = d.mask.slice(0, begin, end);
  part.labels = d.labels.slice(begin, end);
  return part;
}

Dataset concat(const Dataset& a, const Dataset& b) {
  if (a.values.rank() != b.values.rank() ||
      !(a.values.shape().with(0, 0) == b.values.shape().with(0, 0)) || a.columns != b.columns)
    fail("dataset", text("two parts with rows alike: ", a.values), text(b.values));
  Dataset both = a;
  both.values = concat_rows(a.values, b.values);
  if (a.mask.defined() || b.mask.defined()) both.mask = concat_rows(observed(a), observed(b));
  both.labels = Labels::concat(a.labels, b.labels);
  return both;
}

Tensor observed(const Dataset& d) {
  if (d.mask.defined()) return d.mask;
  Tensor ones = Tensor::empty_like(d.values);
  ones.fill_(1);
  return ones;
}

double missing_rate(const Dataset& d) {
  if (!d.mask.defined()) return 0;
  Tensor mask = d.mask.contiguous();
  const float* seen = mask.data<float>();
  return double(std::count(seen, seen + mask.numel(), 0.0f)) / double(mask.numel());
}

}  // namespace clade::data

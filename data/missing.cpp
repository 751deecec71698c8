#include "data/missing.h"

#include <algorithm>
#include <cmath>

#include "tensor/parallel.h"

namespace clade::data {
namespace {

// The same data with values and mask of its own, dense and in the same layout, to be written to.
Dataset writable(const Dataset& d) {
  const Layout layout = d.is_images() ? Layout::channels_last : Layout::row_major;
  Dataset copy = d;
  copy.values = d.values.to_layout(layout).clone();
  copy.mask = observed(d).to_layout(layout).clone();
  return copy;
}

constexpr double kSlope = 2;  // of the logistic curves of MAR and MNAR

// Rows as f64 numbers in the row-major order of a row's values, and which were observed.
struct Table {
  explicit Table(const Dataset& d)
      : n(d.size()),
        columns(d.values.numel() / std::max<int64_t>(1, d.size())),
        values(d.values.reshape({n, columns}).contiguous()),
        mask(observed(d).reshape({n, columns}).contiguous()) {}
  int64_t n, columns;
  Tensor values, mask;

  bool has(int64_t i, int64_t j) const { return mask.data<float>()[i * columns + j] != 0; }
  double at(int64_t i, int64_t j) const { return double(values.data<float>()[i * columns + j]); }

  // Standardised by the observed values; 0 where missing and in columns of one value.
  std::vector<double> standardised(int64_t j) const {
    double count = 0, sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
      if (has(i, j)) count++, sum += at(i, j);
    const double mean = count > 0 ? sum / count : 0;
    for (int64_t i = 0; i < n; i++)
      if (has(i, j)) squares += (at(i, j) - mean) * (at(i, j) - mean);
    const double deviation = count > 0 ? std::sqrt(squares / count) : 0;
    std::vector<double> out(size_t(n), 0);
    for (int64_t i = 0; i < n; i++)
      if (has(i, j) && deviation > 0) out[size_t(i)] = (at(i, j) - mean) / deviation;
    return out;
  }
};

double sigmoid(double a) { return 1 / (1 + std::exp(-a)); }

// c such that the mean of sigmoid(slope s + c) is `rate`, by bisection: the mean rises with c.
double offset_for(const std::vector<double>& s, double slope, double rate) {
  double low = -60, high = 60;
  for (int step = 0; step < 60; step++) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (double v : s) sum += sigmoid(slope * v + middle);
    (sum < rate * double(s.size()) ? low : high) = middle;
  }
  return (low + high) / 2;
}

// Hides the value of row i and column j where draw i n + j falls below chance(j)[i]. A column's
// chances are made once; an empty vector leaves it whole.
template <class Chances>
Dataset hide_columns(const char* op, const Dataset& d, double rate, const Random& rng,
                     Chances chances) {
  if (!(rate >= 0 && rate < 1)) fail(op, "a rate in 0 .. 1, below 1", text(rate));
  const Table table(d);
  Tensor keep = Tensor::full({table.n, table.columns}, 1);
  parallel_for(table.columns, 8, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j++) {
      const std::vector<double> chance = chances(table, j);
      for (size_t i = 0; i < chance.size(); i++)
        if (rng.uniform_at(i * uint64_t(table.columns) + uint64_t(j)) < chance[i])
          keep.data<float>()[int64_t(i) * table.columns + j] = 0;
    }
  });
  Dataset out = writable(d);
  const Tensor kept = keep.reshape(d.values.shape())
                          .to_layout(d.is_images() ? Layout::channels_last : Layout::row_major);
  const float* k = kept.data<float>();
  float *values = out.values.data<float>(), *mask = out.mask.data<float>();
  for (int64_t i = 0; i < out.values.numel(); i++)
    if (k[i] == 0) values[i] = mask[i] = 0;
  return out;
}

}  // namespace

PatchOptions PatchOptions::for_width(int64_t width) {
  const int64_t mean = std::max<int64_t>(std::lround(double(width) * 10 / 32), 1);
  const int64_t spread = std::min<int64_t>(std::lround(double(width) * 3 / 32), mean - 1);
  return {mean - spread, mean + spread};
}

Dataset hide_patches(const Dataset& images, const PatchOptions& o, const Random& rng) {
  if (!images.is_images()) fail("hide_patches", "images (N, C, H, W)", text(images.values));
  const int64_t c = images.values.size(1), h = images.values.size(2), w = images.values.size(3);
  if (o.min_side < 1 || o.max_side < o.min_side || o.max_side > INT32_MAX)
    fail("hide_patches", "1 <= min_side <= max_side < 2^31", text(o.min_side, " .. ", o.max_side));
  if (o.margin < 0 || o.margin >= (std::min(h, w) + 1) / 2)
    fail("hide_patches", text("a margin of 0 or more that leaves pixels of ", h, " x ", w),
         text(o.margin));
  Dataset out = writable(images);
  float* values = out.values.data<float>();
  float* mask = out.mask.data<float>();
  const int64_t sides = o.max_side - o.min_side + 1;
  parallel_for(images.size(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const uint64_t draw = 4 * uint64_t(i);
      const int64_t height = o.min_side + rng.below_at(draw, sides);
      const int64_t width = o.min_side + rng.below_at(draw + 1, sides);
      const int64_t top = o.margin + rng.below_at(draw + 2, h - 2 * o.margin);
      const int64_t left = o.margin + rng.below_at(draw + 3, w - 2 * o.margin);
      const int64_t across = (std::min(left + width, w) - left) * c;
      for (int64_t y = top; y < std::min(top + height, h); y++) {
        const int64_t first = ((i * h + y) * w + left) * c;
        std::fill_n(values + first, across, 0.0f);
        std::fill_n(mask + first, across, 0.0f);
      }
    }
  });
  return out;
}

Dataset hide_at_random(const Dataset& d, double rate, const Random& rng) {
  if (!(rate >= 0 && rate <= 1)) fail("hide_at_random", "a rate in 0 .. 1", text(rate));
  Dataset out = writable(d);
  float* values = out.values.data<float>();
  float* mask = out.mask.data<float>();
  // Word i of the stream belongs to value i in memory; a Philox block gives four of them at once.
  const int64_t n = out.values.numel();
  parallel_for((n + 3) / 4, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const PhiloxBlock block = philox(uint64_t(b), rng.stream(), rng.seed());
      for (int64_t i = 4 * b; i < std::min(4 * b + 4, n); i++)
        if (double(unit_float(block.word[i % 4])) < rate) values[i] = mask[i] = 0;
    }
  });
  return out;
}

Dataset hide_by_column(const Dataset& d, double rate, const Random& rng) {
  const char* op = "hide_by_column";
  const int64_t columns = d.values.numel() / std::max<int64_t>(1, d.size());
  if (columns < 2) fail(op, "2 columns or more", text(columns), "take hide_at_random");
  const double share = rate * double(columns) / double(columns - 1);  // of the other columns
  if (!(rate >= 0 && share < 1))
    fail(op, text("a rate of 0 or more, below ", 1 - 1 / double(columns), ", as one column stays"),
         text(rate));
  const Random draw = rng.fork("driver");
  const int64_t driver = draw.below_at(0, columns);
  return hide_columns(op, d, rate, rng, [&](const Table& t, int64_t j) {
    if (j == driver || rate == 0) return std::vector<double>{};
    std::vector<double> s = t.standardised(driver);
    const double slope = draw.below_at(1 + uint64_t(j), 2) ? kSlope : -kSlope,
                 c = offset_for(s, slope, share);
    for (double& v : s) v = sigmoid(slope * v + c);
    return s;
  });
}

Dataset hide_by_value(const Dataset& d, double rate, const Random& rng) {
  return hide_columns("hide_by_value", d, rate, rng, [&](const Table& t, int64_t j) {
    if (rate == 0) return std::vector<double>{};
    std::vector<double> s = t.standardised(j);
    const double c = offset_for(s, kSlope, rate);
    for (double& v : s) v = sigmoid(kSlope * v + c);
    return s;
  });
}

}  // namespace clade::data

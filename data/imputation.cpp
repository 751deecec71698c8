#include "data/imputation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "data/batches.h"
#include "tensor/parallel.h"

namespace clade::data {
namespace {

// The pixels around one, nearest first: (dy, dx) by distance, then from above, then from the left.
std::vector<std::array<int32_t, 2>> offsets_by_distance(int64_t h, int64_t w) {
  std::vector<std::array<int32_t, 2>> out;
  for (int32_t y = int32_t(1 - h); y < h; y++)
    for (int32_t x = int32_t(1 - w); x < w; x++)
      if (y || x) out.push_back({y, x});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    auto square = [](const auto& o) { return int64_t(o[0]) * o[0] + int64_t(o[1]) * o[1]; };
    return square(a) < square(b);
  });
  return out;
}

// Each missing pixel of a plane (h, w) becomes the mean of its `wanted` nearest observed ones.
void fill_from_nearest(float* value, const float* mask, int64_t h, int64_t w, int wanted,
                       const std::vector<std::array<int32_t, 2>>& offsets) {
  for (int64_t y = 0; y < h; y++)
    for (int64_t x = 0; x < w; x++) {
      if (mask[y * w + x] != 0) continue;
      double sum = 0;
      int found = 0;
      for (const auto& o : offsets) {
        const int64_t py = y + o[0], px = x + o[1];
        if (py < 0 || py >= h || px < 0 || px >= w || mask[py * w + px] == 0) continue;
        sum += double(value[py * w + px]);  // observed ones are never written to
        if (++found == wanted) break;
      }
      value[y * w + x] = found ? float(sum / found) : 0.0f;
    }
}

// What stands in for the missing values of column j, from those that it has.
struct ColumnFacts {
  double mean = 0, low = 0, high = 0;
};
ColumnFacts facts_of(const float* values, const float* mask, int64_t n, int64_t columns,
                     int64_t j) {
  double sum = 0, count = 0, low = INFINITY, high = -INFINITY;
  for (int64_t i = j; i < n * columns; i += columns) {
    if (mask[i] == 0) continue;
    const double v = double(values[i]);
    sum += v, count++, low = std::min(low, v), high = std::max(high, v);
  }
  return count > 0 ? ColumnFacts{sum / count, low, high} : ColumnFacts{};
}

}  // namespace

Imputation imputation_of(const std::string& name) {
  if (name == "zero") return Imputation::zero;
  if (name == "random") return Imputation::random;
  if (name == "nearest") return Imputation::nearest;
  if (name == "two-nearest") return Imputation::two_nearest;
  if (name == "mean") return Imputation::mean;
  fail("imputation", "zero, random, nearest, two-nearest or mean", text("'", name, "'"));
}

Dataset impute(const Dataset& d, Imputation how, const Random& rng) {
  Dataset out = d;
  out.mask = {};
  if (!d.mask.defined()) return out;
  const bool nearest = how == Imputation::nearest || how == Imputation::two_nearest;
  if (nearest && !d.is_images())
    fail("impute", "images for nearest pixels", text("a table ", d.values.shape()),
         "take mean, or the k nearest rows");
  // Row-major: planes are whole, and the order of draws is that of the contract.
  Tensor values = d.values.contiguous().clone();
  const Tensor mask = d.mask.contiguous();
  float* v = values.data<float>();
  const float* m = mask.data<float>();
  const int64_t n = d.size(), columns = n ? values.numel() / n : 0;

  if (nearest) {
    const int64_t h = d.values.size(2), w = d.values.size(3);
    const auto offsets = offsets_by_distance(h, w);
    const int wanted = how == Imputation::nearest ? 1 : 2;
    parallel_for(n * d.values.size(1), 8, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++)
        fill_from_nearest(v + p * h * w, m + p * h * w, h, w, wanted, offsets);
    });
  } else {
    parallel_for(columns, 16, [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; j++) {
        ColumnFacts facts;
        if (how != Imputation::zero) facts = facts_of(v, m, n, columns, j);
        if (d.is_images()) facts.low = 0, facts.high = 1;
        for (int64_t i = j; i < n * columns; i += columns) {
          if (m[i] != 0) continue;
          const double u = how == Imputation::random ? rng.uniform_at(uint64_t(i)) : 0;
          v[i] = how == Imputation::zero   ? 0.0f
                 : how == Imputation::mean ? float(facts.mean)
                                           : float(facts.low + u * (facts.high - facts.low));
        }
      }
    });
  }
  out.values = d.is_images() ? values.to_layout(Layout::channels_last) : values;
  return out;
}

CompleteRows complete_rows(const Dataset& d) {
  std::vector<int64_t> rows;
  const Tensor mask = d.mask.defined() ? d.mask.contiguous() : Tensor();
  const int64_t columns = d.size() ? d.values.numel() / d.size() : 0;
  for (int64_t i = 0; i < d.size(); i++) {
    const float* m = mask.defined() ? mask.data<float>() + i * columns : nullptr;
    if (!m || std::all_of(m, m + columns, [](float v) { return v != 0; })) rows.push_back(i);
  }
  if (rows.empty())
    fail("complete_rows", "a row of which nothing is missing", text("none of ", d.size()),
         "impute, or take a model with a mask");
  CompleteRows out;
  out.rows = Tensor::from(rows, {int64_t(rows.size())});
  out.data = d;
  out.data.mask = {};
  out.data.values = gather_rows(d.values, out.rows);
  if (d.labels.defined()) {
    const auto ids = d.labels.ids().to_vector<int32_t>();
    std::vector<int32_t> kept;
    for (int64_t row : rows) kept.push_back(ids[size_t(row)]);
    out.data.labels = Labels(Tensor::from(kept, {int64_t(kept.size())}), d.labels.names());
  }
  return out;
}

double rmse_of_removed(const Dataset& truth, const Dataset& hidden, const Tensor& filled) {
  const Shape shape = truth.values.shape();
  if (!(hidden.values.shape() == shape) || !(filled.shape() == shape))
    fail("rmse_of_removed", text("values of shape ", shape),
         text(hidden.values.shape(), " and ", filled.shape()));
  const Tensor want = truth.values.contiguous(), got = filled.contiguous(),
               before = observed(truth).contiguous(), after = observed(hidden).contiguous();
  double sum = 0, count = 0;
  for (int64_t i = 0; i < want.numel(); i++) {
    if (before.data<float>()[i] == 0 || after.data<float>()[i] != 0) continue;
    const double e = double(got.data<float>()[i]) - double(want.data<float>()[i]);
    sum += e * e, count++;
  }
  if (count == 0) fail("rmse_of_removed", "values that were removed", "none");
  return std::sqrt(sum / count);
}

double structural_similarity(const Tensor& a, const Tensor& b) {
  constexpr int64_t kWindow = 11;
  constexpr double kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03, kSigma = 1.5;
  if (a.rank() != 4 || !(a.shape() == b.shape()) || a.size(2) < kWindow || a.size(3) < kWindow)
    fail("structural_similarity", "two sets of images (N, C, H, W) of one shape, 11 x 11 or larger",
         text(a, " and ", b));
  double weight[kWindow], total = 0;
  for (int64_t i = 0; i < kWindow; i++)
    total += weight[i] = std::exp(-double((i - 5) * (i - 5)) / (2 * kSigma * kSigma));
  for (double& w : weight) w /= total;

  const Tensor x = a.to(DType::f32).contiguous(), y = b.to(DType::f32).contiguous();
  const int64_t h = a.size(2), w = a.size(3), across = w - kWindow + 1, down = h - kWindow + 1;
  // Sums of x, y, x^2, y^2 and xy under the window: along rows, then along columns.
  auto of_plane = [&](const float* p, const float* q) {
    std::vector<std::array<double, 5>> rows(size_t(h * across));
    for (int64_t i = 0; i < h; i++)
      for (int64_t j = 0; j < across; j++)
        for (int64_t k = 0; k < kWindow; k++) {
          const double u = double(p[i * w + j + k]), v = double(q[i * w + j + k]);
          auto& s = rows[size_t(i * across + j)];
          s[0] += weight[k] * u, s[1] += weight[k] * v, s[2] += weight[k] * u * u;
          s[3] += weight[k] * v * v, s[4] += weight[k] * u * v;
        }
    double sum = 0;
    for (int64_t i = 0; i < down; i++)
      for (int64_t j = 0; j < across; j++) {
        std::array<double, 5> s{};
        for (int64_t k = 0; k < kWindow; k++)
          for (size_t l = 0; l < 5; l++) s[l] += weight[k] * rows[size_t((i + k) * across + j)][l];
        const double mx = s[0], my = s[1], vx = s[2] - mx * mx, vy = s[3] - my * my,
                     cov = s[4] - mx * my;
        sum +=
            (2 * mx * my + kC1) * (2 * cov + kC2) / ((mx * mx + my * my + kC1) * (vx + vy + kC2));
      }
    return sum / double(down * across);
  };
  const int64_t planes = a.size(0) * a.size(1);
  const double sum = parallel_reduce(
      planes, 8, 0.0,
      [&](int64_t begin, int64_t end) {
        double part = 0;
        for (int64_t p = begin; p < end; p++)
          part += of_plane(x.data<float>() + p * h * w, y.data<float>() + p * h * w);
        return part;
      },
      [](double l, double r) { return l + r; });
  return sum / double(std::max<int64_t>(1, planes));
}

}  // namespace clade::data

// Choosing the images: the principal axes of a sample, and a probe of what each length would cost.
//
// The axes come from subspace iteration (Golub & Van Loan, Matrix Computations, 4th ed., section
// 8.2.4): they need not be exact, any orthonormal basis bounds distances. The probe takes some
// queries, finds their k-th neighbour's distance among all points, and counts in a sample of points
// how many images of each length would be nearer than that. Then the cheapest plan by a model of
// the time on one core is taken; on data without structure that is the rows themselves.
#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/linalg/eigen.h"
#include "clustering/linalg/matrix.h"
#include "clustering/neighbors/image.h"
#include "kernels/distance/distance.h"
#include "kernels/gemm/gemm.h"
#include "tensor/parallel.h"
#include "tensor/random.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kLeastColumns = 48, kLeastPoints = 4096, kMostAxes = 256;
constexpr int64_t kAxesSample = 2048, kPointSample = 4096, kProbes = 64;
constexpr int64_t kProbeElements = int64_t{1} << 24;  // of their distances to all points

// `count` rows of x, evenly spread, centred and scaled, f64.
Tensor spread_rows(const Tensor& x, int64_t count, const ImagePlan& plan) {
  const int64_t n = x.size(0), d = x.size(1);
  Tensor out = Tensor::empty({count, d}, DType::f64);
  dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* from = x.data<decltype(zero)>();
    parallel_for(count, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const auto* row = from + i * n / count * d;
        for (int64_t j = 0; j < d; j++)
          out.data<double>()[i * d + j] = (double(row[j]) - plan.mean[size_t(j)]) * plan.scale;
      }
    });
  });
  return out;
}

Tensor product(const Tensor& a, const Tensor& b) {
  Tensor out = Tensor::empty({a.size(0), b.size(1)}, DType::f64);
  kernels::gemm(kernels::Cpu{}, a.view(), b.view(), out.view());
  return out;
}

double dot(const double* a, const double* b, int64_t d) {
  constexpr int64_t kLanes = 8;
  double sum[kLanes] = {};
  with_vectors([&] {
    int64_t j = 0;
    for (; j + kLanes <= d; j += kLanes)
      for (int64_t l = 0; l < kLanes; l++) sum[l] += a[j + l] * b[j + l];
    for (; j < d; j++) sum[0] += a[j] * b[j];
  });
  double total = 0;
  for (double s : sum) total += s;
  return total;
}

// Gram-Schmidt, twice, on the rows of q; those that depend on earlier ones are dropped.
Tensor orthonormal_rows(const Tensor& q) {
  const int64_t d = q.size(1);
  Tensor out = q.clone();
  double* rows = out.data<double>();
  int64_t kept = 0;
  for (int64_t i = 0; i < q.size(0); i++) {
    double *row = rows + kept * d, *from = rows + i * d;
    if (row != from) std::copy_n(from, d, row);
    const double length = std::sqrt(dot(row, row, d));
    for (int pass = 0; pass < 2; pass++)
      for (int64_t l = 0; l < kept; l++) {
        const double along = dot(row, rows + l * d, d);
        const double* other = rows + l * d;
        with_vectors([&] {
          for (int64_t j = 0; j < d; j++) row[j] -= along * other[j];
        });
      }
    const double left = std::sqrt(dot(row, row, d));
    if (!(left > 1e-6 * length)) continue;
    for (int64_t j = 0; j < d; j++) row[j] /= left;
    kept++;
  }
  return out.slice(0, 0, kept).clone();
}

// (h, d): the strongest axes of the rows of `sample`, strongest first; fewer if it has fewer.
Tensor principal_axes(const Tensor& sample, int64_t h) {
  Random rng(0x696d616765);
  Tensor q = randn({h, sample.size(1)}, rng, DType::f64);
  const Tensor turned = sample.transpose(0, 1);
  for (int round = 0; round < 3; round++) q = orthonormal_rows(product(product(q, turned), sample));
  if (q.size(0) == 0) return q;
  const Tensor y = product(q, turned);  // Rayleigh-Ritz: the axes within their plane
  return product(symmetric_eigen(product(y, y.transpose(0, 1))).vectors, q);
}

// Squared distance (in the plan's scale) of the k-th neighbour of each of `count` spread queries;
// rough, and of a query itself among the points it is one too many.
std::vector<double> kth_distances(const Tensor& queries, const Tensor& points, int64_t count,
                                  int64_t k, double scale) {
  const int64_t n = queries.size(0), m = points.size(0), d = points.size(1);
  Tensor some = Tensor::empty({count, d}, points.dtype());
  for (int64_t i = 0; i < count; i++) some.select(0, i).copy_(queries.select(0, i * n / count));
  Tensor squared = Tensor::empty({count, m}, points.dtype());
  kernels::squared_distances(kernels::Cpu{}, some.view(), points.view(), squared.view());
  std::vector<double> kth(static_cast<size_t>(count));
  dispatch_floating(points.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        T* row = squared.data<T>() + i * m;
        std::nth_element(row, row + std::min(k, m - 1), row + m);
        kth[size_t(i)] = double(row[std::min(k, m - 1)]) * scale * scale;
      }
    });
  });
  return kth;
}

// survivors[l]: points, on average, whose image of lengths[l] axes is within the k-th distance.
std::vector<double> count_survivors(const Tensor& query_rows, const Tensor& point_rows,
                                    const Tensor& axes, const std::vector<double>& kth,
                                    const std::vector<int64_t>& lengths) {
  const int64_t p = query_rows.size(0), s = point_rows.size(0), d = axes.size(1);
  const int64_t most = axes.size(0);
  const Tensor zq = product(query_rows, axes.transpose(0, 1));
  const Tensor zp = product(point_rows, axes.transpose(0, 1));
  auto rests = [&](const Tensor& rows, const Tensor& z) {  // squared norms beyond each length
    std::vector<double> rest;
    for (int64_t i = 0; i < rows.size(0); i++) {
      const double *row = rows.data<double>() + i * d, *head = z.data<double>() + i * most;
      double left = dot(row, row, d);
      int64_t done = 0;
      for (int64_t length : lengths) {
        left -= dot(head + done, head + done, length - done);
        rest.push_back(std::max(left, 0.0));
        done = length;
      }
    }
    return rest;
  };
  const std::vector<double> rest_q = rests(query_rows, zq), rest_p = rests(point_rows, zp);
  const size_t count = lengths.size();
  using Counts = std::vector<double>;
  Counts sum = parallel_reduce(
      p, 1, Counts(count, 0.0),
      [&](int64_t begin, int64_t end) {
        Counts hits(count, 0.0);
        for (int64_t i = begin; i < end; i++)
          for (int64_t j = 0; j < s; j++) {
            const double *a = zq.data<double>() + i * most, *b = zp.data<double>() + j * most;
            double squared = 0;
            for (size_t l = 0, axis = 0; l < count; l++) {
              for (; axis < size_t(lengths[l]); axis++)
                squared += (a[axis] - b[axis]) * (a[axis] - b[axis]);
              if (squared > kth[size_t(i)]) break;
              const double gap = std::sqrt(rest_q[size_t(i) * count + l]) -
                                 std::sqrt(rest_p[size_t(j) * count + l]);
              hits[l] += squared + gap * gap <= kth[size_t(i)];
            }
          }
        return hits;
      },
      [](Counts a, const Counts& b) {
        for (size_t l = 0; l < a.size(); l++) a[l] += b[l];
        return a;
      });
  for (double& c : sum) c /= double(p) * double(s);
  return sum;
}

// Nanoseconds of one core for one query, as measured at 2.5 GHz with AVX-512: only ratios matter.
struct CostModel {
  double points, columns;
  double pair(int64_t width) const { return points * (0.25 + 0.017 * double(width + 1)); }
  double wait(double rows) const { return rows * 200; }
  double rough(double rows, int64_t deep) const { return rows * (60 + 0.7 * double(deep)); }
  double measure(double rows) const { return rows * (60 + 1.0 * columns); }
};

void choose(ImagePlan& plan, const std::vector<int64_t>& lengths, const std::vector<double>& share,
            int64_t points, int64_t k) {
  const CostModel cost{double(points), double(plan.mean.size())};
  const double few = double(2 * k + 16);
  double best = cost.pair(int64_t(plan.mean.size())) + cost.measure(few);
  for (size_t a = 0; a < lengths.size(); a++) {
    const double first = share[a] * double(points) + few;
    const double base = cost.pair(lengths[a] + 1) + cost.wait(first);
    auto offer = [&](double total, int64_t deep) {
      if (total >= best) return;
      best = total;
      plan.head = lengths[a], plan.deep = deep, plan.expected = int64_t(first);
    };
    offer(base + cost.measure(first), 0);
    for (size_t b = a + 1; b < lengths.size(); b++)
      offer(base + cost.rough(first, lengths[b]) + cost.measure(share[b] * double(points) + few),
            lengths[b]);
  }
}

double largest_deviation(const Tensor& x, const std::vector<double>& mean) {
  const int64_t d = x.size(1);
  return dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    return parallel_reduce(
        x.size(0), 1024, 0.0,
        [&](int64_t begin, int64_t end) {
          double most = 0;
          for (int64_t i = begin; i < end; i++)
            for (int64_t j = 0; j < d; j++)
              most = std::max(most, std::abs(double(data[i * d + j]) - mean[size_t(j)]));
          return most;
        },
        [](double a, double b) { return std::max(a, b); });
  });
}

// Fills in mean and scale; returns the largest deviation.
double centre(const char* op, const Tensor& queries, const Tensor& points, ImagePlan& plan) {
  plan.mean = column_means(points);
  const double most =
      std::max(largest_deviation(points, plan.mean), largest_deviation(queries, plan.mean));
  if (!(most <= 1e300))
    fail(op, "values within +-1e300", text("values ", most, " from their mean"), "scale the data");
  int exponent = 0;
  std::frexp(most, &exponent);  // most = f 2^exponent with f in [0.5, 1), or 0
  plan.scale = std::ldexp(1.0, std::clamp(-exponent, -1000, 1000));
  return most;
}

}  // namespace

ImagePlan plain_images(const char* op, const Tensor& queries, const Tensor& points) {
  ImagePlan plan;
  centre(op, queries, points, plan);
  return plan;
}

ImagePlan plan_images(const char* op, const Tensor& queries, const Tensor& points, int64_t k) {
  const int64_t n = queries.size(0), m = points.size(0), d = points.size(1);
  ImagePlan plan;
  const double most = centre(op, queries, points, plan);
  if (2 * most * std::sqrt(double(d)) > double(std::numeric_limits<float>::max()))
    fail(op, "distances below 3.4e38 (f32)", text("values ", most, " from their mean"),
         "scale the data");
  // f32 cannot hold a larger factor than 2^127; data that small loses nothing by staying small.
  plan.scale = std::min(plan.scale, 0x1p126);
  if (d < kLeastColumns || m < kLeastPoints || n < 16 * kProbes || most == 0) return plan;

  const Tensor axes = principal_axes(spread_rows(points, std::min(m, kAxesSample), plan),
                                     std::min(kMostAxes, d / 2));
  std::vector<int64_t> lengths;
  for (int64_t length : {16, 24, 32, 48, 64, 96, 128, 192, 256})
    if (length <= axes.size(0)) lengths.push_back(length);
  if (lengths.empty()) return plan;
  const int64_t probes = std::clamp(kProbeElements / m, int64_t{8}, kProbes);
  const std::vector<double> kth = kth_distances(queries, points, probes, k, plan.scale);
  choose(plan, lengths,
         count_survivors(spread_rows(queries, probes, plan),
                         spread_rows(points, std::min(m, kPointSample), plan), axes, kth, lengths),
         m, k);
  if (plan.head) plan.basis = axes.slice(0, 0, std::max(plan.head, plan.deep)).contiguous();
  return plan;
}

}  // namespace clade::cluster

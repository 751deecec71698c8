#include "clustering/linalg/matrix.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/sum_rows.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

// Index of the first element for which bad(x), or -1.
template <class T, class Bad>
int64_t first_bad(const T* x, int64_t count, Bad&& bad) {
  auto scan = [&](int64_t begin, int64_t end) -> int64_t {
    int any = 0;  // a loop without an exit is vectorised
    with_vectors([&] {
      for (int64_t i = begin; i < end; i++) any |= int(bad(x[i]));
    });
    if (!any) return -1;
    return std::find_if(x + begin, x + end, bad) - x;
  };
  auto first = [](int64_t a, int64_t b) { return a >= 0 ? a : b; };
  return parallel_reduce(count, int64_t{1} << 18, int64_t{-1}, scan, first);
}

}  // namespace

Tensor dense_matrix(const char* op, const Tensor& x, const char* name) {
  std::string expected = text(name, " (n, d) of f32 or f64 with n >= 1 and d >= 1");
  if (!x.defined() || x.rank() != 2 || x.numel() == 0 || !is_floating(x.dtype()))
    fail(op, expected, text(x));
  if (!x.device().is_cpu())
    fail(op, text(name, " on the CPU"), text(x), "copy it to the CPU first");
  return x.contiguous();
}

void require_apart(const char* op, const Tensor& layout) {
  const int64_t n = layout.size(0), r = layout.size(1);
  const float* y = layout.data<float>();
  for (int64_t e = r; e < n * r; e++)
    if (y[e] != y[e % r]) return;
  if (n > 1) fail(op, "initial places that differ", text("one place for all ", n, " rows"));
}

template <class T>
bool all_finite(const T* x, int64_t count) {
  int bad = 0;
  with_vectors([&] {
    for (int64_t i = 0; i < count; i++) bad |= int(!std::isfinite(x[i]));
  });
  return !bad;
}
template bool all_finite<float>(const float*, int64_t);
template bool all_finite<double>(const double*, int64_t);

Tensor matrix_with_holes(const char* op, const Tensor& x, const char* name) {
  Tensor dense = dense_matrix(op, x, name);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    int64_t bad = first_bad(dense.data<T>(), dense.numel(), [](T v) { return std::isinf(v); });
    if (bad >= 0)
      fail(op, text("finite values or NaN in ", name),
           text("an infinity in row ", bad / x.size(1), ", column ", bad % x.size(1)),
           "write NaN where a value is missing");
  });
  return dense;
}

Tensor check_weights(const char* op, const Tensor& weights, int64_t n) {
  if (!weights.defined()) return weights;
  if (!(weights.shape() == Shape{n}) || !is_floating(weights.dtype()))
    fail(op, text("weights (n) = ", Shape{n}, " of f32 or f64"), text(weights));
  Tensor w = weights.to(DType::f64).contiguous();
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    double wi = w.data<double>()[i];
    if (!(wi >= 0) || std::isinf(wi)) fail(op, "finite weights >= 0", text(wi, " in row ", i));
    sum += wi;
  }
  if (!(sum > 0)) fail(op, "a positive weight", "only zeros");
  return w;
}

double largest_magnitude(const Tensor& x) {
  return dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    return parallel_reduce(
        x.numel(), int64_t{1} << 18, 0.0,
        [&](int64_t begin, int64_t end) {
          double most = 0;
          for (int64_t i = begin; i < end; i++) most = std::max(most, std::abs(double(data[i])));
          return most;
        },
        [](double a, double b) { return std::max(a, b); });
  });
}

Tensor finite_matrix(const char* op, const Tensor& x, const char* name) {
  Tensor dense = dense_matrix(op, x, name);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    int64_t bad = first_bad(dense.data<T>(), dense.numel(), [](T v) { return !std::isfinite(v); });
    if (bad < 0) return;
    const char* what = std::isnan(dense.data<T>()[bad]) ? "NaN" : "an infinity";
    fail(op, text("finite values in ", name),
         text(what, " in row ", bad / x.size(1), ", column ", bad % x.size(1)),
         "fill in or drop missing values first");
  });
  return dense;
}

std::vector<double> column_means(const Tensor& x, const Tensor& w) {
  int64_t n = x.size(0), d = x.size(1);
  const double* weight = w.defined() ? w.data<double>() : nullptr;
  double total = 0;
  for (int64_t i = 0; i < n; i++) total += weight ? weight[i] : 1.0;
  std::vector<double> mean = dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    return sum_rows(n, d, [&](int64_t i, double* sum) {
      double wi = weight ? weight[i] : 1.0;
      for (int64_t j = 0; j < d; j++) sum[j] += wi * double(data[i * d + j]);
    });
  });
  for (double& m : mean) m /= total;
  return mean;
}

std::vector<double> column_variances(const Tensor& x, const std::vector<double>& mean) {
  int64_t n = x.size(0), d = x.size(1);
  std::vector<double> variance = dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    return sum_rows(n, d, [&](int64_t i, double* sum) {
      for (int64_t j = 0; j < d; j++) {
        double c = double(data[i * d + j]) - mean[size_t(j)];
        sum[j] += c * c;
      }
    });
  });
  for (double& v : variance) v /= double(n);
  return variance;
}

}  // namespace clade::cluster

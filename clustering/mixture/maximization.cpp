#include "clustering/mixture/maximization.h"

#include <limits>

#include "clustering/linalg/scatter.h"
#include "clustering/linalg/sum_rows.h"
#include "tensor/memory.h"
#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

// (k, d): sum_i r_ic (x_ij - m_cj), or the sum of its squares.
std::vector<double> weighted_sums(const Tensor& x, const Tensor& r, const Tensor& means,
                                  bool squared) {
  int64_t n = x.size(0), d = x.size(1), k = r.size(1);
  const double *weight = r.data<double>(), *mean = means.data<double>();
  return dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* data = x.data<decltype(zero)>();
    return sum_rows(n, k * d, [&](int64_t i, double* sum) {
      for (int64_t c = 0; c < k; c++) {
        double w = weight[i * k + c];
        if (w == 0) continue;
        const auto* row = data + i * d;
        const double* m = mean + c * d;
        double* to = sum + c * d;
        with_vectors([&] {
          for (int64_t j = 0; j < d; j++) {
            const double v = double(row[j]) - m[j];
            to[j] += w * (squared ? v * v : v);
          }
        });
      }
    });
  });
}

Tensor empty_covariances(Covariance kind, int64_t k, int64_t d) {
  switch (kind) {
    case Covariance::full: return Tensor::zeros({k, d, d}, DType::f64);
    case Covariance::diagonal: return Tensor::zeros({k, d}, DType::f64);
    case Covariance::spherical: return Tensor::zeros({k}, DType::f64);
    case Covariance::tied: break;
  }
  return Tensor::zeros({d, d}, DType::f64);
}

// Covariances about the means, from responsibilities r (n, k) and N_c.
Tensor covariances_of(const Tensor& x, const Tensor& r, const Tensor& means,
                      const std::vector<double>& counts, Covariance kind, double reg_covar) {
  int64_t d = x.size(1), k = r.size(1);
  Tensor out = empty_covariances(kind, k, d);
  double* s = out.data<double>();
  if (kind == Covariance::full || kind == Covariance::tied) {
    Scratch<double> scatter(d * d);
    double all = 0;
    for (double count : counts) all += count;
    for (int64_t c = 0; c < k; c++) {
      bool full = kind == Covariance::full;
      scatter_matrix(x, means.data<double>() + c * d, r.data<double>() + c, k, scatter.data());
      double* to = full ? s + c * d * d : s;
      for (int64_t e = 0; e < d * d; e++) to[e] += scatter[e] / (full ? counts[size_t(c)] : all);
    }
    for (int64_t e = 0; e < out.numel(); e++)
      if (e % (d * d) % (d + 1) == 0) s[e] += reg_covar;  // the diagonals
    return out;
  }
  std::vector<double> squares = weighted_sums(x, r, means, true);
  for (int64_t e = 0; e < k * d; e++) {
    double variance = squares[size_t(e)] / counts[size_t(e / d)];
    if (kind == Covariance::diagonal)
      s[e] = variance + reg_covar;
    else
      s[e / d] += (variance + reg_covar) / double(d);
  }
  return out;
}

}  // namespace

void maximize(const Tensor& x, const Tensor& r, double reg_covar, Gmm* gmm) {
  int64_t n = x.size(0), d = x.size(1), k = r.size(1);
  std::vector<double> counts = sum_rows(n, k, [&](int64_t i, double* sum) {
    for (int64_t c = 0; c < k; c++) sum[c] += r.data<double>()[i * k + c];
  });
  double total = 0;
  // A component that nobody wants keeps a trace of weight, so that its logarithm stays finite.
  for (double& count : counts) total += count += 10 * std::numeric_limits<double>::epsilon();
  gmm->means = Tensor::zeros({k, d}, DType::f64);
  std::vector<double> sums = weighted_sums(x, r, gmm->means, false);
  gmm->weights = Tensor::empty({k}, DType::f64);
  for (int64_t c = 0; c < k; c++) gmm->weights.data<double>()[c] = counts[size_t(c)] / total;
  for (int64_t e = 0; e < k * d; e++)
    gmm->means.data<double>()[e] = sums[size_t(e)] / counts[size_t(e / d)];
  gmm->covariances = covariances_of(x, r, gmm->means, counts, gmm->covariance, reg_covar);
}

}  // namespace clade::cluster

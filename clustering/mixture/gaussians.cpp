#include "clustering/mixture/gaussians.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/cholesky.h"
#include "kernels/gemm/gemm.h"
#include "tensor/memory.h"

namespace clade::cluster {
namespace {

constexpr double kLogTwoPi = 1.8378770664093453;

[[noreturn]] void not_positive(int64_t component) {
  fail("gmm", "positive definite covariances", text("a singular one in component ", component),
       "raise reg_covar, scale the data or ask for fewer components");
}

// W of one covariance matrix (d, d), which may get a jitter; returns ln |W|.
double whiten_matrix(double* covariance, int64_t d, int64_t component, double* w) {
  double trace = 0;
  for (int64_t j = 0; j < d; j++) trace += covariance[j * d + j];
  double jitter = 0;
  std::copy_n(covariance, d * d, w);
  while (!cholesky(w, d)) {
    double next = jitter == 0 ? 1e-10 : 10 * jitter;
    if (!(next < 2e-2) || !(trace > 0)) not_positive(component);
    for (int64_t j = 0; j < d; j++) covariance[j * d + j] += (next - jitter) * trace / double(d);
    jitter = next;
    std::copy_n(covariance, d * d, w);
  }
  double log_det = 0;
  for (int64_t j = 0; j < d; j++) log_det -= std::log(w[j * d + j]);
  invert_lower(w, d);
  return log_det;
}

double whiten_variance(double variance, int64_t component, double* w) {
  if (!(variance > 0)) not_positive(component);
  *w = 1 / std::sqrt(variance);
  return std::log(*w);
}

template <class T>
void subtract_mean(const T* x, int64_t rows, int64_t d, const double* mean, double* out) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < d; j++) out[i * d + j] = double(x[i * d + j]) - mean[j];
}

}  // namespace

Whitening whiten(Covariance kind, Tensor& covariances, int64_t k, int64_t d) {
  Whitening out{kind, Tensor::empty(covariances.shape(), DType::f64), {}};
  double *s = covariances.data<double>(), *w = out.w.data<double>();
  for (int64_t c = 0; c < k; c++) {
    double log_det = 0;
    switch (kind) {
      case Covariance::full: log_det = whiten_matrix(s + c * d * d, d, c, w + c * d * d); break;
      case Covariance::tied: log_det = c == 0 ? whiten_matrix(s, d, c, w) : out.log_det[0]; break;
      case Covariance::spherical: log_det = double(d) * whiten_variance(s[c], c, w + c); break;
      case Covariance::diagonal:
        for (int64_t j = c * d; j < (c + 1) * d; j++) log_det += whiten_variance(s[j], c, w + j);
        break;
    }
    out.log_det.push_back(log_det);
  }
  return out;
}

void log_densities(const Whitening& whitening, const Tensor& means, const Tensor& x, int64_t begin,
                   int64_t end, double* out) {
  int64_t k = means.size(0), d = means.size(1), rows = end - begin;
  bool matrix = whitening.kind == Covariance::full || whitening.kind == Covariance::tied;
  const double* w = whitening.w.data<double>();
  Scratch<double> centred(rows * d), product(matrix ? rows * d : 0);
  for (int64_t c = 0; c < k; c++) {
    dispatch_floating(x.dtype(), [&](auto zero) {
      subtract_mean(x.data<decltype(zero)>() + begin * d, rows, d, means.data<double>() + c * d,
                    centred.data());
    });
    double* y = centred.data();  // becomes W (x - m)
    switch (whitening.kind) {
      case Covariance::full:
      case Covariance::tied:
        kernels::gemm_serial<double>(false, true, rows, d, d, 1.0, centred.data(), d,
                                     whitening.kind == Covariance::full ? w + c * d * d : w, d, 0.0,
                                     product.data(), d);
        y = product.data();
        break;
      case Covariance::diagonal:
        for (int64_t i = 0; i < rows; i++)
          for (int64_t j = 0; j < d; j++) y[i * d + j] *= w[c * d + j];
        break;
      case Covariance::spherical:
        for (int64_t e = 0; e < rows * d; e++) y[e] *= w[c];
        break;
    }
    for (int64_t i = 0; i < rows; i++) {
      double squared = 0;
      for (int64_t j = 0; j < d; j++) squared += y[i * d + j] * y[i * d + j];
      out[i * k + c] = whitening.log_det[size_t(c)] - 0.5 * (double(d) * kLogTwoPi + squared);
    }
  }
}

}  // namespace clade::cluster

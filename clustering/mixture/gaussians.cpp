#include "clustering/mixture/gaussians.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/cholesky.h"
#include "clustering/linalg/grain.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

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

double whiten_component(Covariance kind, double* s, int64_t d, int64_t c, double* w) {
  if (kind == Covariance::full) return whiten_matrix(s + c * d * d, d, c, w + c * d * d);
  if (kind == Covariance::spherical) return double(d) * whiten_variance(s[c], c, w + c);
  double log_det = 0;
  for (int64_t j = c * d; j < (c + 1) * d; j++) log_det += whiten_variance(s[j], c, w + j);
  return log_det;
}

}  // namespace

Whitening whiten(Covariance kind, Tensor& covariances, int64_t k, int64_t d) {
  Whitening out{kind, Tensor::empty(covariances.shape(), DType::f64), {}};
  out.log_det.resize(size_t(k));
  double *s = covariances.data<double>(), *w = out.w.data<double>();
  if (kind == Covariance::tied) {
    std::fill(out.log_det.begin(), out.log_det.end(), whiten_matrix(s, d, 0, w));
    return out;
  }
  parallel_for(k, rows_per_chunk(kind == Covariance::full ? d * d * d : d),
               [&](int64_t begin, int64_t end) {
                 for (int64_t c = begin; c < end; c++)
                   out.log_det[size_t(c)] = whiten_component(kind, s, d, c, w);
               });
  return out;
}

}  // namespace clade::cluster

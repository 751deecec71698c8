#include "clustering/mixture/gmm.h"

#include <algorithm>
#include <cmath>

#include "clustering/centroid/kmeans.h"
#include "clustering/linalg/matrix.h"
#include "clustering/mixture/expectation.h"
#include "clustering/mixture/maximization.h"
#include "tensor/profiler.h"

namespace clade::cluster {
namespace {

Gmm run(const Tensor& x, const GmmOptions& o, Tensor r, const Progress& progress) {
  Gmm gmm;
  gmm.covariance = o.covariance;
  maximize(x, r, o.reg_covar, &gmm);
  Whitening whitening = whiten(o.covariance, gmm.covariances, o.k, x.size(1));
  while (!gmm.converged && gmm.iterations < o.max_iter) {
    progress("gaussian mixture", gmm.iterations, o.max_iter);
    gmm.iterations++;
    double bound = expect(whitening, gmm.weights, gmm.means, x, r, {});
    maximize(x, r, o.reg_covar, &gmm);
    whitening = whiten(o.covariance, gmm.covariances, o.k, x.size(1));
    gmm.converged = !gmm.lower_bounds.empty() && std::abs(bound - gmm.lower_bounds.back()) < o.tol;
    gmm.lower_bounds.push_back(bound);
  }
  return gmm;
}

// Responsibilities of 0 and 1 from k-means labels.
Tensor start_from_kmeans(const Tensor& x, const GmmOptions& o, int start,
                         const Progress& progress) {
  KMeansOptions options;
  options.k = o.k;
  options.seed = o.seed + uint64_t(start);
  KMeans found = kmeans(x, options, {}, progress);
  Tensor r = Tensor::zeros({x.size(0), o.k}, DType::f64);
  for (int64_t i = 0; i < x.size(0); i++)
    r.data<double>()[i * o.k + found.labels.data<int32_t>()[i]] = 1;
  return r;
}

// Given responsibilities as a fresh (n, k) f64 tensor, checked.
Tensor start_from_given(const Tensor& given, int64_t n, int64_t k) {
  if (given.rank() != 2 || given.size(0) != n || given.size(1) != k)
    fail("fit_gmm", text("responsibilities (n, k) = ", Shape{n, k}), text(given));
  Tensor r = finite_matrix("fit_gmm", given, "responsibilities").to(DType::f64).clone();
  for (int64_t i = 0; i < n; i++) {
    const double* row = r.data<double>() + i * k;
    double sum = 0;
    for (int64_t c = 0; c < k; c++) sum += row[c];
    if (*std::min_element(row, row + k) < 0 || std::abs(sum - 1) > 1e-4)
      fail("fit_gmm", "responsibilities >= 0 with rows of sum 1", text("row ", i, " of sum ", sum));
  }
  return r;
}

void check_options(const GmmOptions& o, const Tensor& x) {
  int64_t n = x.size(0);
  if (n < 2) fail("fit_gmm", "at least 2 rows", text(x), "one point has no covariance");
  if (o.k < 1 || o.k > n)
    fail("fit_gmm", text("1 <= k <= n = ", n), text("k = ", o.k), "ask for fewer components");
  if (o.n_init < 1 || o.max_iter < 1)
    fail("fit_gmm", "n_init and max_iter of at least 1", text(o.n_init, " and ", o.max_iter));
  if (!(o.tol >= 0) || !(o.reg_covar >= 0))
    fail("fit_gmm", "tol >= 0 and reg_covar >= 0", text(o.tol, " and ", o.reg_covar));
}

// x checked against a fitted mixture, and the mixture's whitening.
Tensor check_fitted(const Gmm& gmm, const Tensor& x, Whitening* whitening) {
  Tensor data = finite_matrix("gmm", x);
  int64_t k = gmm.means.size(0), d = gmm.means.size(1);
  if (data.size(1) != d) fail("gmm", text("x (n, ", d, "), as the mixture was fitted"), text(x));
  Tensor covariances = gmm.covariances.clone();  // whiten() may change them
  *whitening = whiten(gmm.covariance, covariances, k, d);
  return data;
}

double free_parameters(const Gmm& gmm) {
  double k = double(gmm.means.size(0)), d = double(gmm.means.size(1)), covariances = 0;
  switch (gmm.covariance) {
    case Covariance::full: covariances = k * d * (d + 1) / 2; break;
    case Covariance::diagonal: covariances = k * d; break;
    case Covariance::spherical: covariances = k; break;
    case Covariance::tied: covariances = d * (d + 1) / 2; break;
  }
  return covariances + k * d + k - 1;
}

double total_log_likelihood(const Gmm& gmm, const Tensor& x) {
  Whitening whitening;
  Tensor data = check_fitted(gmm, x, &whitening);
  return double(data.size(0)) * expect(whitening, gmm.weights, gmm.means, data, {}, {});
}

}  // namespace

Gmm fit_gmm(const Tensor& x, const GmmOptions& options, const Progress& progress) {
  Tensor data = finite_matrix("fit_gmm", x);
  check_options(options, data);
  profiler::Span span("fit_gmm");
  if (options.responsibilities.defined())
    return run(data, options, start_from_given(options.responsibilities, data.size(0), options.k),
               progress);
  Gmm best;
  for (int start = 0; start < options.n_init; start++) {
    Gmm found = run(data, options, start_from_kmeans(data, options, start, progress), progress);
    if (start == 0 || found.lower_bounds.back() > best.lower_bounds.back()) best = found;
  }
  return best;
}

Tensor predict_proba(const Gmm& gmm, const Tensor& x) {
  Whitening whitening;
  Tensor data = check_fitted(gmm, x, &whitening);
  Tensor r = Tensor::empty({data.size(0), gmm.means.size(0)}, DType::f64);
  expect(whitening, gmm.weights, gmm.means, data, r, {});
  return r;
}

Tensor predict(const Gmm& gmm, const Tensor& x) {
  Tensor r = predict_proba(gmm, x);
  int64_t n = r.size(0), k = r.size(1);
  Tensor labels = Tensor::empty({n}, DType::i32);
  for (int64_t i = 0; i < n; i++) {
    const double* row = r.data<double>() + i * k;
    labels.data<int32_t>()[i] = int32_t(std::max_element(row, row + k) - row);
  }
  return labels;
}

Tensor log_likelihood(const Gmm& gmm, const Tensor& x) {
  Whitening whitening;
  Tensor data = check_fitted(gmm, x, &whitening);
  Tensor out = Tensor::empty({data.size(0)}, DType::f64);
  expect(whitening, gmm.weights, gmm.means, data, {}, out);
  return out;
}

double aic(const Gmm& gmm, const Tensor& x) {
  return 2 * free_parameters(gmm) - 2 * total_log_likelihood(gmm, x);
}

double bic(const Gmm& gmm, const Tensor& x) {
  return free_parameters(gmm) * std::log(double(x.size(0))) - 2 * total_log_likelihood(gmm, x);
}

}  // namespace clade::cluster

#include "clustering/mixture/gmm.h"

#include <algorithm>
#include <cmath>

#include "clustering/linalg/cholesky.h"
#include "clustering/linalg/grain.h"
#include "clustering/linalg/matrix.h"
#include "clustering/mixture/expectation.h"
#include "clustering/mixture/maximization.h"
#include "clustering/mixture/start.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

// EM from the parameters in gmm. likeliest (n) i32 as for expect().
Gmm run(const Tensor& x, const GmmOptions& o, Gmm gmm, const Tensor& likeliest,
        const Progress& progress) {
  const Tensor r = Tensor::empty({x.size(0), o.k}, DType::f64);
  Whitening whitening = whiten(o.covariance, gmm.covariances, o.k, x.size(1));
  while (!gmm.converged && gmm.iterations < o.max_iter) {
    progress("gaussian mixture", gmm.iterations, o.max_iter);
    gmm.iterations++;
    const double bound = expect(whitening, gmm.weights, gmm.means, x, r, {}, likeliest, o.products);
    if (!std::isfinite(bound))
      fail("fit_gmm", "a finite likelihood", text(bound), "scale the data, whose squares overflow");
    maximize(x, r, o.reg_covar, &gmm, o.products);
    whitening = whiten(o.covariance, gmm.covariances, o.k, x.size(1));
    gmm.converged = !gmm.lower_bounds.empty() && std::abs(bound - gmm.lower_bounds.back()) < o.tol;
    gmm.lower_bounds.push_back(bound);
  }
  return gmm;
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

double total_log_likelihood(const Gmm& gmm, const Tensor& x) {
  Whitening whitening;
  Tensor data = check_fitted(gmm, x, &whitening);
  return double(data.size(0)) * expect(whitening, gmm.weights, gmm.means, data, {}, {});
}

}  // namespace

Gmm fit_gmm(const Tensor& x, const GmmOptions& options, const Progress& progress) {
  Tensor data = finite_matrix("fit_gmm", x);
  check_options(options, data.size(0));
  profiler::Span span("fit_gmm");
  const bool given = options.responsibilities.defined() || options.start.means.defined();
  Gmm best;
  for (int start = 0; start < (given ? 1 : options.n_init); start++) {
    const FirstModel first = first_model(data, options, start, progress);
    Gmm found = run(data, options, first.gmm, first.likeliest, progress);
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

Tensor predict(const Gmm& gmm, const Tensor& x) { return likeliest_of(predict_proba(gmm, x)); }

Tensor log_likelihood(const Gmm& gmm, const Tensor& x) {
  Whitening whitening;
  Tensor data = check_fitted(gmm, x, &whitening);
  Tensor out = Tensor::empty({data.size(0)}, DType::f64);
  expect(whitening, gmm.weights, gmm.means, data, {}, out);
  return out;
}

GmmSample sample(const Gmm& gmm, int64_t count, uint64_t seed) {
  if (count < 0) fail("gmm sample", "count >= 0", text(count));
  const int64_t k = gmm.means.size(0), d = gmm.means.size(1);
  const bool matrix = gmm.covariance == Covariance::full || gmm.covariance == Covariance::tied;
  Tensor factors = gmm.covariances.clone();  // Cholesky factors, or variances as they are
  for (int64_t c = 0; matrix && c < factors.numel() / (d * d); c++)
    if (!cholesky(factors.data<double>() + c * d * d, d))
      fail("gmm sample", "positive definite covariances", text("a singular one in component ", c));
  const Random choice = Random(seed).fork("gmm component"), normal = Random(seed).fork("gmm point");
  const std::vector<double> weights = gmm.weights.to_vector<double>();
  GmmSample out{Tensor::empty({count, d}, DType::f64), Tensor::empty({count}, DType::i32)};
  parallel_for(count, rows_per_chunk(matrix ? d * d : d), [&](int64_t begin, int64_t end) {
    std::vector<double> z(static_cast<size_t>(d));
    for (int64_t i = begin; i < end; i++) {
      double left = choice.uniform_at(uint64_t(i));
      int64_t c = 0;
      for (; c + 1 < k && left >= weights[size_t(c)]; c++) left -= weights[size_t(c)];
      out.labels.data<int32_t>()[i] = int32_t(c);
      for (int64_t j = 0; j < d; j++) z[size_t(j)] = normal.normal_at(uint64_t(i * d + j));
      for (int64_t j = 0; j < d; j++) {
        double sum = gmm.means.data<double>()[c * d + j];
        const double* f = factors.data<double>();
        switch (gmm.covariance) {
          case Covariance::full: f += c * d * d; [[fallthrough]];
          case Covariance::tied:
            for (int64_t l = 0; l <= j; l++) sum += f[j * d + l] * z[size_t(l)];
            break;
          case Covariance::diagonal: sum += std::sqrt(f[c * d + j]) * z[size_t(j)]; break;
          case Covariance::spherical: sum += std::sqrt(f[c]) * z[size_t(j)]; break;
        }
        out.x.data<double>()[i * d + j] = sum;
      }
    }
  });
  return out;
}

int64_t free_parameters(const Gmm& gmm) {
  const int64_t k = gmm.means.size(0), d = gmm.means.size(1);
  int64_t covariances = 0;
  switch (gmm.covariance) {
    case Covariance::full: covariances = k * d * (d + 1) / 2; break;
    case Covariance::diagonal: covariances = k * d; break;
    case Covariance::spherical: covariances = k; break;
    case Covariance::tied: covariances = d * (d + 1) / 2; break;
  }
  return covariances + k * d + k - 1;
}

double aic(const Gmm& gmm, const Tensor& x) {
  return 2 * double(free_parameters(gmm)) - 2 * total_log_likelihood(gmm, x);
}

double bic(const Gmm& gmm, const Tensor& x) {
  return double(free_parameters(gmm)) * std::log(double(x.size(0))) -
         2 * total_log_likelihood(gmm, x);
}

}  // namespace clade::cluster

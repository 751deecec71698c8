// Gaussian mixture, fitted by expectation maximization.
//
//   p(x) = sum_c pi_c N(x; m_c, S_c)
//   E:  r_ic = pi_c N(x_i; m_c, S_c) / p(x_i)            (logsumexp, f64)
//   M:  N_c = sum_i r_ic,  pi_c = N_c / n,  m_c = sum_i r_ic x_i / N_c,
//       S_c = sum_i r_ic (x_i - m_c)(x_i - m_c)' / N_c + reg_covar I
//
// (Dempster, Laird & Rubin, JRSS B 39, 1977; Bishop, Pattern Recognition and Machine Learning,
// 2006, section 9.2.) The mean log-likelihood never falls from one iteration to the next. All
// arithmetic is f64, whatever x is. Options and defaults are scikit-learn's.
#pragma once

#include <vector>

#include "clustering/mixture/gaussians.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

struct GmmOptions {
  int64_t k = 1;
  Covariance covariance = Covariance::full;
  Tensor responsibilities =
      {};          // (n, k), rows of sum 1: where EM starts. Undefined: k-means labels
  int n_init = 1;  // k-means starts (seeds seed, seed + 1, ...); the likeliest fit is kept
  int max_iter = 100;
  double tol = 1e-3;        // stop when the mean log-likelihood changes by less
  double reg_covar = 1e-6;  // added to every variance
  uint64_t seed = 0;
};

struct Gmm {
  Covariance covariance = Covariance::full;
  Tensor weights;                    // pi (k) f64
  Tensor means;                      // (k, d) f64
  Tensor covariances;                // f64, shaped as `Covariance` says
  std::vector<double> lower_bounds;  // mean log-likelihood at each E-step
  int iterations = 0;
  bool converged = false;
};

// x (n, d) f32 or f64, 1 <= k <= n, n >= 2. Throws Error on NaN, on options out of range, and when
// a covariance stays singular. Same bits at any number of threads. Cost an iteration: 4 n k d^2
// FLOPs (full, tied), 6 n k d (diagonal, spherical).
Gmm fit_gmm(const Tensor& x, const GmmOptions& options, const Progress& progress = {});

Tensor predict(const Gmm& gmm, const Tensor& x);         // (n) i32: likeliest component
Tensor predict_proba(const Gmm& gmm, const Tensor& x);   // (n, k) f64: responsibilities
Tensor log_likelihood(const Gmm& gmm, const Tensor& x);  // (n) f64: ln p(x_i)

// Information criteria on x; the smaller the better. p free parameters:
// AIC = 2 p - 2 ln L (Akaike 1974), BIC = p ln n - 2 ln L (Schwarz 1978).
double aic(const Gmm& gmm, const Tensor& x);
double bic(const Gmm& gmm, const Tensor& x);

}  // namespace clade::cluster

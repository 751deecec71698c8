// Gaussian mixture, fitted by expectation maximization.
//
//   p(x) = sum_c pi_c N(x; m_c, S_c)
//   E:  r_ic = pi_c N(x_i; m_c, S_c) / p(x_i)            (logsumexp, f64)
//   M:  N_c = sum_i r_ic,  pi_c = N_c / n,  m_c = sum_i r_ic x_i / N_c,
//       S_c = sum_i r_ic (x_i - m_c)(x_i - m_c)' / N_c + reg_covar I
//
// (Dempster, Laird & Rubin, JRSS B 39, 1977; Bishop, Pattern Recognition and Machine Learning,
// 2006, section 9.2.) The mean log-likelihood never falls from one iteration to the next.
// Arithmetic is f64, whatever x is, unless asked otherwise. Options and defaults are
// scikit-learn's.
#pragma once

#include <vector>

#include "clustering/mixture/gaussians.h"
#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

// Weights, means and covariances, as a fit finds them.
struct GmmStart {
  Tensor weights;      // pi (k), of sum 1
  Tensor means;        // (k, d)
  Tensor covariances;  // shaped as `Covariance` says
};

struct GmmOptions {
  enum class Init : uint8_t {
    kmeans,  // responsibilities 0 and 1 from k-means labels
    random,  // random responsibilities: all components near the mean of the data
    rows,    // means are random rows, covariances those of all data
  };
  int64_t k = 1;
  Covariance covariance = Covariance::full;
  Init init = Init::kmeans;
  Tensor responsibilities = {};  // (n, k), rows of sum 1: where EM starts, instead of init
  GmmStart start = {};           // or these: another fit goes on where one has ended (warm start)
  int n_init = 1;                // starts (seeds seed, seed + 1, ...); the likeliest fit is kept
  int max_iter = 100;
  double tol = 1e-3;        // stop when the mean log-likelihood changes by less
  double reg_covar = 1e-6;  // added to every variance
  uint64_t seed = 0;
  // What the products of EM are computed in, of differences from the means in f64: f32 takes half
  // the time, and changes ln p by some 1e-6 of itself. Everything else, and the result, is f64.
  DType products = DType::f64;
};

struct Gmm : GmmStart {  // all f64
  Covariance covariance = Covariance::full;
  std::vector<double> lower_bounds;  // mean log-likelihood at each E-step
  int iterations = 0;
  bool converged = false;
};

// x (n, d) f32 or f64, 1 <= k <= n, n >= 2. Throws Error on NaN, on options out of range, and when
// a covariance stays singular. Same bits at any number of threads. Cost an iteration: 3 n k d^2
// FLOPs at most (full, tied), less the farther components lie apart; 6 n k d (diagonal, spherical).
Gmm fit_gmm(const Tensor& x, const GmmOptions& options, const Progress& progress = {});

Tensor predict(const Gmm& gmm, const Tensor& x);         // (n) i32: likeliest component
Tensor predict_proba(const Gmm& gmm, const Tensor& x);   // (n, k) f64: responsibilities
Tensor log_likelihood(const Gmm& gmm, const Tensor& x);  // (n) f64: ln p(x_i)

struct GmmSample {
  Tensor x, labels;  // (count, d) f64 and (count) i32: the components
};
GmmSample sample(const Gmm& gmm, int64_t count, uint64_t seed = 0);

// Numbers that a fit of this shape chooses freely: for information criteria.
int64_t free_parameters(const Gmm& gmm);

// Information criteria on x; the smaller the better. p free parameters:
// AIC = 2 p - 2 ln L (Akaike 1974), BIC = p ln n - 2 ln L (Schwarz 1978).
double aic(const Gmm& gmm, const Tensor& x);
double bic(const Gmm& gmm, const Tensor& x);

}  // namespace clade::cluster

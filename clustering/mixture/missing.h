// Gaussian mixtures of rows with holes: EM that integrates over what is missing.
//
// With o the columns that row i has and m those it lacks:
//   r_ic  = pi_c N(x_o; m_c,o, S_c,oo) / sum_c ...                              (E)
//   x^_ic = x_o, and E[x_m | x_o] = m_c,m + S_c,mo S_c,oo^-1 (x_o - m_c,o)
//   C_ic  = S_c,mm - S_c,mo S_c,oo^-1 S_c,om in the missing columns, else 0
//   m_c   = sum_i r_ic x^_ic / N_c,   S_c = sum_i r_ic [(x^ - m_c)(x^ - m_c)' + C_ic] / N_c   (M)
//
// (Ghahramani & Jordan, "Supervised learning from incomplete data via an EM approach", NIPS 1993.)
// It is the likelihood of what was observed that is maximized, and it never falls; nothing is
// imputed beforehand. S_c,oo is factored once for all rows that lack the same columns; diagonal and
// spherical covariances need no factors, a hole is a term left out. Moments are added up about the
// means of the last iteration and moved at the end. All in f64.
#pragma once

#include "clustering/mixture/gmm.h"

namespace clade::cluster {

// As fit_gmm(), for x (n, d) with NaN where a value is missing; every column must have a value and
// at least 2 rows. k-means starts are k-POD's (centroid/kpod.h). Without holes the result is that
// of fit_gmm() up to rounding. Cost an iteration: k d^3 / 3 FLOPs for each pattern of missing
// columns and 4 k d^2 for each row; memory k d^2 for each of up to 32 parts of the rows. Diagonal
// and spherical: 10 k d for each row, and k d.
Gmm fit_gmm_with_holes(const Tensor& x, const GmmOptions& options, const Progress& progress = {});

// predict_proba() (n, k), predict() (n) and log_likelihood() (n) of rows with holes: of what they
// have. A row of nothing but holes has the weights, and ln p = 0.
Tensor predict_proba_with_holes(const Gmm& gmm, const Tensor& x);
Tensor predict_with_holes(const Gmm& gmm, const Tensor& x);
Tensor log_likelihood_with_holes(const Gmm& gmm, const Tensor& x);

// x, in its dtype, with holes filled by their expectation, sum_c r_ic E_c[x_m | x_o].
Tensor fill_holes(const Gmm& gmm, const Tensor& x);

}  // namespace clade::cluster

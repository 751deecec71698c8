// Principal component analysis: the orthogonal directions along which data varies most.
//
//   C = 1 / (n - 1) sum_i (x_i - m)(x_i - m)' = V' diag(lambda) V,      z = (x - m) V'
//
// (Pearson 1901; Jolliffe, Principal Component Analysis, 2002.) The covariance is accumulated in
// f64 from centred rows (of many f32 rows: from f32 products, linalg/scatter.h) and as many of its
// eigenvectors are computed as are asked for. Where n <= d the (n, n) matrix of inner products is
// taken instead, which has the same non-zero eigenvalues. Where both are large neither is formed: a
// few random directions are multiplied by the data and back, some times, until they turn into the
// first components (Halko, Martinsson, Tropp, "Finding structure with randomness", 2011).
#pragma once

#include <cstdint>

#include "tensor/progress.h"
#include "tensor/tensor.h"

namespace clade::cluster {

enum class PcaSolver : uint8_t {
  automatic,   // exact up to 4,096 rows or columns, else randomized for few components
  exact,       // by covariance or inner products
  randomized,  // components to about 1e-3 where eigenvalues fall slowly, better where fast
};

struct PcaOptions {
  int64_t components = 0;  // r, 1 .. min(n - 1, d); 0: all of them
  bool whiten = false;     // divide each score by its standard deviation
  PcaSolver solver = PcaSolver::automatic;
  uint64_t seed = 0;  // of the random directions
};

struct Pca {
  Tensor mean;                // (d) f64
  Tensor components;          // (r, d) f64: unit rows; largest |entry| of each is positive
  Tensor explained_variance;  // (r) f64: lambda, descending, with divisor n - 1
  Tensor variance_ratio;      // (r) f64: lambda / total variance; 0 where nothing varies
  bool whiten = false;
};

// x (n, d) f32 or f64, n >= 2. Signs are scikit-learn's. A direction without variance may come out
// as a row of zeros when n <= d. Throws Error on NaN or components out of range. Cost: 2 n d min(n,
// d) FLOPs and about 8 min(n, d)^3. Same bits at any number of threads.
Pca fit_pca(const Tensor& x, const PcaOptions& options = {}, const Progress& progress = {});

// Components of rows that come in parts and are not kept: exactly those of all rows together, from
// their mean and scatter, d^2 numbers. Parts are joined by the formula of Chan, Golub, LeVeque
// ("Updating formulae and a pairwise algorithm for computing sample variances", 1979).
class IncrementalPca {
 public:
  // x (n, d), f32 or f64, n >= 1; d as in the first call. Throws Error on NaN and on another d.
  void add(const Tensor& x);
  int64_t rows() const { return rows_; }
  // After 2 rows or more. options.solver and seed do not count.
  Pca fit(const PcaOptions& options = {}) const;

 private:
  int64_t rows_ = 0;
  Tensor mean_, scatter_;  // (d), (d, d) f64
};

// Scores (n, r) of x (n, d), in x's dtype; a row's do not depend on the rows beside it. Products of
// f32 rows are f32, 1e-7 of the first deviation, unless the last deviation is below a hundredth of
// the first; else f64. Whitened scores of a direction without variance are 0.
Tensor transform(const Pca& pca, const Tensor& x);
// Back to (n, d), in the dtype of the scores z (n, r): the projection of x on the components.
Tensor inverse_transform(const Pca& pca, const Tensor& z);

}  // namespace clade::cluster

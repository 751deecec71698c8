// Nearest centres: the step that k-means, its initialization and its descendants share.
//
//   label_i = argmin_j ||x_i - c_j||^2 = argmin_j key_ij,   key_ij = h_j - x_i.c_j,   h_j =
//   ||c_j||^2 / 2
//
// A tile of rows is multiplied with a block of centres, and the smallest two keys of each row are
// read off it while it is in the cache; the (n, k) matrix of keys is never stored. A key is a
// difference of large numbers, so it only proposes: with unit roundoff u it is off by at most
// e (g_i + 2 h_j), g_i = ||x_i||^2 / 2, e = (d + 8) u (the bound of kernels/distance/tiles.h).
// Where more than one centre can be the nearest within that, direct sums of squares in f64 decide
// among them. So labels do not depend on how a product was rounded or cut.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace clade::cluster {

// The e above, for rows of d elements of `dtype`.
double product_error(int64_t d, DType dtype);

// Rows of x with their mean taken off, in x's dtype, times `scale`. Distances do not change but by
// that, and products of centred rows lose fewer digits.
Tensor centre_rows(const Tensor& x, const std::vector<double>& mean, double scale = 1);

// Rows near enough to the origin for products: x itself, or a copy, with the mean taken off where
// its square is more than four times the variance, and scaled by a power of two where squares would
// leave the range of the dtype (f32: norms above 1e15, or 1e-12 and less).
struct NearOrigin {
  // As finite_matrix returns it. Throws Error where squares leave the range of f64.
  explicit NearOrigin(const Tensor& x);
  Tensor move(const Tensor& centres) const;       // (k, d): to where the rows are
  Tensor move_back(const Tensor& centres) const;  // to where x was
  bool is_x() const { return !moved && scale == 1; }

  Tensor rows;
  double variance;  // mean of the columns' population variances, of `rows`
  bool moved;
  double scale = 1;
  std::vector<double> mean;  // (d) of x; zeros unless moved
};

// Half the squared norm of each row of x (k, d), f64.
std::vector<double> half_squared_norms(const Tensor& x);
template <class T>
double half_squared_norm(const T* row, int64_t d);

// k centres, made ready to be searched. What it points to must outlive it.
template <class T>
class NearestCentre {
 public:
  NearestCentre(const T* centres, int64_t k, int64_t d);

  // For `count` rows (count, d) with half squared norms g: labels, ties to the lowest centre; and,
  // where these are not null, a bound from above on the distance to that centre and one from below
  // on the distance to every other (infinite for k = 1). On the calling thread.
  void find(const T* rows, const double* g, int64_t count, int32_t* labels, float* upper = nullptr,
            float* lower = nullptr) const;

 private:
  struct Best;
  void find_tile(const T* rows, const double* g, int64_t count, T* products,
                 const Best& best) const;
  void find_exactly(const T* rows, const double* g, const std::vector<int32_t>& doubtful,
                    const Best& best) const;

  const T* centres_;
  int64_t k_, d_;
  double error_, underflow_;
  std::vector<double> h_;  // ||c_j||^2 / 2
  std::vector<T> lifted_;  // h_j less its share of a key's error: keys never exceed true ones + e g
};

// The nearest centre of each row of x (n, d), on all threads.
void nearest_centres(const Tensor& x, const Tensor& centres, int32_t* labels);

}  // namespace clade::cluster

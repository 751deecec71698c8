// The E-step of a Gaussian mixture: densities and responsibilities, tile by tile.
//
//   ln p_ic = ln pi_c + ln |W_c| - (d ln 2 pi + ||W_c (x_i - m_c)||^2) / 2,    r_ic = p_ic / sum_c
//   p_ic
//
// A tile of 16 rows (32 in f32) lies side by side in vector registers, and W_c, which is lower
// triangular, goes over them line by line: half of the multiplications of a product with a square
// matrix. The squared norm only grows on the way. Once it proves that p_ic is below e^-60 of the
// row's largest density so far, for all rows of the tile, the rest of the component is skipped: in
// f64 such a term changes nothing. So that this happens early, rows are taken in the order of the
// component that was last the likeliest, which is also the first to be computed. Responsibilities
// below e^-60 are 0 however they were found, so the bits depend neither on the order nor on the
// threads.
#pragma once

#include "clustering/mixture/gaussians.h"

namespace clade::cluster {

// For each row of x (n, d): its responsibilities into (n, k) f64 and ln p(x_i) into (n) f64, where
// these are defined. likeliest (n) i32, where defined, says and is told each row's likeliest
// component; it must hold 0 .. k - 1. Returns the mean of ln p(x_i), summed in order. A row whose
// squared distances overflow has ln p = -infinity and the weights for responsibilities. products:
// what W_c (x_i - m_c) is computed in, of differences in f64; all the rest is f64.
double expect(const Whitening& whitening, const Tensor& weights, const Tensor& means,
              const Tensor& x, const Tensor& responsibilities, const Tensor& log_likelihood,
              const Tensor& likeliest = {}, DType products = DType::f64);

}  // namespace clade::cluster

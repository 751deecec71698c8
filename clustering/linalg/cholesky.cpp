#include "clustering/linalg/cholesky.h"

#include <algorithm>
#include <cmath>

namespace clade::cluster {

bool cholesky(double* a, int64_t d) {
  for (int64_t i = 0; i < d; i++) {
    double* row = a + i * d;
    for (int64_t j = 0; j <= i; j++) {
      const double* other = a + j * d;
      double sum = row[j];
      for (int64_t l = 0; l < j; l++) sum -= row[l] * other[l];
      if (j < i) {
        row[j] = sum / other[j];
      } else {
        if (!(sum > 0)) return false;
        row[i] = std::sqrt(sum);
      }
    }
    std::fill(row + i + 1, row + d, 0.0);
  }
  return true;
}

void invert_lower(double* l, int64_t d) {
  // Row i of M = L^-1 is (e_i - sum_{m < i} L_im M_m) / L_ii. With m rising, step m writes columns
  // up to m alone, so the L_im that are still to come stand untouched in the same row.
  for (int64_t i = 0; i < d; i++) {
    double* row = l + i * d;
    double diagonal = row[i];
    row[i] = 1;
    for (int64_t m = 0; m < i; m++) {
      double factor = row[m];
      const double* inverted = l + m * d;
      row[m] = 0;
      for (int64_t j = 0; j <= m; j++) row[j] -= factor * inverted[j];
    }
    for (int64_t j = 0; j <= i; j++) row[j] /= diagonal;
  }
}

}  // namespace clade::cluster

// Partial distance of two rows with holes, where NaN is a missing value (see knn.h).
#pragma once

#include <cstdint>
#include <limits>

namespace clade::cluster {

// d / c sum over the c columns that both rows have of (x_j - y_j)^2; infinite where c is below
// min_common >= 1.
template <class T>
double partial_squared_distance(const T* x, const T* y, int64_t d, int64_t min_common) {
  double sum = 0;
  int64_t common = 0;
  for (int64_t j = 0; j < d; j++) {
    const double diff = double(x[j]) - double(y[j]);
    const bool both = diff == diff;
    sum += both ? diff * diff : 0;
    common += both;
  }
  return common < min_common ? std::numeric_limits<double>::infinity()
                             : sum * double(d) / double(common);
}

}  // namespace clade::cluster

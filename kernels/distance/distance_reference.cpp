#include "kernels/distance/distance.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace clade::kernels::reference {

void squared_distances(const View& x, const View& c, const View& out) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t n = x.shape[0], m = c.shape[0], d = x.shape[1];
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < m; j++)
        out.as<T>()[i * m + j] =
            T(direct_squared_distance(x.as<T>() + i * d, c.as<T>() + j * d, d));
  });
}

void nearest(const View& x, const View& c, const View& index, const View& distance) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t n = x.shape[0], m = c.shape[0], d = x.shape[1], k = index.shape[1];
    std::vector<std::pair<double, int64_t>> all(static_cast<size_t>(m));
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < m; j++)
        all[size_t(j)] = {direct_squared_distance(x.as<T>() + i * d, c.as<T>() + j * d, d), j};
      std::sort(all.begin(), all.end());
      for (int64_t j = 0; j < k; j++) {
        distance.as<T>()[i * k + j] = T(all[size_t(j)].first);
        index.as<int64_t>()[i * k + j] = all[size_t(j)].second;
      }
    }
  });
}

void sums_by_label(const View& x, const View& label, const View& sums, const View& count) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t n = x.shape[0], d = x.shape[1], k = sums.shape[0];
    for (int64_t l = 0; l < k; l++) {
      count.as<int64_t>()[l] = 0;
      for (int64_t i = 0; i < n; i++) count.as<int64_t>()[l] += label.as<int64_t>()[i] == l;
      for (int64_t j = 0; j < d; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
          if (label.as<int64_t>()[i] == l) sum += double(x.as<T>()[i * d + j]);
        sums.as<T>()[l * d + j] = T(sum);
      }
    }
  });
}

}  // namespace clade::kernels::reference

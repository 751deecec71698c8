#include "kernels/distance/distance.h"

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

}  // namespace clade::kernels::reference

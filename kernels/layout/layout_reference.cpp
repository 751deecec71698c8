#include "kernels/elementwise/index.h"
#include "kernels/layout/layout.h"

namespace clade::kernels::reference {

void gather_rows(const View& x, const View& index, const View& out) {
  dispatch(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_index(out, [&](const int64_t* i) {
      int64_t from[kMaxRank];
      for (int d = 0; d < out.rank; d++) from[d] = i[d];
      from[0] = index.as<int64_t>()[i[0]];
      int64_t offset = 0;
      for (int d = 0; d < x.rank; d++) offset += from[d] * x.stride[d];
      element<T>(out, i) = x.as<T>()[offset];
    });
  });
}

}  // namespace clade::kernels::reference

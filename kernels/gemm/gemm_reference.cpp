#include "kernels/gemm/gemm.h"

namespace clade::kernels::reference {

void gemm(const View& a, const View& b, const View& c, double alpha, double beta,
          const Finish& finish) {
  dispatch_floating(c.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.shape[0]; i++) {
      for (int64_t j = 0; j < c.shape[1]; j++) {
        double sum = 0;
        for (int64_t k = 0; k < a.shape[1]; k++)
          sum += double(a.as<T>()[i * a.stride[0] + k * a.stride[1]]) *
                 double(b.as<T>()[k * b.stride[0] + j * b.stride[1]]);
        T& out = c.as<T>()[i * c.stride[0] + j * c.stride[1]];
        sum = alpha * sum + (beta == 0 ? 0 : beta * double(out));
        if (finish.bias) sum += double(finish.bias->as<T>()[j * finish.bias->stride[0]]);
        out = T(sum > 0 ? sum : finish.slope != 0 ? finish.slope * sum : sum <= 0 ? 0 : sum);
      }
    }
  });
}

}  // namespace clade::kernels::reference

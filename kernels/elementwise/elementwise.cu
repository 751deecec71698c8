// elementwise on the GPU: the functors of functions.h through cuda/map.cuh. Bound by memory.
#include "kernels/elementwise/elementwise.h"

#include "kernels/cuda/map.cuh"
#include "kernels/elementwise/functions.h"

namespace clade::kernels {
namespace {

template <class T, class G>
struct Value {
  G g;
  CLADE_HD T operator()(T x) const { return g.f(x); }
};

template <class T, class G>
struct Slope {
  G g;
  CLADE_HD T operator()(T x, T y, T dy) const { return dy * g.df(x, y); }
};

template <class T>
struct AddScaled {
  T scale;
  CLADE_HD T operator()(T y, T x) const { return y + scale * x; }
};

}  // namespace

void unary(const Cuda& ctx, Unary op, const View& x, const View& y, double a, double b) {
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_function(op, T(a), T(b),
                  [&](auto g) { cuda::map<T>(ctx, Value<T, decltype(g)>{g}, y, x); });
  });
}

void unary_backward(const Cuda& ctx, Unary op, const View& x, const View& y, const View& dy,
                    const View& dx, double a, double b) {
  dispatch_floating(dx.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_function(op, T(a), T(b),
                  [&](auto g) { cuda::map<T>(ctx, Slope<T, decltype(g)>{g}, dx, x, y, dy); });
  });
}

void binary(const Cuda& ctx, Binary op, const View& a, const View& b, const View& y) {
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_function<T>(op, [&](auto f) { cuda::map<T>(ctx, f, y, a, b); });
  });
}

void accumulate(const Cuda& ctx, const View& x, const View& y, double alpha) {
  dispatch_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    cuda::map<T>(ctx, AddScaled<T>{T(alpha)}, y, y, x);
  });
}

}  // namespace clade::kernels

// The same formulas (steps.h) in f64, one element after another.
#include "kernels/update/steps.h"

namespace clade::kernels::reference {
namespace {

// One element taken out as f64 and put back.
template <class T>
struct Element {
  T* place;
  double value;
  explicit Element(T* p) : place(p), value(double(*p)) {}
  ~Element() { *place = T(value); }
  operator double&() { return value; }
};

}  // namespace

void sgd_step(const View& p, const View& g, const View& buffer, const SgdStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Sgd<double> f(s);
    for (int64_t i = 0; i < p.numel(); i++) {
      Element<T> w(p.as<T>() + i);
      double dw = double(g.as<T>()[i]);
      if (buffer.data) {
        Element<T> b(buffer.as<T>() + i);
        f(w, dw, b);
      } else {
        f.plain(w, dw);
      }
    }
  });
}

void adam_step(const View& p, const View& g, const View& m, const View& v, const AdamStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Adam<double> f(s);
    for (int64_t i = 0; i < p.numel(); i++) {
      Element<T> w(p.as<T>() + i), first(m.as<T>() + i), second(v.as<T>() + i);
      f(w, double(g.as<T>()[i]), first, second);
    }
  });
}

void rmsprop_step(const View& p, const View& g, const View& v, const View& buffer,
                  const RmspropStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Rmsprop<double> f(s);
    for (int64_t i = 0; i < p.numel(); i++) {
      Element<T> w(p.as<T>() + i), second(v.as<T>() + i);
      double dw = double(g.as<T>()[i]);
      if (buffer.data) {
        Element<T> b(buffer.as<T>() + i);
        f(w, dw, second, b);
      } else {
        f.plain(w, dw, second);
      }
    }
  });
}

void adadelta_step(const View& p, const View& g, const View& v, const View& u,
                   const AdadeltaStep& s) {
  dispatch_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const update::Adadelta<double> f(s);
    for (int64_t i = 0; i < p.numel(); i++) {
      Element<T> w(p.as<T>() + i), second(v.as<T>() + i), steps(u.as<T>() + i);
      f(w, double(g.as<T>()[i]), second, steps);
    }
  });
}

}  // namespace clade::kernels::reference

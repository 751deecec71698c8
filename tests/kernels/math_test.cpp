// The functions of math.h: their errors in units in the last place, against the C library in a
// wider type, and the same bits with every instruction set. f32 is walked over the whole range in
// steps; with CLADE_ALL_FLOATS=1 in the environment each of the 2^32 numbers is tried (minutes).
#include "kernels/elementwise/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <type_traits>
#include <vector>

#include "tensor/random.h"
#include "tests/support/every_set.h"

namespace clade::kernels {
namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
template <class T>
using Wider = std::conditional_t<sizeof(T) == 4, double, long double>;

// The distance of neighbours in T around w, in the wider type.
template <class T>
Wider<T> ulp(Wider<T> w) {
  using Limits = std::numeric_limits<T>;
  int e = Limits::min_exponent;
  if (w != 0) std::frexp(std::min<Wider<T>>(std::fabs(w), Limits::max()), &e);
  return std::ldexp(Wider<T>(1), std::max(e, Limits::min_exponent) - Limits::digits);
}

template <class L>
L normal_cdf(L x) {
  return std::erfc(-x * L(0.707106781186547524400844362104849039L)) / 2;
}

// A function: ours, the truth, which arguments it takes (others are mapped onto them), and its
// largest error in ulp. size: whose ulp counts, where it is not the result's.
struct Case {
  template <class T>
  static T argument(T x) {
    return x;
  }
  template <class L>
  static L size(L, L y) {
    return y;
  }
};
struct ExpCase : Case {
  static constexpr const char* kName = "exp";
  static constexpr double kBound[] = {1, 1};
  static auto ours(auto x) { return math::exp(x); }
  static auto truth(auto x) { return std::exp(x); }
};
struct LogCase : Case {
  static constexpr const char* kName = "log";
  static constexpr double kBound[] = {0.8, 0.8};
  static auto ours(auto x) { return math::log(x); }
  static auto truth(auto x) { return std::log(x); }
};
struct Log1pCase : Case {
  static constexpr const char* kName = "log1p_unit";
  static constexpr double kBound[] = {0.9, 0.9};
  template <class T>
  static T argument(T x) {
    return std::isinf(x) ? T(1) : std::fabs(std::fmod(x, T(1)));
  }
  static auto ours(auto x) { return math::log1p_unit(x); }
  static auto truth(auto x) { return std::log1p(x); }
};
struct Expm1Case : Case {
  static constexpr const char* kName = "expm1_negative";
  static constexpr double kBound[] = {1.1, 1.2};
  template <class T>
  static T argument(T x) {
    return -std::fabs(x);
  }
  static auto ours(auto x) { return math::expm1_negative(x); }
  static auto truth(auto x) { return std::expm1(x); }
};
struct TanhCase : Case {
  static constexpr const char* kName = "tanh";
  static constexpr double kBound[] = {2.6, 2.6};
  static auto ours(auto x) { return math::tanh(x); }
  static auto truth(auto x) { return std::tanh(x); }
};
struct SigmoidCase : Case {
  static constexpr const char* kName = "sigmoid";
  static constexpr double kBound[] = {2.3, 2.3};
  static auto ours(auto x) { return math::sigmoid(x); }
  template <class L>
  static L truth(L x) {
    const L e = std::exp(-std::fabs(x));
    return (x >= 0 ? 1 : e) / (1 + e);
  }
};
struct SoftplusCase : Case {
  static constexpr const char* kName = "softplus";
  static constexpr double kBound[] = {1.7, 1.7};
  static auto ours(auto x) { return math::softplus(x); }
  template <class L>
  static L truth(L x) {
    return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x)));
  }
};
struct GeluCase : Case {
  static constexpr const char* kName = "gelu";
  static constexpr double kBound[] = {5.5, 6};  // the truth in long double has errors, too
  static auto ours(auto x) { return math::gelu(x); }
  template <class L>
  static L truth(L x) {
    return std::isinf(x) ? std::fmax(x, L(0)) : x * normal_cdf(x);
  }
};
struct GeluSlopeCase : Case {
  static constexpr const char* kName = "gelu_slope";
  static constexpr double kBound[] = {6.5, 8.5};
  static auto ours(auto x) { return math::gelu_slope(x); }
  template <class L>
  static L truth(L x) {
    const L density = std::exp(-x * x / 2) * L(0.398942280401432677939946059934381868L);
    return normal_cdf(x) + (std::isinf(x) ? L(0) : x * density);
  }
  // It has a zero at -0.75, where its two terms cancel.
  template <class L>
  static L size(L x, L y) {
    return std::fmax(std::fabs(y), x > -1 ? normal_cdf(x) : L(0));
  }
};

template <class T>
struct Worst {
  double error = 0;  // in ulp
  T at = 0;
};

template <class T, class F>
std::vector<T> map(const std::vector<T>& x, F f) {
  std::vector<T> y(x.size());
  with_vectors([&] {
    const T* from = x.data();
    T* to = y.data();
    for (size_t i = 0; i < x.size(); i++) to[i] = f(from[i]);
  });
  return y;
}

// The same bits with every set; then `worst` takes the errors. Numbers of which the truth is not
// finite must be equal.
template <class T, class Ours, class Truth, class Size>
void check(const std::vector<T>& x, Ours ours, Truth truth, Size size, Worst<T>* worst) {
  std::vector<T> y;
  testing::for_every_set([&] {
    const std::vector<T> now = map(x, ours);
    if (y.empty()) y = now;
    for (size_t i = 0; i < x.size(); i++)
      ASSERT_TRUE(std::bit_cast<Bits<T>>(y[i]) == std::bit_cast<Bits<T>>(now[i]) ||
                  (std::isnan(y[i]) && std::isnan(now[i])))
          << x[i] << ": " << y[i] << ", " << now[i];
  });
  for (size_t i = 0; i < x.size(); i++) {
    const Wider<T> w = truth(Wider<T>(x[i]));
    if (!std::isfinite(T(w)) || !std::isfinite(y[i])) {
      // Beside the border of overflow both the largest number and infinity are right.
      const bool beside = std::isfinite(w) && std::isinf(y[i]) &&
                          std::fabs(w) > Wider<T>(std::numeric_limits<T>::max()) * Wider<T>(0.9999);
      ASSERT_TRUE(y[i] == T(w) || (std::isnan(y[i]) && std::isnan(w)) || beside)
          << x[i] << ": " << y[i] << ", not " << double(w);
      continue;
    }
    const double error = double(std::fabs(Wider<T>(y[i]) - w) / ulp<T>(size(Wider<T>(x[i]), w)));
    if (error > worst->error) *worst = {error, x[i]};
  }
}

constexpr int64_t kBatch = 1 << 16;

// Numbers over the whole range of T, in batches; where nothing but a step counts, a prime one.
template <class T, class Body>
void for_samples(Body body) {
  std::vector<T> x;
  auto add = [&](T value) {
    x.push_back(value);
    if (int64_t(x.size()) == kBatch) body(x), x.clear();
  };
  using Limits = std::numeric_limits<T>;
  for (T edge : {T(0), Limits::denorm_min(), Limits::min(), T(0.5), T(1), Limits::max(),
                 Limits::infinity(), Limits::quiet_NaN(), T(87), T(88.72284), T(89), T(103.9),
                 T(104.1), T(13.2), T(14.5), T(709.78), T(745.2), T(38), T(39)})
    for (T signed_edge : {edge, -edge})
      for (T direction : {-Limits::infinity(), signed_edge, Limits::infinity()})
        add(std::nextafter(signed_edge, direction));
  if constexpr (sizeof(T) == 4) {
    const uint64_t step = std::getenv("CLADE_ALL_FLOATS") ? 1 : 8191;
    for (uint64_t i = 0; i < uint64_t(1) << 32; i += step) add(std::bit_cast<float>(uint32_t(i)));
  } else {
    Random rng(7);
    for (int i = 0; i < 200'000; i++) {
      const uint64_t word = uint64_t(rng.below(int64_t(1) << 32)) << 32;
      add(std::bit_cast<double>(word | uint64_t(rng.below(int64_t(1) << 32))));
      // where the functions are not yet at their limits
      add((2 * rng.uniform() - 1) * std::ldexp(1.0, int(rng.below(14)) - 3));
    }
  }
  if (!x.empty()) body(x);
}

template <class T, class C>
void check_case() {
  Worst<T> worst;
  for_samples<T>([&](std::vector<T> x) {
    for (T& v : x) v = C::argument(v);
    check(
        x, [](T v) { return C::ours(v); }, [](Wider<T> v) { return Wider<T>(C::truth(v)); },
        [](Wider<T> v, Wider<T> y) { return C::size(v, y); }, &worst);
  });
  ::testing::Test::RecordProperty(sizeof(T) == 4 ? "f32" : "f64", std::to_string(worst.error));
  EXPECT_LE(worst.error, C::kBound[sizeof(T) / 8])
      << C::kName << (sizeof(T) == 4 ? ", f32, at " : ", f64, at ") << worst.at;
}

template <class C>
class Math : public ::testing::Test {};
using Cases = ::testing::Types<ExpCase, LogCase, Log1pCase, Expm1Case, TanhCase, SigmoidCase,
                               SoftplusCase, GeluCase, GeluSlopeCase>;
struct NameOfCase {
  template <class C>
  static std::string GetName(int) {
    return C::kName;
  }
};
TYPED_TEST_SUITE(Math, Cases, NameOfCase);

TYPED_TEST(Math, ErrorInUlpAndSameBits) {
  check_case<float, TypeParam>();
  check_case<double, TypeParam>();
}

template <class T>
void check_powers(std::initializer_list<double> exponents, double bound) {
  for (double exponent : exponents) {
    const T a = T(exponent);
    const math::Pow<T> power(a);
    Worst<T> worst;
    int batches = 0;
    for_samples<T>([&](const std::vector<T>& x) {
      if (batches++ % 8) return;  // there are many exponents
      check(
          x, [&](T v) { return power(v); }, [&](Wider<T> v) { return std::pow(v, Wider<T>(a)); },
          [](Wider<T>, Wider<T> y) { return y; }, &worst);
    });
    EXPECT_LE(worst.error, bound) << "x^" << a << " at " << worst.at;
  }
}

TEST(Pow, ErrorInUlpAndSameBits) {
  check_powers<float>({0.5, 1, 2, 3, -1, -2, 2.5, -1.7, 1.0 / 3, 0.01, 100.5, -1e6, 1e30, 0},
                      0.501);
  check_powers<double>({0.5, 1, 2, 3, -1, -2, 2.5, -1.7, 1.0 / 3, 0.01}, 1.15);
  check_powers<double>({100.5, -1e6, 1e18, 1e300, 0}, 2.5);
  const double infinity = std::numeric_limits<double>::infinity();
  check_powers<double>({infinity, -infinity}, 0);
}

}  // namespace
}  // namespace clade::kernels

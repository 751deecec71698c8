#include "kernels/elementwise/elementwise.h"

#include <limits>

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

constexpr int kUnaryOps = int(Unary::silu) + 1, kBinaryOps = int(Binary::equal) + 1;

struct UnaryCase {
  Unary op;
  double a, b, low, high;  // parameters, and a range of x where op is defined and well conditioned
};

UnaryCase unary_case(Unary op, Trial& trial) {
  switch (op) {
    case Unary::log:
    case Unary::sqrt: return {op, 0, 0, 0.05, 4};
    case Unary::reciprocal: return {op, 0, 0, 0.3, 4};
    case Unary::power: return {op, trial.between(-2, 3), 0, 0.3, 3};
    case Unary::clamp: return {op, -0.5, 1.25, -3, 3};
    default: return {op, trial.between(-1, 1), trial.between(-1, 1), -6, 6};
  }
}

// Views of equal sizes that share one memory order, or each have their own.
struct Layouts {
  explicit Layouts(Trial& trial)
      : trial(trial), shared(trial.chance(0.6)), memory(trial.memory()) {}
  Memory next() { return shared && memory != Memory::permuted ? memory : trial.memory(); }
  Trial& trial;
  bool shared;
  Memory memory;
};

TEST(Elementwise, UnaryMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    UnaryCase c = unary_case(Unary(seed % kUnaryOps), trial);
    DType t = trial.floating();
    Shape sizes = trial.sizes(int(trial.below(5)), trial.elements());
    Layouts layouts(trial);
    View x = trial.input(sizes, t, layouts.next(), c.low, c.high);
    View y = trial.output(sizes, t, layouts.next());
    trial.compare([&](auto on) { unary(on, c.op, x, y, c.a, c.b); },
                  [&] { reference::unary(c.op, x, y, c.a, c.b); }, testing::tolerance(t, 1e-6));
  }
}

TEST(Elementwise, UnaryInPlaceMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    UnaryCase c = unary_case(Unary(seed % kUnaryOps), trial);
    DType t = trial.floating();
    Shape sizes = trial.sizes(int(trial.below(5)), trial.elements());
    View x = trial.in_place(sizes, t, trial.memory(), c.low, c.high);
    trial.compare([&](auto on) { unary(on, c.op, x, x, c.a, c.b); },
                  [&] { reference::unary(c.op, x, x, c.a, c.b); }, testing::tolerance(t, 1e-6));
  }
}

TEST(Elementwise, UnaryBackwardMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    UnaryCase c = unary_case(Unary(seed % kUnaryOps), trial);
    DType t = trial.floating();
    Shape sizes = trial.sizes(int(trial.below(5)), trial.elements());
    Layouts layouts(trial);
    View x = trial.input(sizes, t, layouts.next(), c.low, c.high);
    View y = trial.input(sizes, t, layouts.next(), 0, 1);
    View dy = trial.input(sizes, t, layouts.next(), -1, 1);
    View dx = trial.output(sizes, t, layouts.next());
    reference::unary(c.op, x, y, c.a, c.b);
    trial.compare([&](auto on) { unary_backward(on, c.op, x, y, dy, dx, c.a, c.b); },
                  [&] { reference::unary_backward(c.op, x, y, dy, dx, c.a, c.b); },
                  testing::tolerance(t, 2e-6));
  }
}

// slope() of the reference against central differences of value().
TEST(Elementwise, ReferenceSlopesAreDerivatives) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    UnaryCase c = unary_case(Unary(seed % kUnaryOps), trial);
    const double h = 1e-5, x = trial.between(c.low + h, c.high - h);
    Tensor points = Tensor::from<double>({x - h, x + h}, {2});
    Tensor values = Tensor::empty_like(points), slope = Tensor::empty({1}, DType::f64);
    reference::unary(c.op, points.view(), values.view(), c.a, c.b);
    reference::unary_backward(c.op, Tensor::scalar(x, DType::f64).reshape({1}).view(), View{},
                              Tensor::full({1}, 1, DType::f64).view(), slope.view(), c.a, c.b);
    EXPECT_NEAR(slope.item(), (values.at({1}) - values.at({0})) / (2 * h), 1e-4)
        << "op " << int(c.op) << " at " << x << ", seed " << seed;
  }
}

TEST(Elementwise, BinaryMatchesReferenceWithBroadcasting) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Binary op = Binary(seed % kBinaryOps);
    DType t = trial.floating();
    Shape sizes = trial.sizes(int(trial.below(5)), trial.elements());
    auto operand = [&] {  // some axes stand still: stride 0
      Shape own = sizes;
      for (int d = 0; d < sizes.rank(); d++)
        if (sizes[d] && trial.chance(0.3)) own = own.with(d, 1);
      View v = trial.input(own, t, trial.memory(), 0.5, 3);
      for (int d = 0; d < sizes.rank(); d++)
        if (own[d] != sizes[d]) v.shape[d] = sizes[d], v.stride[d] = 0;
      return v;
    };
    View a = operand(), b = operand(), y = trial.output(sizes, t, trial.memory());
    trial.compare([&](auto on) { binary(on, op, a, b, y); },
                  [&] { reference::binary(op, a, b, y); }, testing::tolerance(t, 1e-6));
  }
}

TEST(Elementwise, AccumulateAdds) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    DType t = trial.floating();
    Shape sizes = trial.sizes(int(trial.below(5)), trial.elements());
    double alpha = trial.chance(0.5) ? 1 : trial.between(-2, 2);
    View x = trial.input(sizes, t, trial.memory(), -1, 1);
    View y = trial.in_place(sizes, t, trial.memory(), -1, 1);
    View scaled = trial.output(sizes, t);
    reference::unary(Unary::affine, x, scaled, alpha, 0);
    trial.compare(
        [&](auto on) {
          accumulate(on, x, y, alpha);
          reference::unary(Unary::affine, x, scaled, alpha, 0);
        },
        [&] {
          reference::unary(Unary::affine, x, scaled, alpha, 0);
          reference::binary(Binary::add, y, scaled, y);
        },
        testing::tolerance(t, 1e-6));
  }
}

// Far out, where the plain formulas overflow or cancel.
TEST(Elementwise, StableForAllFiniteInputs) {
  const std::vector<float> far = {-3.4e38f, -1e10f, -200,  -104, -88.8f, -50,   -1e-20f, 0,
                                  1e-20f,   50,     88.8f, 89,   200,    1e10f, 3.4e38f};
  Tensor x = Tensor::from(far, {int64_t(far.size())}), y = Tensor::empty_like(x);
  Tensor want = Tensor::empty_like(x);
  for (Unary op : {Unary::exp, Unary::sigmoid, Unary::tanh, Unary::softplus, Unary::silu,
                   Unary::elu, Unary::gelu}) {
    unary(Cpu{}, op, x.view(), y.view(), 1);
    reference::unary(op, x.view(), want.view(), 1);
    for (int64_t i = 0; i < x.numel(); i++) {
      double w = want.at({i});
      if (std::isinf(w)) {
        EXPECT_EQ(y.at({i}), w) << "op " << int(op) << " at " << x.at({i});
      } else {  // relative, down to the smallest normal f32
        EXPECT_NEAR(y.at({i}), w, 1e-6 * std::fabs(w) + 1e-38)
            << "op " << int(op) << " at " << x.at({i});
      }
    }
  }
}

TEST(Elementwise, NanPropagates) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (DType t : {DType::f32, DType::f64}) {
    Tensor x = Tensor::full({20}, nan, t), one = Tensor::full({20}, 1, t),
           y = Tensor::empty_like(x);
    for (int op = 0; op < kUnaryOps; op++) {
      unary(Cpu{}, Unary(op), x.view(), y.view(), 0.5, 0.7);
      for (int64_t i = 0; i < 20; i++) EXPECT_TRUE(std::isnan(y.at({i}))) << "op " << op;
    }
    for (int op = 0; op <= int(Binary::minimum); op++)  // those after it say who wins
      for (bool left : {true, false}) {
        binary(Cpu{}, Binary(op), left ? x.view() : one.view(), left ? one.view() : x.view(),
               y.view());
        for (int64_t i = 0; i < 20; i++) EXPECT_TRUE(std::isnan(y.at({i}))) << "op " << op;
      }
  }
}

}  // namespace
}  // namespace clade::kernels

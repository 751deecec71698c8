#include "kernels/reduce/reduce.h"

#include <limits>

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Reduce, MatchesReferenceOverAnyAxes) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    Reduce op = Reduce(seed % 4);
    DType t = trial.floating();
    Shape sizes = trial.sizes(int(trial.below(5)), trial.elements()), result = sizes;
    for (int d = 0; d < sizes.rank(); d++)
      if (trial.chance(0.5)) result = result.with(d, 1);
    if (op != Reduce::sum && sizes.numel() == 0) continue;
    View x = trial.input(sizes, t, trial.memory(), -2, 3);
    if (sizes.rank() && sizes[0] > 1 && trial.chance(0.1)) x.stride[0] = 0;  // repeated
    View y = trial.output(result, t, trial.memory());
    trial.compare([&](auto on) { reduce(on, op, x, y); }, [&] { reference::reduce(op, x, y); },
                  testing::tolerance(t, 1e-6, 1e-11));
  }
}

TEST(Reduce, LongSumsKeepTheirDigits) {  // 70,000 rows of 0.1 + 1000, both ways through memory
  for (bool columns : {true, false}) {
    Tensor x = columns ? Tensor::full({70000, 3}, 1000.1) : Tensor::full({3, 70000}, 1000.1);
    Tensor y = columns ? Tensor::empty({1, 3}) : Tensor::empty({3, 1});
    reduce(Cpu{}, Reduce::mean, x.view(), y.view());
    for (float v : y.to_vector<float>()) EXPECT_EQ(v, 1000.1f);
  }
}

TEST(Reduce, NanPropagates) {
  for (uint64_t seed : testing::seeds(40)) {
    Trial trial(seed);
    Reduce op = Reduce(seed % 4);
    DType t = trial.floating();
    View x = trial.input({37, 41}, t, trial.memory(), -2, 3);
    trial.sprinkle(x, NAN, 0.02);
    View y = trial.output(trial.chance(0.5) ? Shape{37, 1} : Shape{1, 41}, t);
    trial.compare([&](auto on) { reduce(on, op, x, y); }, [&] { reference::reduce(op, x, y); },
                  testing::tolerance(t));
  }
}

TEST(Argmax, MatchesReference) {  // few different values: many ties
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    DType t = trial.floating();
    Shape sizes = trial.sizes(1 + int(trial.below(4)), trial.elements());
    int axis = int(trial.below(sizes.rank()));
    if (sizes[axis] == 0) continue;
    View whole = trial.input(sizes, DType::i32, Memory::row_major, -3, 3);
    View x = trial.input(sizes, t, trial.memory(), 0, 1);
    copy_elements(whole, x);
    if (trial.chance(0.2)) trial.sprinkle(x, NAN, 0.05);
    View index = trial.output(sizes.with(axis, 1), DType::i64, trial.memory());
    trial.compare([&](auto on) { argmax(on, x, index, axis); },
                  [&] { reference::argmax(x, index, axis); }, 0);
  }
}

// x of random sizes with now and then large values or -inf, an axis, and outputs like x.
struct LineCase {
  explicit LineCase(Trial& trial)
      : t(trial.floating()), sizes(trial.sizes(1 + int(trial.below(4)), trial.elements())) {
    axis = int(trial.below(sizes.rank()));
    if (sizes[axis] == 0) sizes = sizes.with(axis, 1);
    const double reach = trial.chance(0.2) ? 1000 : 5;
    x = trial.input(sizes, t, trial.memory(), -reach, reach);
    if (trial.chance(0.3)) trial.sprinkle(x, -kInfinity, trial.chance(0.2) ? 1 : 0.3);
    if (trial.chance(0.1)) trial.sprinkle(x, NAN, 0.01);
  }
  Shape line_sums() const { return sizes.with(axis, 1); }
  DType t;
  Shape sizes;
  int axis;
  View x;
};

TEST(Softmax, ForwardMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LineCase c(trial);
    bool log = seed % 3 == 1, total = seed % 3 == 2;
    View y = trial.output(total ? c.line_sums() : c.sizes, c.t, trial.memory());
    auto kernel = [&](auto on) {
      total ? logsumexp(on, c.x, y, c.axis)
      : log ? log_softmax(on, c.x, y, c.axis)
            : softmax(on, c.x, y, c.axis);
    };
    auto oracle = [&] {
      total ? reference::logsumexp(c.x, y, c.axis)
      : log ? reference::log_softmax(c.x, y, c.axis)
            : reference::softmax(c.x, y, c.axis);
    };
    trial.compare(kernel, oracle, testing::tolerance(c.t, 1e-6));
  }
}

TEST(Softmax, BackwardMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LineCase c(trial);
    bool log = seed % 3 == 1, total = seed % 3 == 2;
    View y = trial.input(total ? c.line_sums() : c.sizes, c.t, trial.memory(), 0, 1);
    total ? reference::logsumexp(c.x, y, c.axis)
    : log ? reference::log_softmax(c.x, y, c.axis)
          : reference::softmax(c.x, y, c.axis);
    View dy = trial.input(total ? c.line_sums() : c.sizes, c.t, trial.memory(), -1, 1);
    View dx = trial.output(c.sizes, c.t, trial.memory());
    auto kernel = [&](auto on) {
      total ? logsumexp_backward(on, c.x, y, dy, dx, c.axis)
      : log ? log_softmax_backward(on, y, dy, dx, c.axis)
            : softmax_backward(on, y, dy, dx, c.axis);
    };
    auto oracle = [&] {
      total ? reference::logsumexp_backward(c.x, y, dy, dx, c.axis)
      : log ? reference::log_softmax_backward(y, dy, dx, c.axis)
            : reference::softmax_backward(y, dy, dx, c.axis);
    };
    trial.compare(kernel, oracle, testing::tolerance(c.t, 3e-5));
  }
}

TEST(Softmax, RowOfMinusInfinity) {
  Tensor x = Tensor::full({2, 5}, -kInfinity), y = Tensor::empty_like(x),
         total = Tensor::empty({2, 1});
  softmax(Cpu{}, x.view(), y.view(), 1);
  EXPECT_EQ(y.to_vector<float>(), std::vector<float>(10, 0.0f));
  logsumexp(Cpu{}, x.view(), total.view(), 1);
  EXPECT_EQ(total.to_vector<double>(), std::vector<double>(2, -kInfinity));
}

}  // namespace
}  // namespace clade::kernels

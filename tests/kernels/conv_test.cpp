// Convolution: against the reference, against itself by the adjoint identity, at any thread count.
#include "kernels/conv/conv.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "kernels/conv/conv_direct.h"
#include "kernels/conv/conv_packed.h"
#include "kernels/conv/conv_winograd.h"
#include "kernels/gemm/gemm_packed_kernels.h"
#include "tensor/parallel.h"
#include "tensor/random.h"
#include "tests/support/every_set.h"

namespace clade::kernels {
namespace {

struct Config {
  int64_t N, C, H, W, O, R, S;
  ConvParams p;

  int64_t P() const { return conv_output_size(H, R, p.stride[0], p.padding[0], p.dilation[0]); }
  int64_t Q() const { return conv_output_size(W, S, p.stride[1], p.padding[1], p.dilation[1]); }
  ConvShape shape() const {
    auto sizes = [](int64_t a, int64_t b, int64_t h, int64_t w) {
      View view{};
      view.rank = 4;
      for (int64_t i = 0; int64_t size : {a, b, h, w}) view.shape[i++] = size;
      return view;
    };
    return {sizes(N, C, H, W), sizes(O, C / p.groups, R, S), sizes(N, O, P(), Q()), p};
  }
};

std::string to_text(const Config& c) {
  return text("N ", c.N, " C ", c.C, " H ", c.H, " W ", c.W, " O ", c.O, " R ", c.R, " S ", c.S,
              " stride ", c.p.stride[0], ",", c.p.stride[1], " padding ", c.p.padding[0], ",",
              c.p.padding[1], " dilation ", c.p.dilation[0], ",", c.p.dilation[1], " groups ",
              c.p.groups);
}

// Small sizes of every kind: kernels smaller than their stride, remainders that a stride leaves
// over (output_padding, seen from grad_input), dilation, groups, odd channel counts, empty batches,
// no channels at all.
Config random_config(Random& rng) {
  Config c{};
  c.N = rng.below(6);
  c.p.groups = rng.below(4) == 0 ? 1 + rng.below(3) : 1;
  int64_t most = rng.below(4) == 0 ? 40 : 9;
  c.C = rng.below(16) == 0 ? 0 : c.p.groups * (1 + rng.below(most));
  c.O = rng.below(16) == 0 ? 0 : c.p.groups * (1 + rng.below(most));
  c.R = 1 + rng.below(5);
  c.S = rng.below(3) ? c.R : 1 + rng.below(5);
  for (int d = 0; d < 2; d++) {
    c.p.stride[d] = 1 + rng.below(3);
    c.p.padding[d] = rng.below(3);
    c.p.dilation[d] = rng.below(4) == 0 ? 2 + rng.below(2) : 1;
  }
  c.H = 1 + rng.below(12);
  c.W = rng.below(3) ? c.H : 1 + rng.below(20);
  return c;
}

// A tensor in memory of its own between guard words, at an address that is no multiple of 64 bytes.
class Guarded {
 public:
  Guarded(const Shape& shape, DType dtype, bool channels_last)
      : memory_(Tensor::full({shape.numel() + 2 * kGuard}, 77, dtype)) {
    Layout layout = channels_last ? Layout::channels_last : Layout::row_major;
    view_ = Tensor::empty(shape, dtype, layout).view();
    view_.data = static_cast<char*>(memory_.view().data) + kGuard * int64_t(size_of(dtype));
  }
  Guarded(const Tensor& values, bool channels_last)
      : Guarded(values.shape(), values.dtype(), channels_last) {
    copy_elements(values.view(), view_);
  }
  const View& view() const { return view_; }
  Tensor values() const {
    Tensor out = Tensor::empty(view_.sizes(), view_.dtype);
    copy_elements(view_, out.view());
    return out;
  }
  void expect_intact_guards() const {
    std::vector<double> all = memory_.to_vector<double>();
    for (int64_t i = 0; i < kGuard; i++)
      ASSERT_TRUE(all[size_t(i)] == 77 && all[all.size() - 1 - size_t(i)] == 77) << "guard " << i;
  }

 private:
  static constexpr int64_t kGuard = 19;
  Tensor memory_;
  View view_;
};

double largest_difference(const Tensor& a, const Tensor& b) {
  std::vector<double> left = a.to_vector<double>(), right = b.to_vector<double>();
  double largest = 0;
  for (size_t i = 0; i < left.size(); i++) {
    double difference = std::abs(left[i] - right[i]);
    if (!(difference <= largest)) largest = difference;  // NaN wins
  }
  return largest;
}

double dot(const Tensor& a, const Tensor& b) {
  std::vector<double> left = a.to_vector<double>(), right = b.to_vector<double>();
  double sum = 0;
  for (size_t i = 0; i < left.size(); i++) sum += left[i] * right[i];
  return sum;
}

// One convolution's operands and the three faces of both implementations.
struct Problem {
  Problem(const Config& config, DType dtype, Random& rng)
      : c(config),
        x(randn({c.N, c.C, c.H, c.W}, rng, dtype), true),
        y(randn({c.N, c.O, c.P(), c.Q()}, rng, dtype), true),
        w(randn({c.O, c.C / c.p.groups, c.R, c.S}, rng, dtype), false),
        bias_y(randn({c.O}, rng, dtype)),
        bias_x(randn({c.C}, rng, dtype)),
        slope(std::array{1.0, 0.0, 0.2}[size_t(rng.below(3))]) {}

  Guarded like(const Guarded& of) const {
    return Guarded(of.view().sizes(), of.view().dtype, &of != &w);
  }
  Tensor forward(bool with_bias, double activation = 1) const {
    Guarded out = like(y);
    conv2d_forward(Cpu{}, x.view(), w.view(), with_bias ? bias_y.view() : View{}, out.view(), c.p,
                   activation);
    out.expect_intact_guards();
    return out.values();
  }
  Tensor grad_input(bool with_bias, double activation = 1) const {
    Guarded out = like(x);
    conv2d_grad_input(Cpu{}, y.view(), w.view(), with_bias ? bias_x.view() : View{}, out.view(),
                      c.p, activation);
    out.expect_intact_guards();
    return out.values();
  }
  Tensor grad_weight() const {
    Guarded out = like(w);
    conv2d_grad_weight(Cpu{}, x.view(), y.view(), out.view(), c.p);
    out.expect_intact_guards();
    return out.values();
  }
  void expect_equals_reference() const {
    double terms[3] = {double(c.C / c.p.groups * c.R * c.S), double(c.O / c.p.groups * c.R * c.S),
                       double(c.N * c.P() * c.Q())};
    double unit = y.view().dtype == DType::f64 ? 1e-14 : 4e-6;
    auto tolerance = [&](int face) { return unit * (4 + 4 * std::sqrt(terms[face])); };
    Guarded ry = like(y), rx = like(x), rw = like(w);
    reference::conv2d_forward(x.view(), w.view(), bias_y.view(), ry.view(), c.p, slope);
    reference::conv2d_grad_input(y.view(), w.view(), bias_x.view(), rx.view(), c.p, slope);
    reference::conv2d_grad_weight(x.view(), y.view(), rw.view(), c.p);
    EXPECT_LE(largest_difference(forward(true, slope), ry.values()), tolerance(0)) << to_text(c);
    EXPECT_LE(largest_difference(grad_input(true, slope), rx.values()), tolerance(1)) << to_text(c);
    EXPECT_LE(largest_difference(grad_weight(), rw.values()), tolerance(2)) << to_text(c);
  }
  // <y, A x> = <A* y, x> = <dT/dw, w>: all three are the trilinear form itself.
  void expect_adjoint() const {
    double by_y = dot(forward(false), y.values());
    double by_x = dot(grad_input(false), x.values());
    double by_w = dot(grad_weight(), w.values());
    double terms = double(c.N * c.O * c.P() * c.Q() * c.C / c.p.groups * c.R * c.S);
    double tolerance = (y.view().dtype == DType::f64 ? 1e-13 : 1e-5) * (1 + std::sqrt(terms));
    EXPECT_NEAR(by_y, by_x, tolerance) << to_text(c);
    EXPECT_NEAR(by_y, by_w, tolerance) << to_text(c);
  }

  Config c;
  Guarded x, y, w;
  Tensor bias_y, bias_x;
  double slope;  // of the activation
};

// The layers of the autoencoder that the project trains, at a small batch, and what is near them.
std::vector<Config> layer_configs() {
  std::vector<Config> all;
  auto add = [&](int64_t N, int64_t C, int64_t size, int64_t O, int64_t kernel, int64_t stride) {
    ConvParams p;
    p.stride[0] = p.stride[1] = stride;
    p.padding[0] = p.padding[1] = kernel / 2;
    all.push_back({N, C, size, size, O, kernel, kernel, p});
  };
  for (int64_t stride : {1, 2}) {
    add(3, 1, 32, 16, 3, stride);
    add(3, 2, 32, 16, 3, stride);
    add(3, 16, 32, 1, 3, stride);
    add(3, 32, 16, 2, 3, stride);
    add(3, 16, 32, 16, 3, stride);
    add(2, 32, 16, 32, 3, stride);
    add(5, 64, 8, 64, 3, stride);
    add(37, 64, 4, 128, 3, stride);
    add(18, 40, 2, 24, 3, stride);
    add(3, 33, 15, 47, 3, stride);
    add(2, 24, 17, 30, 5, stride);
    add(2, 24, 12, 30, 4, stride);
    add(2, 48, 9, 70, 1, stride);
  }
  return all;
}

// Shapes that Winograd's method takes: last tiles of every size, paddings of 0 to 2 and uneven
// ones, channels that fill no whole vector.
Config random_winograd_config(Random& rng) {
  Config c{};
  c.N = 1 + rng.below(3);
  c.C = 16 + rng.below(20);
  c.O = 16 + rng.below(20);
  c.R = c.S = 3;
  do {
    c.H = 3 + rng.below(10);
    c.W = rng.below(3) ? c.H : 3 + rng.below(10);
    for (int d = 0; d < 2; d++) c.p.padding[d] = rng.below(3);
  } while (!winograd::pays(c.shape()));
  return c;
}

// Shapes whose weight gradient is a product: whole strips of input channels, rows and columns of
// which a tap sees nothing, last tiles of every size. Every third has enough pixels for two parts.
Config random_packed_config(Random& rng) {
  Config c{};
  do {
    c.N = rng.below(3) ? 1 + rng.below(5) : 40 + rng.below(10);
    c.C = c.N > 5 ? 32 : 32 * (1 + rng.below(2));
    c.O = 28 + rng.below(20);
    c.R = 1 + rng.below(c.N > 5 ? 3 : 5);
    c.S = rng.below(3) ? c.R : 1 + rng.below(3);
    c.H = 1 + rng.below(9);
    c.W = rng.below(3) ? c.H : 1 + rng.below(14);
    for (int d = 0; d < 2; d++) {
      c.p.stride[d] = 1 + rng.below(3);
      c.p.padding[d] = rng.below(4);
      c.p.dilation[d] = rng.below(4) == 0 ? 2 + rng.below(2) : 1;
    }
  } while (!packed::weight_pays(c.shape()) || winograd::pays(c.shape()));
  return c;
}

// One thread for the length of a test of values: small problems gain nothing from more.
class OneThread {
 public:
  OneThread() : before_(threads()) { set_threads(1); }
  ~OneThread() { set_threads(before_); }

 private:
  int before_;
};

template <class Value>
void expect_same_bits_at_any_thread_count(Value value, const Config& c) {
  OneThread restore;
  std::vector<double> one = value().template to_vector<double>();
  for (int n : {2, 3}) {
    set_threads(n);
    EXPECT_EQ(one, value().template to_vector<double>()) << n << " threads, " << to_text(c);
  }
}

}  // namespace

TEST(Conv, EqualsReference) {
  OneThread restore;
  Random rng(11);
  for (int i = 0; i < 300; i++)
    Problem(random_config(rng), i % 2 ? DType::f64 : DType::f32, rng).expect_equals_reference();
}

TEST(Conv, LayersEqualReference) {
  Random rng(12);
  for (const Config& c : layer_configs()) Problem(c, DType::f32, rng).expect_equals_reference();
}

TEST(Conv, EveryInstructionSetEqualsReference) {
  OneThread restore;
  testing::for_every_set([] {
    Random rng(17);
    for (int i = 0; i < 200; i++)
      Problem(random_config(rng), DType::f32, rng).expect_equals_reference();
    for (const Config& c : layer_configs()) Problem(c, DType::f32, rng).expect_adjoint();
  });
}

TEST(Conv, WinogradEqualsReferenceWithEveryInstructionSet) {
  OneThread restore;
  testing::for_every_set([] {
    Random rng(18);
    for (int i = 0; i < 12; i++)
      Problem(random_winograd_config(rng), DType::f32, rng).expect_equals_reference();
  });
}

TEST(Conv, WeightGradientAsAProductEqualsReferenceWithEveryInstructionSet) {
  OneThread restore;
  testing::for_every_set([] {
    Random rng(20);
    for (int i = 0; i < 12; i++)
      Problem(random_packed_config(rng), DType::f32, rng).expect_equals_reference();
  });
}

TEST(Conv, WinogradIsNotUsedWhereExactIsAsked) {
  Random rng(19);
  Problem problem(random_winograd_config(rng), DType::f32, rng);
  Tensor fast = problem.forward(true);
  set_exact_convolution(true);
  Tensor exact = problem.forward(true);
  set_exact_convolution(false);
  Guarded direct = problem.like(problem.y);
  direct::forward(problem.c.shape(), problem.x.view().as<float>(), problem.w.view().as<float>(),
                  problem.bias_y.view().as<float>(), 1, direct.view().as<float>());
  EXPECT_EQ(exact.to_vector<float>(), direct.values().to_vector<float>());
  EXPECT_NE(exact.to_vector<float>(), fast.to_vector<float>());
}

TEST(Conv, AdjointIdentity) {
  OneThread restore;
  Random rng(13);
  for (int i = 0; i < 2000; i++)
    Problem(random_config(rng), i % 4 ? DType::f32 : DType::f64, rng).expect_adjoint();
}

TEST(Conv, SameBitsAtAnyThreadCount) {
  Random rng(14);
  std::vector<Config> configs = layer_configs();
  for (int i = 0; i < 40; i++) configs.push_back(random_config(rng));
  for (int i = 0; i < 20; i++) configs.push_back(random_winograd_config(rng));
  for (int i = 0; i < 10; i++) configs.push_back(random_packed_config(rng));
  configs.push_back({9, 32, 24, 24, 32, 3, 3, {{1, 1}, {0, 0}, {2, 1}}});  // several parts
  for (const Config& c : configs) {
    Problem problem(c, DType::f32, rng);
    expect_same_bits_at_any_thread_count([&] { return problem.forward(true); }, c);
    expect_same_bits_at_any_thread_count([&] { return problem.grad_input(true); }, c);
    expect_same_bits_at_any_thread_count([&] { return problem.grad_weight(); }, c);
  }
}

TEST(Conv, EmptyBatchGivesZeroWeightGradient) {
  Random rng(15);
  Problem problem({0, 3, 5, 5, 4, 3, 3, {}}, DType::f32, rng);
  EXPECT_EQ(problem.forward(true).numel(), 0);
  EXPECT_EQ(problem.grad_input(true).numel(), 0);
  for (double v : problem.grad_weight().to_vector<double>()) EXPECT_EQ(v, 0);
}

// A step costs what its pixels cost, not what lies between them.
TEST(Conv, FarStridesPaddingsAndDilations) {
  Random rng(18);
  const int64_t far = 100000;
  std::vector<Config> configs;
  for (int64_t stride : {int64_t{7}, int64_t{300}, far})
    configs.push_back({2, 3, 4, 5, 4, 3, 3, {{stride, stride}, {1, 1}}});
  configs.push_back({2, 3, 4, 5, 4, 3, 3, {{1, 1}, {far, far}, {far, far}}});
  configs.push_back({2, 3, 4, 5, 4, 3, 3, {{far, far}, {far, far}}});
  reset_peak_memory();
  const int64_t before = memory_stats().peak;
  for (const Config& c : configs) Problem(c, DType::f32, rng).expect_equals_reference();
  EXPECT_LT(memory_stats().peak - before, 64 << 20);
}

TEST(Conv, SteadyStateTakesNothingFromTheSystem) {
  Random rng(16);
  Problem problem({16, 16, 16, 16, 32, 3, 3, {}}, DType::f32, rng);
  OneThread restore;
  Guarded y = problem.like(problem.y), x = problem.like(problem.x), w = problem.like(problem.w);
  auto step = [&] {
    conv2d_forward(Cpu{}, problem.x.view(), problem.w.view(), View{}, y.view(), problem.c.p);
    conv2d_grad_input(Cpu{}, problem.y.view(), problem.w.view(), View{}, x.view(), problem.c.p);
    conv2d_grad_weight(Cpu{}, problem.x.view(), problem.y.view(), w.view(), problem.c.p);
  };
  step();
  if (memory_stats().cached == 0) GTEST_SKIP() << "this build keeps no block for reuse";
  int64_t calls = memory_stats().system_calls;
  step();
  EXPECT_EQ(memory_stats().system_calls, calls);
}

}  // namespace clade::kernels

// Walks the op table: gradients, adjoints, bad inputs, bits over threads, docs/ops.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <sstream>

#include "autograd/functions.h"
#include "autograd/gradient_check.h"
#include "autograd/op.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"
#include "tests/support/every_set.h"

namespace clade {
namespace {

enum class Memory { row_major, channels_last, strided };
constexpr Memory kMemories[] = {Memory::row_major, Memory::channels_last, Memory::strided};

// Values of the input in the given order of memory; strided leaves gaps filled with NaN.
Tensor draw(const Input& input, DType dtype, Memory memory, Random& rng) {
  Tensor values = Tensor::empty(input.shape, dtype);
  fill_uniform(rng, values, input.low, input.high);
  if (memory == Memory::channels_last && values.rank() == 4)
    return values.to_layout(Layout::channels_last);
  if (memory == Memory::strided && values.rank() > 0) {
    int last = values.rank() - 1;
    Tensor wide = Tensor::full(input.shape.with(last, 2 * values.size(last)), NAN, dtype);
    Tensor view = wide.slice(last, 0, 2 * values.size(last), 2);
    copy_elements(values.view(), view.view());
    return view;
  }
  return values;
}

std::vector<Tensor> draw_all(const std::vector<Input>& inputs, DType dtype, Memory memory,
                             uint64_t seed) {
  Random rng(seed);
  std::vector<Tensor> out;
  for (const Input& input : inputs) out.push_back(draw(input, dtype, memory, rng));
  return out;
}

double dot(const Tensor& a, const Tensor& b) {
  std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double sum = 0;
  for (size_t i = 0; i < x.size(); i++) sum += x[i] * y[i];
  return sum;
}

bool any_input(const std::vector<Input>& inputs, bool (*is)(const Shape&)) {
  return std::any_of(inputs.begin(), inputs.end(), [&](const Input& i) { return is(i.shape); });
}
bool is_empty(const Shape& shape) { return shape.numel() == 0; }
bool has_single(const Shape& shape) {
  for (int d = 0; d < shape.rank(); d++)
    if (shape[d] == 1) return true;
  return false;
}

std::vector<Var> as_vars(const std::vector<Tensor>& tensors, const std::vector<Input>& inputs) {
  std::vector<Var> vars;
  for (size_t i = 0; i < tensors.size(); i++)
    vars.push_back(inputs[i].differentiable ? Var::parameter(tensors[i]) : Var(tensors[i]));
  return vars;
}

// What tests look at.
std::vector<OpSample> samples(const Op& op) {
  std::vector<OpSample> out;
  for (const OpSample& sample : op.samples())
    if (sample.size != Size::bench) out.push_back(sample);
  return out;
}

class OpTable : public ::testing::TestWithParam<const Op*> {};

TEST_P(OpTable, HasSamplesOfEveryKind) {
  bool empty = false, single = false, large = false, bench = false;
  for (const OpSample& sample : GetParam()->samples()) {
    empty |= any_input(sample.inputs, is_empty);
    single |= any_input(sample.inputs, has_single);
    large |= sample.size == Size::large;
    bench |= sample.size == Size::bench;
  }
  EXPECT_TRUE(empty) << "no sample with nothing in it";
  EXPECT_TRUE(single) << "no sample with an axis of size 1";
  EXPECT_TRUE(large) << "no sample for several threads";
  EXPECT_TRUE(bench) << "no sample to measure";
  ASSERT_TRUE(GetParam()->bad) << "no bad inputs";
  EXPECT_FALSE(GetParam()->bad().empty()) << "no bad inputs";
}

TEST_P(OpTable, GradientsMatchCentralDifferences) {
  for (const OpSample& sample : samples(*GetParam())) {
    if (sample.size == Size::large) continue;
    std::vector<bool> differentiable;
    for (const Input& input : sample.inputs) differentiable.push_back(input.differentiable);
    for (Memory memory : kMemories) {
      std::vector<Tensor> inputs = draw_all(sample.inputs, DType::f64, memory, 1);
      GradientCheck check = check_gradient(inputs, differentiable, sample.apply);
      EXPECT_LE(check.error, GetParam()->tolerance)
          << GetParam()->name << ", " << sample.what << ", memory " << int(memory) << ": "
          << check.worst;
    }
  }
}

// Values and gradients, the latter for a dy that differs from element to element.
TEST_P(OpTable, SinglePrecisionFollowsDouble) {
  for (const OpSample& sample : samples(*GetParam())) {
    auto results = [&](DType dtype) {
      std::vector<Tensor> tensors;
      for (const Tensor& t : draw_all(sample.inputs, DType::f64, Memory::row_major, 2))
        tensors.push_back(t.to(DType::f32).to(dtype));
      std::vector<Var> vars = as_vars(tensors, sample.inputs);
      Var y = sample.apply(vars);
      Tensor dy = Tensor::empty(y.shape());
      Random rng(8);
      fill_uniform(rng, dy, 0.5, 1.5);
      backward(y, dy.to(dtype));
      std::vector<Tensor> out{y.value()};
      for (const Var& v : vars)
        if (v.requires_grad() && v.grad().defined()) out.push_back(v.grad());
      return out;
    };
    std::vector<Tensor> wide = results(DType::f64), narrow = results(DType::f32);
    ASSERT_EQ(wide.size(), narrow.size());
    for (size_t r = 0; r < wide.size(); r++) {
      std::vector<double> y = wide[r].to_vector<double>(), z = narrow[r].to_vector<double>();
      ASSERT_EQ(y.size(), z.size());
      double scale = 1, largest = 0;
      for (double v : y) scale = std::max(scale, std::abs(v));
      for (size_t i = 0; i < y.size(); i++) largest = std::max(largest, std::abs(y[i] - z[i]));
      EXPECT_LE(largest, 1e-4 * scale)
          << GetParam()->name << ", " << sample.what << ", " << (r ? "gradient " : "value ") << r;
    }
  }
}

TEST_P(OpTable, LinearOpsObeyTheAdjointIdentity) {
  for (const OpSample& sample : samples(*GetParam())) {
    for (size_t i = 0; i < sample.inputs.size(); i++) {
      if (!(GetParam()->linear_inputs >> i & 1)) continue;
      std::vector<Tensor> tensors = draw_all(sample.inputs, DType::f32, Memory::row_major, 3);
      // A bias makes the op affine; it is the last of three inputs and stays out.
      if (GetParam() != &op::concat && tensors.size() > 2) continue;
      std::vector<Var> vars(tensors.begin(), tensors.end());
      if (GetParam() == &op::concat)  // linear in all its inputs together: the others are 0
        for (size_t j = 0; j < vars.size(); j++)
          if (j != i) vars[j] = Var(Tensor::zeros(tensors[j].shape()));
      if (GetParam() == &op::add || GetParam() == &op::sub)
        vars[1 - i] = Var(Tensor::zeros(tensors[1 - i].shape()));
      vars[i] = Var::parameter(tensors[i]);
      Var y = sample.apply(vars);
      Random rng(4);
      Tensor dy = randn(y.shape(), rng);
      backward(y, dy);
      double left = dot(y.value(), dy);
      double right = vars[i].grad().defined() ? dot(tensors[i], vars[i].grad()) : 0;
      EXPECT_NEAR(left, right, 1e-4 * (1 + std::abs(left)))
          << GetParam()->name << ", " << sample.what << ", input " << i;
    }
  }
}

// Value and gradients of one sample, as bits.
std::vector<std::vector<uint64_t>> bits(const OpSample& sample, DType dtype) {
  std::vector<Var> vars =
      as_vars(draw_all(sample.inputs, dtype, Memory::row_major, 6), sample.inputs);
  Var y = sample.apply(vars);
  backward(y, Tensor::full(y.shape(), 0.5, dtype));
  std::vector<std::vector<uint64_t>> out;
  auto keep = [&](const Tensor& t) {
    out.emplace_back();
    for (double v : t.to_vector<double>()) out.back().push_back(std::bit_cast<uint64_t>(v));
  };
  keep(y.value());
  for (const Var& v : vars)
    if (v.requires_grad() && v.grad().defined()) keep(v.grad());
  return out;
}

TEST_P(OpTable, SameBitsAtAnyThreadCount) {
  for (const OpSample& sample : samples(*GetParam())) {
    std::vector<std::vector<uint64_t>> first;
    for (int count : {1, 2, 3}) {
      set_threads(count);
      const auto results = bits(sample, DType::f32);
      if (count == 1) first = results;
      EXPECT_EQ(first, results) << GetParam()->name << ", " << sample.what << ", " << count;
    }
  }
}

TEST_P(OpTable, SameBitsWithEveryInstructionSet) {
  // Convolutions and products fuse a * b + c where the set can (conv.md, gemm.md); the products of
  // those that can are alike.
  if (GetParam() == &op::conv2d || GetParam() == &op::conv_transpose2d) return;
  const bool product = GetParam() == &op::matmul || GetParam() == &op::linear;
  for (const OpSample& sample : samples(*GetParam()))
    for (DType dtype : {DType::f32, DType::f64}) {
      std::vector<std::vector<uint64_t>> first;
      testing::for_every_set([&] {
        if (product && dtype == DType::f32 && vectors() == Vectors::baseline) return;
        const auto results = bits(sample, dtype);
        if (first.empty()) first = results;
        EXPECT_EQ(first, results) << GetParam()->name << ", " << sample.what << ", "
                                  << name_of(dtype);
      });
    }
}

TEST_P(OpTable, BadInputsGiveTheirMessage) {
  for (const BadInput& bad : GetParam()->bad()) {
    std::vector<Var> vars;
    for (const Tensor& t : draw_all(bad.inputs, DType::f32, Memory::row_major, 7))
      vars.push_back(t.to(bad.dtype));
    std::string message = "no error";
    try {
      bad.apply(vars);
    } catch (const Error& e) {
      message = e.what();
    }
    EXPECT_EQ(message.substr(0, std::string(bad.message).size()), bad.message)
        << GetParam()->name << ", " << bad.what << ": " << message;
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, OpTable, ::testing::ValuesIn(op_table()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(OpTablePage, IsWhatTheTablePrints) {
  std::ifstream file(std::string(CLADE_SOURCE_DIR) + "/docs/ops.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), op_table_markdown()) << "run: clade ops > docs/ops.md";
}

}  // namespace
}  // namespace clade

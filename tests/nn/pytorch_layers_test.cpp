// Every layer against PyTorch: output, gradients of inputs and parameters, buffers afterwards.
#include "nn/layers.h"
#include "nn/sequential.h"
#include "tests/support/golden.h"

namespace clade::nn {
namespace {

using test::expect_close;
constexpr double kTolerance = 1e-5;

struct Case {
  const char* name;
  Sequential (*make)(Random& rng);
  bool training = true;
};

template <class L>
Sequential one(L layer) {
  return Sequential(std::move(layer));
}

const Case kLayers[] = {
    {"linear", [](Random& r) { return one(Linear(6, 3, r)); }},
    {"linear_no_bias", [](Random& r) { return one(Linear(6, 3, r, false)); }},
    {"conv_3x3", [](Random& r) { return one(Conv2d(4, 5, 3, {.padding = 1}, r)); }},
    {"conv_stride_2",
     [](Random& r) { return one(Conv2d(4, 5, 3, {.stride = 2, .padding = 1, .bias = false}, r)); }},
    {"conv_5x5_stride_2",
     [](Random& r) { return one(Conv2d(4, 3, 5, {.stride = 2, .padding = 2}, r)); }},
    {"conv_dilated",
     [](Random& r) { return one(Conv2d(4, 3, 3, {.padding = 1, .dilation = 2}, r)); }},
    {"conv_groups", [](Random& r) { return one(Conv2d(4, 6, 3, {.groups = 2}, r)); }},
    {"conv_1x1", [](Random& r) { return one(Conv2d(4, 5, 1, {}, r)); }},
    {"conv_transpose",
     [](Random& r) { return one(ConvTranspose2d(4, 3, 3, {.stride = 2, .padding = 1}, 1, r)); }},
    {"conv_transpose_4x4",
     [](Random& r) {
       return one(ConvTranspose2d(4, 3, 4, {.stride = 2, .padding = 1, .bias = false}, 0, r));
     }},
    {"conv_transpose_groups",
     [](Random& r) { return one(ConvTranspose2d(4, 6, 3, {.stride = 2, .groups = 2}, 0, r)); }},
    {"batch_norm_2d", [](Random&) { return one(BatchNorm2d(4)); }},
    {"batch_norm_2d_eval", [](Random&) { return one(BatchNorm2d(4)); }, false},
    {"batch_norm_1d", [](Random&) { return one(BatchNorm1d(6)); }},
    {"batch_norm_1d_eval", [](Random&) { return one(BatchNorm1d(6)); }, false},
    {"max_pool", [](Random&) { return one(MaxPool2d()); }},
    {"max_pool_3_2_1", [](Random&) { return one(MaxPool2d(3, 2, 1)); }},
    {"avg_pool", [](Random&) { return one(AvgPool2d()); }},
    {"avg_pool_3_2_1", [](Random&) { return one(AvgPool2d(3, 2, 1)); }},
    {"upsample_nearest", [](Random&) { return one(Upsample2d{}); }},
    {"upsample_bilinear",
     [](Random&) {
       return one(Upsample2d{2, Upsample::bilinear});
     }},
    {"flatten", [](Random&) { return one(Flatten{}); }},
    {"relu", [](Random&) { return one(ReLU{}); }},
    {"leaky_relu", [](Random&) { return one(LeakyReLU{0.2}); }},
    {"elu", [](Random&) { return one(ELU{1.3}); }},
    {"gelu", [](Random&) { return one(GELU{}); }},
    {"silu", [](Random&) { return one(SiLU{}); }},
    {"sigmoid", [](Random&) { return one(Sigmoid{}); }},
    {"tanh", [](Random&) { return one(Tanh{}); }},
    {"softplus", [](Random&) { return one(Softplus{}); }},
    {"softmax", [](Random&) { return one(Softmax{}); }},
};

class PyTorchLayer : public testing::TestWithParam<Case> {};

TEST_P(PyTorchLayer, AgreesForwardAndBackward) {
  static const SafeTensors golden = test::load_golden("layers");
  const std::string name = GetParam().name;
  Random rng(1);
  Sequential net = GetParam().make(rng);
  detail::Collector parts;
  net.visit(parts);
  for (const SafeTensors::Entry& entry : state_dict(net)) {
    const Tensor* t = golden.find(name + ".p." + entry.name.substr(2));  // without "0."
    if (t) Tensor(entry.tensor).copy_(*t);
  }
  set_training(net, GetParam().training);

  Var x = Var::parameter(golden.at(name + ".x0"));
  Var y = net(x);
  expect_close(y.value(), golden.at(name + ".y"), kTolerance, name + " output");
  backward(y, golden.at(name + ".dy"));
  expect_close(x.grad(), golden.at(name + ".dx0"), kTolerance, name + " gradient of the input");
  for (const NamedParameter& p : parameters(net))
    expect_close(p.parameter->grad(), golden.at(name + ".dp." + p.name.substr(2)), kTolerance,
                 name + " gradient of " + p.name);
  for (const SafeTensors::Entry& b : parts.buffers)
    if (b.tensor.dtype() == DType::f32)
      expect_close(b.tensor, golden.at(name + ".after." + b.name.substr(2)), kTolerance,
                   name + " buffer " + b.name);
}

INSTANTIATE_TEST_SUITE_P(All, PyTorchLayer, testing::ValuesIn(kLayers),
                         [](const auto& info) { return std::string(info.param.name); });

struct FunctionCase {
  const char* name;
  Var (*f)(const std::vector<Var>& x);
};

const FunctionCase kFunctions[] = {
    {"log_softmax", [](const std::vector<Var>& x) { return log_softmax(x[0]); }},
    {"exp", [](const std::vector<Var>& x) { return exp(x[0]); }},
    {"square", [](const std::vector<Var>& x) { return square(x[0]); }},
    {"abs", [](const std::vector<Var>& x) { return abs(x[0]); }},
    {"clamp", [](const std::vector<Var>& x) { return clamp(x[0], -2, 3); }},
    {"logsumexp", [](const std::vector<Var>& x) { return logsumexp(x[0], 1); }},
    {"sum_rows", [](const std::vector<Var>& x) { return sum(x[0], {0}); }},
    {"mean_columns", [](const std::vector<Var>& x) { return mean(x[0], {1}); }},
    {"max_columns", [](const std::vector<Var>& x) { return max(x[0], {1}); }},
    {"min_rows", [](const std::vector<Var>& x) { return min(x[0], {0}); }},
    {"log", [](const std::vector<Var>& x) { return log(x[0]); }},
    {"sqrt", [](const std::vector<Var>& x) { return sqrt(x[0]); }},
    {"reciprocal", [](const std::vector<Var>& x) { return reciprocal(x[0]); }},
    {"power", [](const std::vector<Var>& x) { return power(x[0], 1.7); }},
    {"add", [](const std::vector<Var>& x) { return x[0] + x[1]; }},
    {"sub", [](const std::vector<Var>& x) { return x[0] - x[1]; }},
    {"mul", [](const std::vector<Var>& x) { return x[0] * x[1]; }},
    {"div", [](const std::vector<Var>& x) { return x[0] / x[1]; }},
    {"maximum", [](const std::vector<Var>& x) { return maximum(x[0], x[1]); }},
    {"minimum", [](const std::vector<Var>& x) { return minimum(x[0], x[1]); }},
    {"matmul", [](const std::vector<Var>& x) { return matmul(x[0], x[1]); }},
    {"concat",
     [](const std::vector<Var>& x) {
       return concat({x[0], x[1]}, 1);
     }},
};

TEST(PyTorchFunctions, AgreeForwardAndBackward) {
  const SafeTensors golden = test::load_golden("layers");
  for (const FunctionCase& c : kFunctions) {
    const std::string name = c.name;
    std::vector<Var> x{Var::parameter(golden.at(name + ".x0"))};
    if (golden.find(name + ".x1")) x.push_back(Var::parameter(golden.at(name + ".x1")));
    Var y = c.f(x);
    expect_close(y.value(), golden.at(name + ".y"), kTolerance, name + " value");
    backward(y, golden.at(name + ".dy"));
    for (size_t i = 0; i < x.size(); i++)
      expect_close(x[i].grad(), golden.at(text(name, ".dx", i)), kTolerance,
                   text(name, " gradient ", i));
  }
}

}  // namespace
}  // namespace clade::nn

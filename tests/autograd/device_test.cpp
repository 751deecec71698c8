// Walks the op table on the device of this build's CUDA kernels: values and gradients are the
// CPU's, two runs give the same bits, and arguments on two devices are refused.
#include "tests/support/device.h"

#include <bit>
#include <cmath>

#include "autograd/functions.h"
#include "autograd/op.h"
#include "tests/support/errors.h"

namespace clade {
namespace {

const Device kDevice = device_of_kernels();

// Value and gradients of one sample, on the CPU again.
std::vector<Tensor> results(const OpSample& sample, DType dtype, Device device) {
  Random rng(6);
  std::vector<Var> vars;
  for (const Input& input : sample.inputs) {
    Tensor t = Tensor::empty(input.shape, dtype);
    fill_uniform(rng, t, input.low, input.high);
    t = t.to(device);
    vars.push_back(input.differentiable ? Var::parameter(t) : Var(t));
  }
  Var y = sample.apply(vars);
  EXPECT_EQ(y.value().device(), device);
  Tensor dy = Tensor::empty(y.shape(), dtype);
  fill_uniform(rng, dy, 0.5, 1.5);
  if (y.requires_grad()) backward(y, dy.to(device));
  std::vector<Tensor> out{y.value().to(Device::cpu())};
  for (const Var& v : vars)
    if (v.requires_grad() && v.grad().defined()) out.push_back(v.grad().to(Device::cpu()));
  return out;
}

class DeviceOps : public ::testing::TestWithParam<const Op*> {};

TEST_P(DeviceOps, AgreeWithTheCpuAndWithThemselves) {
  CLADE_SKIP_WITHOUT_DEVICE();
  for (const OpSample& sample : GetParam()->samples()) {
    if (sample.size == Size::bench) continue;
    for (DType dtype : {DType::f32, DType::f64}) {
      if (dtype == DType::f64 && sample.size == Size::large) continue;  // minutes, on the CPU
      const std::vector<Tensor> cpu = results(sample, dtype, Device::cpu());
      const std::vector<Tensor> first = results(sample, dtype, kDevice);
      // The kernels' own tests repeat the large ones.
      const bool twice = sample.size != Size::large;
      const std::vector<Tensor> second = twice ? results(sample, dtype, kDevice) : first;
      ASSERT_EQ(cpu.size(), first.size());
      for (size_t r = 0; r < cpu.size(); r++) {
        const std::vector<double> want = cpu[r].to_vector<double>();
        const std::vector<double> got = first[r].to_vector<double>();
        const std::vector<double> again = second[r].to_vector<double>();
        ASSERT_EQ(want.size(), got.size());
        double scale = 1, largest = 0;
        for (double v : want) scale = std::max(scale, std::abs(v));
        for (size_t i = 0; i < want.size(); i++) {
          largest = std::max(largest, std::abs(want[i] - got[i]));
          ASSERT_EQ(std::bit_cast<uint64_t>(got[i]), std::bit_cast<uint64_t>(again[i]));
        }
        EXPECT_LE(largest, (dtype == DType::f32 ? 1e-5 : 1e-12) * scale)
            << GetParam()->name << ", " << sample.what << ", " << name_of(dtype) << ", "
            << (r ? "gradient " : "value ") << r;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, DeviceOps, ::testing::ValuesIn(op_table()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(DeviceOps, RefuseArgumentsOnTwoDevices) {
  CLADE_SKIP_WITHOUT_DEVICE();
  Tensor here = Tensor::zeros({2, 2}), there = here.to(kDevice);
  const std::string name = text(kDevice);
  EXPECT_EQ(testing::message_of([&] { matmul(Var(here), Var(there)); }),
            "matmul: expected arguments on one device; got f32 [2, 2] on cpu and f32 [2, 2] on " +
                name + "; move one with .to(Device)");
}

}  // namespace
}  // namespace clade

// Tensors on the device of this build's CUDA kernels: making, copying, reading, and the errors.
#include "tests/support/device.h"

#include "tensor/random.h"
#include "tensor/tensor.h"
#include "tests/support/errors.h"

namespace clade {
namespace {

using testing::message_of;

const Device kDevice = device_of_kernels();

TEST(Device, Names) {
  EXPECT_EQ(device_named("cpu"), Device::cpu());
  EXPECT_EQ(device_named("cuda"), Device::cuda());
  EXPECT_EQ(device_named("cuda-on-cpu"), Device::cuda_on_cpu());
  EXPECT_EQ(message_of([] { device_named("gpu"); }),
            "device: expected cpu, cuda or cuda-on-cpu; got gpu");
}

TEST(Device, ThatThisBuildLacksIsAnError) {
  if (kDevice == Device::cuda_on_cpu()) {
    EXPECT_EQ(message_of([] { Tensor::zeros({1}, DType::f32, Layout::row_major, Device::cuda()); }),
              "device: expected cpu or cuda-on-cpu; got cuda:0; this build has no GPUs; configure "
              "one with -DCLADE_CUDA=ON where nvcc is");
  } else {
    EXPECT_EQ(message_of([] { require_device(Device::cuda_on_cpu()); }),
              "device: expected cpu or cuda; got cuda-on-cpu; this build has GPUs; configure one "
              "with -DCLADE_CUDA=OFF");
    EXPECT_EQ(message_of([] { require_device(Device::cuda(1)); }),
              "device: expected cuda:0, the only GPU that a run uses; got cuda:1; set "
              "CUDA_VISIBLE_DEVICES=1 and use cuda");
  }
}

TEST(Device, TensorsGoThereAndBack) {
  CLADE_SKIP_WITHOUT_DEVICE();
  Random rng(1);
  Tensor x = randn({2, 3, 4, 5}, rng).to_layout(Layout::channels_last);
  Tensor there = x.to(kDevice);
  EXPECT_EQ(there.device(), kDevice);
  EXPECT_TRUE(there.is_channels_last());
  EXPECT_TRUE(there.to(kDevice).shares_storage_with(there));
  EXPECT_EQ(there.to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(there.to(Device::cpu()).to_vector<float>(), x.to_vector<float>());
  Tensor part = there.slice(3, 1, 5, 2).transpose(0, 1);  // with gaps
  EXPECT_EQ(part.to(Device::cpu()).to_vector<float>(),
            x.slice(3, 1, 5, 2).transpose(0, 1).to_vector<float>());
  EXPECT_EQ(there.at({1, 2, 3, 4}), x.at({1, 2, 3, 4}));
  EXPECT_EQ(Tensor().to(kDevice).defined(), false);
  EXPECT_EQ(Tensor::zeros({0, 3}).to(kDevice).shape(), (Shape{0, 3}));
  auto values = [](const std::string& printed) { return printed.substr(printed.find('\n')); };
  EXPECT_EQ(values(to_string(there)), values(to_string(x)));
  EXPECT_TRUE(to_string(there).starts_with("f32 [2, 3, 4, 5] on "));
}

TEST(Device, TensorsAreMadeAndFilledThere) {
  CLADE_SKIP_WITHOUT_DEVICE();
  Tensor zeros = Tensor::zeros({3, 2}, DType::i64, Layout::row_major, kDevice);
  EXPECT_EQ(zeros.to_vector<int64_t>(), std::vector<int64_t>(6, 0));
  EXPECT_EQ(Tensor::full({3}, 2.5, DType::f64, kDevice).to_vector<double>(),
            std::vector<double>(3, 2.5));
  EXPECT_EQ(Tensor::zeros_like(zeros).device(), kDevice);
  Tensor wide = Tensor::full({4, 6}, 1, DType::f32, kDevice);
  wide.slice(1, 0, 6, 2).fill_(7);
  EXPECT_EQ(wide.select(0, 3).to_vector<int>(), (std::vector<int>{7, 1, 7, 1, 7, 1}));
  EXPECT_EQ(wide.select(1, 2).select(0, 0).item(), 7);
}

TEST(Device, CopiesFollowAnyStridesAndDtypes) {
  CLADE_SKIP_WITHOUT_DEVICE();
  Random rng(2);
  for (DType from : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
    for (DType to : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8}) {
      Tensor x = Tensor::empty({3, 4, 5});
      fill_uniform(rng, x, 0, 200);
      x = x.to(from);
      Tensor y = x.to(kDevice).transpose(0, 2).to(to);
      EXPECT_EQ(y.device(), kDevice);
      EXPECT_EQ(y.to_vector<double>(), x.transpose(0, 2).to(to).to_vector<double>())
          << name_of(from) << " to " << name_of(to);
    }
  Tensor row = Tensor::from<float>({1, 2, 3}, {3}).to(kDevice);
  Tensor target = Tensor::zeros({2, 3}, DType::f32, Layout::row_major, kDevice);
  target.copy_(row);
  EXPECT_EQ(target.to_vector<int>(), (std::vector<int>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(target.expand({2, 2, 3}).contiguous().to_vector<int>(),
            (std::vector<int>{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}));
}

TEST(Device, NothingIsCopiedUnasked) {
  CLADE_SKIP_WITHOUT_DEVICE();
  Tensor here = Tensor::zeros({2}), there = here.to(kDevice);
  const std::string name = text(kDevice);
  EXPECT_EQ(
      message_of([&] { there.data<float>(); }),
      "data: expected a tensor on the cpu; got f32 [2] on " + name + "; use .to(Device::cpu())");
  EXPECT_EQ(message_of([&] { there.copy_(here); }),
            "copy: expected tensors of one device, " + name + "; got f32 [2]; use .to(Device)");
}

TEST(Device, TooLittleMemoryNamesWhatWasAskedAndWhatIsFree) {
  CLADE_SKIP_WITHOUT_DEVICE();
  const std::string message =
      message_of([] { Tensor::empty({int64_t{1} << 50}, DType::f64, Layout::row_major, kDevice); });
  EXPECT_TRUE(message.starts_with(
      text("device_allocate: expected ", uint64_t{8} << 50, " bytes of device memory; got ")))
      << message;
  EXPECT_NE(message.find(" bytes free of "), std::string::npos) << message;
}

}  // namespace
}  // namespace clade

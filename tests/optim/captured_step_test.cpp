// A captured training step against an eager one, with ==.
#include "optim/captured_step.h"

#include <numeric>

#include "autograd/functions.h"
#include "nn/layers.h"
#include "nn/losses.h"
#include "nn/sequential.h"
#include "optim/optimizer.h"
#include "tests/support/device.h"
#include "tests/support/errors.h"

namespace clade::optim {
namespace {

using testing::message_of;

const Device kDevice = device_of_kernels();

// All that a step can hold: convolution, statistics, random numbers of two kinds, a code.
struct Net {
  nn::Sequential encoder;
  nn::Linear mean, logvar, decoder;
  nn::Dropout dropout;
  Random noise;

  explicit Net(Random rng)
      : encoder(nn::Conv2d(1, 4, 3, {.stride = 2, .padding = 1}, rng), nn::BatchNorm2d(4),
                nn::ReLU{}, nn::Flatten{}),
        mean(16, 2, rng),
        logvar(16, 2, rng),
        decoder(2, 16, rng),
        dropout(0.2, rng.fork("dropout")),
        noise(rng.fork("noise")) {}
  Var loss(const Tensor& x) {
    Var h = dropout(encoder(Var(x)));
    Var m = mean(h), v = logvar(h);
    Var out = decoder(reparameterize(m, v, noise));
    return (sum(squared_error(out, x.reshape({x.size(0), 16}))) + sum(kl_standard_normal(m, v))) /
           double(x.size(0));
  }
  void visit(nn::Visitor& v) {
    v("encoder", encoder), v("mean", mean), v("logvar", logvar), v("decoder", decoder);
    v("dropout", dropout), v("noise", noise);
  }
};

struct Result {
  std::vector<double> losses;
  std::vector<std::vector<double>> state;
  uint64_t noise_position;
};

Result train(bool captured, int steps) {
  Net net{Random(5)};
  nn::move_to(net, kDevice);
  ParameterArena arena(net);
  Adam adam(arena, {.lr = 1e-2, .weight_decay = 1e-3});
  Tensor x = Tensor::empty({6, 1, 4, 4}, DType::f32, Layout::row_major, kDevice);
  Tensor loss = Tensor::zeros({}, DType::f32, Layout::row_major, kDevice);
  auto body = [&] {
    Var l = net.loss(x);
    arena.zero_grad();
    backward(l);
    adam.step();
    loss.copy_(l.value());
  };
  CapturedStep step(kDevice, body);
  Random data(9);
  Result out;
  for (int i = 0; i < steps; i++) {
    x.copy_(randn({6, 1, 4, 4}, data).to(kDevice));
    adam.options.lr = 1e-2 / (1 + 0.1 * i);  // a schedule
    captured ? step() : body();
    out.losses.push_back(loss.item());
  }
  for (const SafeTensors::Entry& e : nn::state_dict(net))
    out.state.push_back(e.tensor.to_vector<double>());
  for (const SafeTensors::Entry& e : adam.state())
    out.state.push_back(e.tensor.to_vector<double>());
  out.noise_position = net.noise.position();
  return out;
}

TEST(CapturedStep, IsTheEagerStepToTheLastBit) {
  CLADE_SKIP_WITHOUT_DEVICE();
  const Result eager = train(false, 200), captured = train(true, 200);
  EXPECT_EQ(eager.losses, captured.losses);
  EXPECT_EQ(eager.state, captured.state);
  EXPECT_EQ(eager.noise_position, captured.noise_position);
  const auto& l = eager.losses;
  EXPECT_LT(std::accumulate(l.end() - 50, l.end(), 0.0),
            std::accumulate(l.begin(), l.begin() + 50, 0.0));  // it learns
}

TEST(CapturedStep, RunsTheBodyOnTheCpu) {
  int calls = 0;
  CapturedStep step(Device::cpu(), [&] { calls++; });
  for (int i = 0; i < 3; i++) step();
  EXPECT_EQ(calls, 3);
}

TEST(CapturedStep, NamesWhatCannotBeRecorded) {
  CLADE_SKIP_WITHOUT_DEVICE();
  Tensor x = Tensor::full({2}, 3, DType::f32, kDevice);
  Capture capture;
  EXPECT_EQ(message_of([&] { capture.record([&] { x.select(0, 0).item(); }); }),
            "Capture::record: expected no value to be read in the work; got one; copy it into a "
            "tensor made before, and read that");
  EXPECT_EQ(message_of([&] { capture.record([&] { Tensor::zeros({2}).to(kDevice); }); }),
            "Capture::record: expected no copy to the GPU in the work; got one; make the tensor "
            "before");
  const std::string frees =
                        "Capture::record: expected work that frees what it allocates and "
                        "nothing else; got ",
                    cure =
                        "; make tensors that outlive the work before it, and fill them with "
                        "copy_()";
  Tensor kept;
  EXPECT_EQ(message_of([&] { capture.record([&] { kept = Tensor::zeros_like(x); }); }),
            frees + "1 of its tensors left" + cure);
  kept = Tensor::zeros_like(x);
  EXPECT_EQ(message_of([&] { capture.record([&] { kept = {}; }); }),
            frees + "a tensor of before it freed" + cure);
  EXPECT_EQ(message_of([&] { capture.replay(); }),
            "Capture::replay: expected a recorded piece of work; got none; call record() first");
  capture.record([&] { x.fill_(5); });  // it can be used after all
  EXPECT_EQ(x.at({1}), 3);
  capture.replay();
  EXPECT_EQ(x.at({1}), 5);
}

}  // namespace
}  // namespace clade::optim

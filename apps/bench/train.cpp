#include "apps/bench/train.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "autograd/functions.h"
#include "models/dynamic_blocks.h"
#include "models/vae.h"
#include "optim/captured_step.h"
#include "optim/optimizer.h"
#include "tensor/device_memory.h"
#include "tensor/memory.h"
#include "tensor/profiler.h"
#include "tensor/random.h"

namespace clade::apps {
namespace {

// Steps until the time is up; the first two, of which the second may be recorded, are not counted.
template <class Module>
TrainResult run(Module& model, const TrainBench& options, const std::function<Var()>& loss) {
  nn::move_to(model, options.device);
  optim::ParameterArena arena(model);
  optim::Adam adam(arena, {});
  TrainResult out;
  out.parameters = nn::count_parameters(model);
  nn::set_training(model, true);
  auto body = [&] {
    {
      Var value = loss();
      out.after_forward = memory_stats().live;
      arena.zero_grad();
      backward(value);
    }
    adam.step();
  };
  // On the CPU, and so where nothing is to be captured, it calls the body each time.
  optim::CapturedStep train_step(options.captured ? options.device : Device::cpu(), body);
  std::vector<double> seconds;
  double sum = 0;
  for (int64_t step = 0; step < 5 || sum < options.seconds; step++) {
    if (step == 2) profiler::start();
    reset_peak_memory();
    out.between = memory_stats().live;
    const auto begin = std::chrono::steady_clock::now();
    train_step();
    if (!options.device.is_cpu()) synchronize(current_stream());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    out.peak = memory_stats().peak;
    if (step < 2) continue;
    seconds.push_back(taken.count());
    sum += taken.count();
  }
  profiler::stop();
  std::sort(seconds.begin(), seconds.end());
  out.steps = int64_t(seconds.size());
  out.step_seconds = seconds[seconds.size() / 2];
  out.table = profiler::table(options.shapes ? profiler::Rows::shapes : profiler::Rows::kernels);
  return out;
}

Tensor picture_batch(const Shape& shape, Device device) {
  Random rng(3);
  Tensor x = Tensor::empty(shape);
  fill_uniform(rng, x, 0, 1);
  return (shape.rank() == 4 ? x.to_layout(Layout::channels_last) : x).to(device);
}

TrainResult autoencoder(nn::Sequential& net, const Tensor& x, const TrainBench& options) {
  return run(net, options,
             [&] { return sum(squared_error(net(x), x)) * (1.0 / double(x.size(0))); });
}

TrainResult dense_ae(const TrainBench& options) {
  using namespace nn;
  Random rng(1);
  Sequential net;
  const int64_t widths[] = {784, 500, 500, 2000, 10, 2000, 500, 500, 784};
  for (size_t i = 0; i + 1 < std::size(widths); i++) {
    net.add(Linear(widths[i], widths[i + 1], rng));
    if (i != 3 && i != 7) net.add(ReLU{});
  }
  return autoencoder(net, picture_batch({options.batch, 784}, options.device), options);
}

TrainResult cae(const TrainBench& options) {
  using namespace nn;
  Random rng(1);
  Sequential net(Conv2d(1, 32, 5, {.stride = 2, .padding = 2}, rng), ReLU{},
                 Conv2d(32, 64, 5, {.stride = 2, .padding = 2}, rng), ReLU{},
                 Conv2d(64, 128, 3, {.stride = 2}, rng), ReLU{}, Flatten{}, Linear(1152, 10, rng),
                 Linear(10, 1152, rng), ReLU{}, Unflatten{128, 3, 3},
                 ConvTranspose2d(128, 64, 3, {.stride = 2}, 0, rng), ReLU{},
                 ConvTranspose2d(64, 32, 5, {.stride = 2, .padding = 2}, 1, rng), ReLU{},
                 ConvTranspose2d(32, 1, 5, {.stride = 2, .padding = 2}, 1, rng));
  return autoencoder(net, picture_batch({options.batch, 1, 28, 28}, options.device), options);
}

TrainResult conv_vae(const TrainBench& options) {
  models::Vae vae({1, 32, 32}, {.masked = false}, Random(1));
  Tensor x = picture_batch({options.batch, 1, 32, 32}, options.device);
  return run(vae, options, [&] {
    models::VaeLoss loss = vae.loss(vae(x, {}), x, {});
    return (sum(loss.reconstruction) + vae.options().beta * sum(loss.kl)) *
           (1.0 / double(options.batch));
  });
}

}  // namespace

TrainResult bench_train(const TrainBench& options) {
  if (options.model == "dense-ae") return dense_ae(options);
  if (options.model == "cae") return cae(options);
  if (options.model == "conv-vae") return conv_vae(options);
  fail("bench train", "dense-ae, cae or conv-vae", options.model);
}

}  // namespace clade::apps

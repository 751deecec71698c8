// A run that is broken off and resumed ends with the bits of the unbroken run.
#include "optim/checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "nn/layers.h"
#include "nn/sequential.h"

namespace clade::optim {
namespace {

using nn::Linear, nn::Sequential;

std::string scratch_file(const std::string& name) {
  return (std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))).string();
}

Sequential make_net(uint64_t seed) {
  Random rng(seed);
  Sequential net(Linear(6, 8, rng));
  net.add(nn::BatchNorm1d(8)).add(nn::ReLU{}).add(nn::Dropout(0.4, rng.fork("dropout")));
  net.add(Linear(8, 2, rng));
  return net;
}

template <class Optimizer>
void train(Sequential& net, ParameterArena& arena, Optimizer& optimizer, int from, int to) {
  for (int epoch = from; epoch < to; epoch++) {
    Random rng(77, uint64_t(epoch));
    Tensor x = randn({16, 6}, rng);
    arena.zero_grad();
    backward(mean(square(net(x))));
    optimizer.step();
  }
}

template <class Options, class Optimizer>
void resumed_equals_unbroken(const Options& options) {
  const std::string file = scratch_file("clade_checkpoint");
  Sequential whole = make_net(1);
  ParameterArena whole_arena(whole);
  Optimizer whole_optimizer(whole_arena, options);
  train(whole, whole_arena, whole_optimizer, 0, 5);

  {
    Sequential first = make_net(1);
    ParameterArena arena(first);
    Optimizer optimizer(arena, options);
    train(first, arena, optimizer, 0, 2);
    save_checkpoint(file, first, optimizer, {2, {{"note", "half way"}}, {}});
  }
  Sequential second = make_net(99);  // other weights: all must come from the file
  ParameterArena arena(second);
  Optimizer optimizer(arena, options);
  Checkpoint c = load_checkpoint(file, second, optimizer);
  EXPECT_EQ(c.epoch, 2);
  ASSERT_EQ(c.metadata.size(), 1u);
  EXPECT_EQ(c.metadata[0].value, "half way");
  train(second, arena, optimizer, 2, 5);

  EXPECT_EQ(whole_arena.values().to_vector<float>(), arena.values().to_vector<float>());
  auto a = nn::state_dict(whole), b = nn::state_dict(second);
  for (size_t i = 0; i < a.size(); i++)
    EXPECT_EQ(a[i].tensor.to_vector<double>(), b[i].tensor.to_vector<double>()) << a[i].name;
  std::filesystem::remove(file);
}

TEST(Checkpoint, ResumedRunsEqualUnbrokenOnes) {
  resumed_equals_unbroken<AdamOptions, Adam>({.lr = 0.01});
  resumed_equals_unbroken<SgdOptions, Sgd>({.lr = 0.1, .momentum = 0.9});
  resumed_equals_unbroken<RmspropOptions, Rmsprop>({.lr = 0.01, .momentum = 0.5});
  resumed_equals_unbroken<AdadeltaOptions, Adadelta>({});
}

TEST(Checkpoint, AnotherModelIsRefused) {
  const std::string file = scratch_file("clade_checkpoint_other");
  Sequential net = make_net(1);
  ParameterArena arena(net);
  Adam adam(arena, {});
  save_checkpoint(file, net, adam, {});
  Random rng(2);
  Sequential other(Linear(6, 9, rng), Linear(9, 2, rng));
  ParameterArena other_arena(other);
  Adam other_adam(other_arena, {});
  try {
    load_checkpoint(file, other, other_adam);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find("load_checkpoint: expected model.0.weight as f32 [9, 6]"),
              0u)
        << e.what();
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace clade::optim

// A run that is broken off and resumed ends with the bits of the unbroken run.
#include "optim/checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "nn/layers.h"
#include "nn/sequential.h"
#include "tests/support/errors.h"

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

// A file that does not fit changes nothing. It begins as one of make_net(1) and Adam.
class Refusals : public ::testing::Test {
 protected:
  Refusals() {
    Sequential net = make_net(1);
    ParameterArena arena(net);
    Adam adam(arena, {});
    save_checkpoint(path, net, adam, {3, {}, {}});
    file = load_safetensors(path);
  }
  ~Refusals() override { std::filesystem::remove(path); }

  Tensor& tensor(const std::string& name) {
    for (SafeTensors::Entry& e : file.tensors)
      if (e.name == name) return e.tensor;
    throw std::out_of_range(name);
  }
  std::string& note(const std::string& key) {
    for (SafeTensors::Text& t : file.metadata)
      if (t.key == key) return t.value;
    throw std::out_of_range(key);
  }

  // What loading `file` into another net says, after "load_checkpoint: expected ".
  template <class Optimizer = Adam, class Options = AdamOptions>
  std::string refusal(const Options& options = {}) {
    save_safetensors(path, file);
    Sequential net = make_net(2);
    ParameterArena arena(net);
    Optimizer optimizer(arena, options);
    auto values = [&] {
      std::vector<double> all;
      for (const State& state : {nn::state_dict(net), optimizer.state()})
        for (const SafeTensors::Entry& e : state)
          for (double v : e.tensor.template to_vector<double>()) all.push_back(v);
      return all;
    };
    const std::vector<double> before = values();
    std::string message =
        clade::testing::message_of([&] { load_checkpoint(path, net, optimizer); });
    if (message == "no error") return message;
    EXPECT_EQ(values(), before) << message;
    const std::string place = " in " + path, begin = "load_checkpoint: expected ";
    EXPECT_EQ(message.find(begin), 0u) << message;
    if (message.find(place) != message.npos) message.erase(message.find(place), place.size());
    return message.substr(begin.size());
  }

  const std::string path = scratch_file("clade_checkpoint_refused");
  const std::string cure = "; resume with the options that the run was started with";
  SafeTensors file;
};

TEST_F(Refusals, NoneOfWhatFits) { EXPECT_EQ(refusal(), "no error"); }

TEST_F(Refusals, AnotherOptimizer) {
  EXPECT_EQ((refusal<Sgd, SgdOptions>()), "the state of Sgd; got that of Adam" + cure);
  EXPECT_EQ((refusal<Rmsprop, RmspropOptions>()), "the state of Rmsprop; got that of Adam" + cure);
  file.metadata.clear();
  EXPECT_EQ(refusal(), "the state of Adam; got none" + cure);
}

TEST_F(Refusals, MoreThanTheModelHas) {
  file.add("model.9.weight", Tensor::zeros({2}));
  EXPECT_EQ(refusal(), "no model.9.weight; got f32 [2]" + cure);
}

TEST_F(Refusals, LessOrOtherThanTheOptimizerHas) {
  tensor("optimizer.v") = Tensor::zeros({2});
  EXPECT_EQ(refusal().find("optimizer.v as f32 ["), 0u);
  std::erase_if(file.tensors, [](const auto& e) { return e.name == "optimizer.v"; });
  EXPECT_EQ(refusal().find("optimizer.v as f32 ["), 0u);
}

TEST_F(Refusals, RandomStatesOfAnotherType) {
  const std::string name = "random.3.random";
  tensor(name) = tensor(name).to(DType::f64);
  EXPECT_EQ(refusal(), name + " as i64 [3]; got f64 [3]" + cure);
}

TEST_F(Refusals, EpochsThatAreNone) {
  for (const char* epoch : {"3abc", "-7", "", " 3", "9223372036854775808"}) {
    note("epoch") = epoch;
    EXPECT_EQ(refusal(),
              text("an epoch of 0 or more in the metadata of ", path, "; got \"", epoch, "\""));
  }
}

}  // namespace
}  // namespace clade::optim

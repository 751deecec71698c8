// The VAE: its blocks, its loss curve against PyTorch, its training, its bits.
#include "models/vae_training.h"

#include <filesystem>

#include "autograd/functions.h"
#include "data/batches.h"
#include "optim/optimizer.h"
#include "tensor/file.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"
#include "tests/support/errors.h"
#include "tests/support/golden.h"

namespace clade::models {
namespace {

TEST(DynamicBlocks, CountsFollowEquations1To3) {
  // the table of P0: D, blocks, general, specific
  const int64_t rows[][4] = {{16, 3, 2, 1}, {32, 4, 2, 2}, {64, 5, 3, 2}, {128, 6, 3, 3}};
  for (auto& row : rows) {
    BlockCounts c = block_counts(row[0]);
    EXPECT_EQ(c.all, row[1]);
    EXPECT_EQ(c.general, row[2]);
    EXPECT_EQ(c.specific, row[3]);
  }
  EXPECT_THROW(block_counts(28), Error);
  EXPECT_THROW(block_counts(4), Error);
}

TEST(DynamicBlocks, EveryPowerOfTwoComesBackToItsSize) {
  for (int64_t size : {8, 16, 32, 64, 128})
    for (bool short_blocks : {false, true}) {
      Random rng(1);
      DynamicOptions o{.size = size,
                       .in_channels = 2,
                       .out_channels = 3,
                       .filters = 2,
                       .short_specific_blocks = short_blocks};
      NoGrad no_grad;
      Tensor x = randn({2, 2, size, size}, rng);
      Var code = dynamic_encoder(o, rng)(x);
      EXPECT_EQ(text(code.shape()), text(Shape{2, 4 * last_filters(o)}));
      EXPECT_EQ(text(dynamic_decoder(o, rng)(code).shape()), text(Shape{2, 3, size, size}));
    }
}

// Images stay channels-last through the network: what is copied is the code at its narrowest.
TEST(Vae, SteadyStepTakesNothingFromTheSystemAndCopiesLittle) {
  Vae vae({1, 32, 32}, {.masked = false, .filters = 8}, Random(1));
  optim::ParameterArena arena(vae);
  optim::Adam adam(arena, {});
  Random rng(2);
  const Tensor x = rand({16, 1, 32, 32}, rng).to_layout(Layout::channels_last);
  auto step = [&] {
    VaeLoss loss = vae.loss(vae(x, {}), x, {});
    arena.zero_grad();
    backward(sum(loss.reconstruction) + sum(loss.kl));
    adam.step();
  };
  const int before = threads();
  set_threads(1);  // how many hold scratch memory at once would be a matter of chance
  step();
  step();
  if (memory_stats().cached == 0) GTEST_SKIP() << "this build keeps no block for reuse";
  const int64_t calls = memory_stats().system_calls;
  profiler::start();
  step();
  profiler::stop();
  set_threads(before);
  EXPECT_EQ(memory_stats().system_calls, calls);
  double moved = 0, copied = 0;
  for (const profiler::Total& total : profiler::totals()) {
    moved += total.bytes;
    if (std::string(total.name) == "copy") copied += total.bytes;
  }
  EXPECT_GT(copied, 0);  // Flatten and its gradient
  EXPECT_LT(copied, 0.01 * moved);
}

// The same weights, the same noise, 20 steps of Adam: PyTorch's losses to 1e-4.
TEST(Vae, FollowsPyTorchsLossCurve) {
  const SafeTensors golden = test::load_golden("vae");
  Vae vae({1, 16, 16}, {.masked = true, .latent = 5, .filters = 4}, Random(1));
  for (const SafeTensors::Entry& entry : nn::state_dict(vae))
    if (entry.tensor.dtype() == DType::f32)
      Tensor(entry.tensor).copy_(golden.at("start." + entry.name));
  optim::ParameterArena arena(vae);
  optim::Adam adam(arena, {.lr = 1e-3});
  const int64_t n = 12;
  for (int64_t step = 0; step < 20; step++) {
    int64_t begin = step % 3 * n;
    Tensor x = golden.at("x").slice(0, begin, begin + n);
    Tensor mask = golden.at("mask").slice(0, begin, begin + n);
    Vae::Posterior q = vae.encode(x, mask);
    Var z = q.mean + exp(0.5 * q.logvar) * Var(golden.at("noise").select(0, step));
    VaeLoss loss = vae.loss({q.mean, q.logvar, vae.decode(z)}, x, mask);
    Var total = mean(loss.reconstruction + loss.kl);
    double want = golden.at("curve").at({step, 0});
    EXPECT_NEAR(total.item(), want, 1e-4 * want) << "step " << step;
    EXPECT_NEAR(mean(loss.kl).item(), golden.at("curve").at({step, 2}), 1e-4 * want);
    arena.zero_grad();
    backward(total);
    adam.step();
  }
}

// Two kinds of images, bars that stand and bars that lie, with some pixels missing.
data::Dataset bars(int64_t n) {
  Random rng(3);
  Tensor x = Tensor::zeros({n, 1, 16, 16}), mask = Tensor::full({n, 1, 16, 16}, 1);
  for (int64_t i = 0; i < n; i++)
    for (int64_t h = 0; h < 16; h++)
      for (int64_t w = 0; w < 16; w++) {
        int64_t at = (i * 16 + h) * 16 + w, across = i % 2 ? h : w;
        bool ink = (across / 2 + i / 2) % 4 == 0, seen = rng.uniform() > 0.2;
        x.data<float>()[at] = ink && seen ? 1.0f : 0.0f;
        mask.data<float>()[at] = seen ? 1.0f : 0.0f;
      }
  data::Dataset d;
  d.name = "bars", d.values = x, d.mask = mask;
  return d;
}

struct Trained {
  std::vector<EpochLoss> history;
  std::vector<float> codes, weights;
};

Trained train(const data::Dataset& d, TrainingOptions options, bool masked = true) {
  Vae vae(d.values.shape().without(0), {.masked = masked, .latent = 4, .filters = 4}, Random(7));
  Trained t{train_vae(vae, d, options), {}, {}};
  t.codes = encode_means(vae, d).to_vector<float>();
  for (const nn::NamedParameter& p : nn::parameters(vae)) {
    std::vector<float> w = p.parameter->value().to_vector<float>();
    t.weights.insert(t.weights.end(), w.begin(), w.end());
  }
  return t;
}

TEST(Vae, TrainingLowersTheLoss) {
  for (bool masked : {true, false}) {
    Trained t = train(bars(96), {.epochs = 60, .batch = 16, .lr = 5e-3}, masked);
    EXPECT_LT(t.history.back().total, 0.6 * t.history.front().total);
    for (float v : t.codes) ASSERT_TRUE(std::isfinite(v));
  }
}

TEST(Vae, SameSeedSameBitsAtAnyThreadCount) {
  data::Dataset d = bars(70);
  set_threads(1);
  Trained one = train(d, {.epochs = 2, .batch = 32});
  for (int count : {1, 2, 3}) {
    set_threads(count);
    Trained again = train(d, {.epochs = 2, .batch = 32});
    EXPECT_EQ(one.weights, again.weights) << count;
    EXPECT_EQ(one.codes, again.codes) << count;
  }
}

TEST(Vae, ACodeDoesNotDependOnItsBatch) {
  data::Dataset d = bars(40);
  Vae vae({1, 16, 16}, {.latent = 4, .filters = 4}, Random(7));
  std::vector<float> whole = encode_means(vae, d, 512).to_vector<float>();
  EXPECT_EQ(whole, encode_means(vae, d, 7).to_vector<float>());
}

TEST(Vae, MissingPixelsGetExactlyNoGradient) {
  data::Dataset d = bars(32);
  Vae vae({1, 16, 16}, {.latent = 4, .filters = 4}, Random(7));
  VaeOutput out = vae(d.values, d.mask);
  Var xhat = Var::parameter(out.reconstruction.value());
  backward(sum(vae.loss({out.mean, out.logvar, xhat}, d.values, d.mask).reconstruction));
  std::vector<float> g = xhat.grad().to_vector<float>(), m = d.mask.to_vector<float>();
  for (size_t i = 0; i < g.size(); i++)
    if (m[i] == 0) {
      ASSERT_EQ(g[i], 0.0f);
    }
}

TEST(Vae, AStoppedRunResumesToTheSameBits) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("clade_vae" + std::to_string(::getpid())))
          .string();
  data::Dataset d = bars(64);
  Trained whole = train(d, {.epochs = 4, .batch = 32});
  train(d, {.epochs = 2, .batch = 32, .checkpoint = file, .description = "a"});
  Trained resumed =
      train(d, {.epochs = 4, .batch = 32, .checkpoint = file, .resume = true, .description = "a"});
  EXPECT_EQ(whole.weights, resumed.weights);
  ASSERT_EQ(resumed.history.size(), 4u);
  EXPECT_EQ(resumed.history[0].total, whole.history[0].total);
  const std::string whole_file = read_file(file);
  auto refusal = [&](const data::Dataset& other, int64_t epochs, const std::string& description) {
    return clade::testing::message_of([&] {
      train(other, {.epochs = epochs,
                    .batch = 32,
                    .checkpoint = file,
                    .resume = true,
                    .description = description});
    });
  };
  EXPECT_EQ(refusal(d, 4, "b"), text("resume: expected the options that ", file,
                                     " was started with, a; got b; give the same options, or "
                                     "choose another --out"));
  EXPECT_EQ(refusal(d, 3, "a"),
            text("resume: expected 4 epochs or more: ", file,
                 " is trained that far; got 3; ask for more --epochs, or choose another --out"));
  data::Dataset other = d, fewer = bars(32), holes = d;
  other.values = d.values.clone();
  other.values.data<float>()[5] += 1;
  holes.mask = d.mask.clone();
  holes.mask.data<float>()[5] = 1 - holes.mask.data<float>()[5];
  for (const data::Dataset& mixed : {other, fewer, holes}) {
    const std::string said = refusal(mixed, 4, "a");
    EXPECT_EQ(said.rfind(text("resume: expected the data that ", file, " was started with"), 0), 0u)
        << said;
  }
  EXPECT_EQ(read_file(file), whole_file);
  std::filesystem::remove(file);
}

TEST(Vae, ALastStepThatSpoilsTheWeightsIsAnError) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("clade_lr" + std::to_string(::getpid()))).string();
  const std::string said = clade::testing::message_of(
      [&] { train(bars(32), {.epochs = 1, .batch = 32, .lr = 1e30, .checkpoint = file}); });
  EXPECT_EQ(said.rfind("encode: expected a finite code for every row; got ", 0), 0u) << said;
  EXPECT_NE(said.find("lower --lr"), std::string::npos) << said;
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Vae, EncodingCanBeStopped) {
  Vae vae({1, 16, 16}, {.latent = 4, .filters = 4}, Random(7));
  const Progress stop{[](void*, const char*, int64_t done, int64_t) { return done < 16; }, nullptr};
  EXPECT_THROW(encode_means(vae, bars(40), 8, stop), Cancelled);
  EXPECT_THROW(reconstruct(vae, bars(40), 8, stop), Cancelled);
}

// The curve above is wired by hand, to take PyTorch's noise and beta 1. What trains goes the same
// way: operator() with noise of its own, and beta in the sum.
TEST(Vae, TheModelsOwnPathIsThatOfTheCurve) {
  const data::Dataset d = bars(12);
  Vae vae({1, 16, 16}, {.latent = 5, .filters = 4}, Random(1));
  Random noise = Random(1).fork("noise");
  const VaeOutput out = vae(d.values, d.mask);
  const Var eps(randn({12, 5}, noise));
  const Var z = out.mean + exp(0.5 * out.logvar) * eps;
  const auto got = out.reconstruction.value().to_vector<float>();
  const auto want = vae.decode(z).value().to_vector<float>();
  for (size_t i = 0; i < got.size(); i++) ASSERT_NEAR(got[i], want[i], 1e-5);

  for (double beta : {0.0, 0.2, 3.0}) {
    Vae trained({1, 16, 16}, {.latent = 5, .beta = beta, .filters = 4}, Random(1));
    const EpochLoss first = train_vae(trained, d, {.epochs = 1, .batch = 12})[0];
    EXPECT_NEAR(first.total, first.reconstruction + beta * first.kl, 1e-9);
    // Before the first step all betas have one network: only its weight in the sum differs.
    Vae fresh({1, 16, 16}, {.latent = 5, .beta = beta, .filters = 4}, Random(1));
    const data::Batch batch = data::Batches(d, {.size = 12}).at(0, 0);
    const VaeLoss loss = fresh.loss(fresh(batch.values, batch.mask), batch.values, batch.mask);
    EXPECT_NEAR(first.kl, mean(loss.kl).item(), 1e-6);
    EXPECT_NEAR(first.reconstruction, mean(loss.reconstruction).item(), 1e-4);
  }
}

TEST(Vae, TablesTrainToo) {
  Random rng(5);
  data::Dataset d;
  d.name = "table", d.values = randn({50, 6}, rng);
  Vae vae({6}, {.latent = 2, .hidden = {16, 8}}, Random(7));
  std::vector<EpochLoss> history = train_vae(vae, d, {.epochs = 20, .batch = 16});
  EXPECT_LT(history.back().total, history.front().total);
  EXPECT_EQ(text(encode_means(vae, d).shape()), "[50, 2]");
}

TEST(Vae, BadOptionsAreNamed) {
  auto message = [](const Shape& sample, const VaeOptions& o) {
    try {
      Vae(sample, o, Random(1));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(
      message({1, 28, 28}, {}),
      "dynamic blocks: expected square images with a side that is a power of two, 8 or more; got "
      "a side of 28; pad or resize the images first");
  EXPECT_EQ(
      message({1, 32, 16}, {}),
      "Vae: expected samples (D) or square images (C, D, D); got [1, 32, 16]; pad or resize the "
      "images first");
  EXPECT_EQ(message({4}, {.latent = 0}), "Vae: expected 1 latent dimension or more; got 0");
}

}  // namespace
}  // namespace clade::models

// The variational systems: gradients of their losses, what theory says of their bounds, what they
// find on data whose answer is known. (That each learns, resumes and keeps its bits:
// systems_test.cpp, which walks the registry.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/functions.h"
#include "autograd/gradient_check.h"
#include "data/catalog.h"
#include "data/imputation.h"
#include "data/missing.h"
#include "data/scaling.h"
#include "models/experts.h"
#include "models/iwae.h"
#include "models/latent_tree.h"
#include "models/tabular_vae.h"
#include "models/vade.h"
#include "optim/optimizer.h"
#include "tests/support/errors.h"

namespace clade::models {
namespace {

using testing::message_of;
constexpr Likelihood kAll[] = {Likelihood::bernoulli, Likelihood::gaussian, Likelihood::student_t};

Tensor uniform(const Shape& shape, uint64_t seed, DType dtype = DType::f64, double low = 0,
               double high = 1) {
  Random rng(seed);
  Tensor t = Tensor::empty(shape, dtype);
  fill_uniform(rng, t, low, high);
  return t;
}

Tensor random_mask(const Shape& shape, uint64_t seed, DType dtype = DType::f64) {
  Tensor t = uniform(shape, seed, dtype);
  for (int64_t i = 0; i < t.numel(); i++) {
    if (dtype == DType::f64)
      t.data<double>()[i] = t.data<double>()[i] < 0.7;
    else
      t.data<float>()[i] = t.data<float>()[i] < 0.7f;
  }
  return t;
}

TEST(Variational, MissingValuesGetExactlyNoGradient) {
  for (Likelihood l : kAll)
    for (const Shape& shape : {Shape{3, 4}, Shape{2, 1, 3, 3}}) {
      const int64_t p = numbers_a_value(l);
      Tensor x = uniform(shape, 1, DType::f32);
      const Tensor mask = random_mask(shape, 2, DType::f32);
      for (int64_t i = 0; i < x.numel(); i++)
        if (mask.data<float>()[i] == 0) x.data<float>()[i] = NAN;  // is never looked at
      const Var h = Var::parameter(uniform(shape.with(1, p * shape[1]), 3, DType::f32, -1, 1));
      backward(sum(log_likelihood(l, h, x, mask)));
      const auto m = mask.to_vector<float>();
      const int64_t n = shape[0], width = x.numel() / n;
      const auto g = h.grad().to_vector<float>();
      for (int64_t i = 0; i < n; i++)
        for (int64_t b = 0; b < p; b++)
          for (int64_t j = 0; j < width; j++) {
            const float value = g[size_t((i * p + b) * width + j)];
            if (m[size_t(i * width + j)] == 0)
              ASSERT_EQ(value, 0.0f);
            else
              ASSERT_TRUE(std::isfinite(value) && value != 0);
          }
    }
}

TEST(Variational, OneSampleIsTheEvidenceLowerBound) {
  const Tensor x = uniform({3, 4}, 1, DType::f32);
  Iwae iwae({4}, {.latent = 2, .hidden = {5}}, Random(3));
  NoGrad no_grad;
  const Iwae::Posterior q = iwae.encode(x);
  // The same draw by hand: log p(x | z) + log p(z) - log q(z | x).
  Random noise(5), again(5);
  const auto bound = iwae.bound(x, {}, 1, noise).value().to_vector<double>();
  const Var z = reshape(reparameterize(q.mean, q.logvar, 1, again), {3, 2});
  const Var zero(Tensor::zeros({3, 2}));
  const auto by_hand =
      (log_likelihood(Likelihood::bernoulli, iwae.decode(z), x, {}) +
       gaussian_log_likelihood(z, zero, zero) - gaussian_log_likelihood(z, q.mean, q.logvar))
          .value()
          .to_vector<double>();
  for (size_t i = 0; i < 3; i++) EXPECT_NEAR(bound[i], by_hand[i], 1e-5);

  // In the mean over draws: the bound with the divergence in closed form.
  const int64_t draws = 20000;
  Random many(6);
  const Tensor weights = iwae.sample(x, {}, draws, many).log_weights.value();
  const auto mean_bound = mean(Var(weights), {0}).value().to_vector<double>();
  Random other(7);
  const Tensor numbers =
      iwae.decode(reshape(reparameterize(q.mean, q.logvar, draws, other), {3 * draws, 2})).value();
  const Var px = log_likelihood(Likelihood::bernoulli, numbers, repeated(x, draws), {});
  const auto closed = (mean(reshape(px, {draws, 3}), {0}) - kl_standard_normal(q.mean, q.logvar))
                          .value()
                          .to_vector<double>();
  for (size_t i = 0; i < 3; i++) EXPECT_NEAR(mean_bound[i], closed[i], 0.05);
}

Rows digits_rows() {
  const data::Dataset digits = data::load("digits");
  return {digits.values, {}};
}

SystemPtr made(const char* name, const std::string& set, const Rows& rows, int64_t k,
               uint64_t seed = 1) {
  const SystemInfo& info = *find_system(name);
  Settings s(info.name, info.settings);
  s.set_all(set);
  const Shape sample = rows.values.shape().without(0);
  info.recipe(s, rows.size(), sample);
  return make_system(info, {sample, info.needs_clusters ? k : 0, s, seed});
}

// The network stays as it is; only the number of samples changes.
TEST(Variational, TheBoundNeverFallsWithMoreSamples) {
  const Rows rows = slice(digits_rows(), 0, 600);
  SystemPtr system = made("iwae", "epochs=15,batch=50,hidden=64,latent=8,binarise=never", rows, 0);
  system->train(rows, {}, {});
  Iwae iwae({1, 8, 8}, {.latent = 8, .hidden = {64}}, Random(1));
  std::vector<SafeTensors::Entry> state;
  for (const auto& e : system->state()) state.push_back({e.name.substr(5), e.tensor});  // "iwae."
  nn::load_state_dict(iwae, state);
  NoGrad no_grad;
  double before = -1e30;
  for (int64_t k : {1, 2, 5, 20, 100}) {
    double sum_of = 0;
    for (uint64_t draw = 0; draw < 10; draw++) {
      Random noise(100 + draw);
      sum_of += mean(iwae.bound(rows.values.slice(0, 0, 200), {}, k, noise)).item();
    }
    EXPECT_GT(sum_of / 10, before + 0.01) << k;  // by far more than the mean's own noise
    before = sum_of / 10;
  }
  EXPECT_LT(before, 0);
}

// Three columns, each the same number with a little noise of its own.
data::Dataset correlated(int64_t n) {
  Random rng(3);
  data::Dataset d;
  d.values = Tensor::empty({n, 3});
  for (int64_t i = 0; i < n; i++) {
    const double t = rng.normal();
    for (int64_t j = 0; j < 3; j++)
      d.values.data<float>()[i * 3 + j] = float((j == 1 ? -t : t) + 0.2 * rng.normal());
  }
  return d;
}

TEST(Variational, ImputesFarBetterThanTheMean) {
  const data::Dataset truth = correlated(600);
  const data::Dataset hidden = data::hide_at_random(truth, 0.3, Random(1));
  const Rows rows{hidden.values, hidden.mask};
  const double mean_error = data::rmse_of_removed(
      truth, hidden, data::impute(hidden, data::Imputation::mean, Random(1)).values);
  EXPECT_NEAR(mean_error, 1, 0.15);
  for (const char* name : {"miwae", "tabular-vae"}) {
    SystemPtr system = made(name, "epochs=60,latent=2,hidden=32-32,lr=0.003,samples=5", rows, 0);
    const double untrained = data::rmse_of_removed(truth, hidden, system->reconstruct(rows, {}));
    system->train(rows, {}, {});
    const double error = data::rmse_of_removed(truth, hidden, system->reconstruct(rows, {}));
    EXPECT_LT(error, 0.65 * mean_error) << name;  // .03 of the cells have no other column
    EXPECT_GT(untrained, 0.9 * mean_error) << name;
  }
}

// Large values hide: what leaves the mask unexplained fills in what is too small.
TEST(Variational, NotMiwaeKnowsThatLargeValuesHide) {
  const data::Dataset truth = correlated(600);
  const data::Dataset hidden = data::hide_by_value(truth, 0.4, Random(1));
  const Rows rows{hidden.values, hidden.mask};
  auto error_of = [&](const char* name, const char* more) {
    SystemPtr system = made(
        name, std::string("epochs=60,latent=2,hidden=32-32,lr=0.003,samples=5") + more, rows, 0);
    system->train(rows, {}, {});
    return data::rmse_of_removed(truth, hidden, system->reconstruct(rows, {}));
  };
  EXPECT_LT(error_of("not-miwae", ",process=known"), error_of("miwae", ",likelihood=gaussian"));
}

TEST(Variational, DrawsAreOfTheRightSpread) {
  const int64_t n = 20000;
  Tensor h = Tensor::zeros({n, 3});
  for (int64_t i = 0; i < n; i++) h.data<float>()[i * 3] = 2;
  auto moments = [&](Likelihood l, const Tensor& numbers) {
    Random rng(3);
    const auto x = draw(l, numbers, rng).to_vector<double>();
    double mean = 0, squares = 0;
    for (double v : x) mean += v / double(n);
    for (double v : x) squares += (v - mean) * (v - mean) / double(n);
    return std::pair{mean, squares};
  };
  auto [m, v] = moments(Likelihood::gaussian, h.slice(1, 0, 2));
  EXPECT_NEAR(m, 2, 0.03);
  EXPECT_NEAR(v, 1, 0.05);
  // softplus(0) = ln 2: scale .694, 3.693 degrees of freedom, variance s^2 f / (f - 2)
  auto [mt, vt] = moments(Likelihood::student_t, h);
  EXPECT_NEAR(mt, 2, 0.05);
  EXPECT_NEAR(vt, 0.482 * 3.693 / 1.693, 0.25);
  auto [mb, vb] = moments(Likelihood::bernoulli, h.slice(1, 0, 1));
  EXPECT_NEAR(mb, 1 / (1 + std::exp(-2.0)), 0.01);
}

// A classifier of digits, for the test alone: one hidden layer, trained on the labels.
struct Classifier {
  nn::Linear hidden, out;
  explicit Classifier(Random rng) : hidden(64, 64, rng), out(64, 10, rng) {}
  Var operator()(const Var& x) { return out(relu(hidden(flatten(x)))); }
  void visit(nn::Visitor& v) { v("hidden", hidden), v("out", out); }
};

Classifier trained_classifier() {
  const data::Dataset digits = data::load("digits");
  Classifier c(Random(1));
  optim::ParameterArena arena(c);
  optim::Adam adam(arena, {.lr = 3e-3});
  Tensor one_hot = Tensor::zeros({digits.size(), 10});
  for (int64_t i = 0; i < digits.size(); i++)
    one_hot.data<float>()[i * 10 + digits.labels.ids().data<int32_t>()[i]] = 1;
  for (int step = 0; step < 150; step++) {
    const Var loss = -mean(sum(Var(one_hot) * log_softmax(c(Var(digits.values)), 1), {1}));
    arena.zero_grad();
    backward(loss);
    adam.step();
  }
  return c;
}

// P1, figure 2, in numbers: what a decoder makes of random z is of one class.
TEST(Variational, EachDecoderOfKDvaeMakesOneDigit) {
  const Rows rows = digits_rows();
  SystemPtr system =
      made("k-dvae",
           "epochs=60,hidden=200-100,latent=5,expert_hidden=64-32,warm_epochs=60,expert_epochs=10",
           rows, 10);
  system->train(rows, {}, {});
  Classifier judge = trained_classifier();
  double of_one_class = 0;
  for (int i = 0; i < 10; i++) {
    Expert e({1, 8, 8}, {64, 32}, 5, Likelihood::bernoulli, Random(1));
    const std::string prefix = text("expert", i, ".");
    std::vector<SafeTensors::Entry> state;
    for (const auto& entry : system->state())
      if (entry.name.starts_with(prefix))
        state.push_back({entry.name.substr(prefix.size()), entry.tensor});
    nn::load_state_dict(e, state);
    NoGrad no_grad;
    Random rng(uint64_t(20 + i));
    const Var images = sigmoid(e.decode(Var(randn({200, 5}, rng))));
    std::vector<int> counts(10, 0);
    for (int64_t label : argmax(judge(images).value(), 1).to_vector<int64_t>())
      counts[size_t(label)]++;
    of_one_class += double(*std::max_element(counts.begin(), counts.end())) / 2000;
  }
  EXPECT_GE(of_one_class, 0.9);
}

TEST(Variational, BadOptionsAreNamed) {
  EXPECT_EQ(message_of([] { likelihood_of("poisson"); }),
            "likelihood: expected bernoulli, gaussian or student; got 'poisson'");
  const Rows rows = slice(digits_rows(), 0, 20);
  SystemPtr iwae = made("iwae", "epochs=1,held_out=20", rows, 0);
  EXPECT_EQ(message_of([&] { iwae->train(rows, {}, {}); }),
            "--set held_out: expected fewer than the 20 rows; got 20");
}

}  // namespace
}  // namespace clade::models

// The loss of every system, in f64 against central differences: System::loss, which is what its
// training minimises, walked over the registry. The system is trained for a moment first, so that
// targets, assignments, neighbours and mixtures are those of a run and no parameter is at a place
// where the loss is flat.
//
// Each parameter tensor w moves along random directions d: (L(w + h d) - L(w - h d)) / 2h must be
// <grad L, d>, to 1e-4 of the norm of w's gradient. A wrong factor or a lost term shows in every
// direction; the numeric slope of a tensor without a gradient must be 0. Where a ReLU crosses its
// kink within the h = 1e-6, a shorter step decides: what is wrong is wrong at any. Noise is
// repeated: it is counted by step, or belongs to a Random of the model, which is put back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/functions.h"
#include "data/missing.h"
#include "models/rows.h"
#include "models/tabular_vae.h"
#include "tests/models/small_systems.h"

namespace clade::models {
namespace {

constexpr double kShifts[] = {1e-6, 1e-7, 1e-8};  // h
constexpr double kTolerance = 1e-4;
constexpr int kDirections = 3;

// Makes all of a system f64, and keeps its parameters and its sources of noise at hand.
class Widened : public nn::Visitor {
 public:
  std::vector<nn::NamedParameter> parameters;
  std::vector<std::pair<Random*, Random>> noise;  // and what it was
  void repeat_noise() {
    for (auto& [random, before] : noise) *random = before;
  }

 private:
  static Tensor wide(const Tensor& t) {
    return t.dtype() == DType::f32 ? t.to(DType::f64) : t.clone();
  }
  void on_parameter(const std::string& name, Var& p) override {
    if (!p.defined()) return;
    p = Var::parameter(wide(p.value()));
    parameters.push_back({name, &p});
  }
  void on_buffer(const std::string&, Tensor& buffer) override {
    if (buffer.defined()) buffer = wide(buffer);
  }
  void on_random(const std::string&, Random& random) override {
    noise.push_back({&random, random});
  }
};

double dot(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); i++) sum += a.data<double>()[i] * b.data<double>()[i];
  return sum;
}

// w = start + h d; all row-major.
void move(Tensor w, const Tensor& start, const Tensor& d, double h) {
  for (int64_t i = 0; i < w.numel(); i++)
    w.data<double>()[i] = start.data<double>()[i] + h * d.data<double>()[i];
}

bool near(double analytic, double numeric, double scale) {
  return std::abs(analytic - numeric) < kTolerance * scale;
}

// `held`: parameters that the loss sees but does not train, by the ends of their names.
void expect_gradients(System& system, const data::Batch& batch,
                      const std::vector<std::string>& held = {}) {
  Widened all;
  system.visit(all);
  nn::set_training(system, true);
  auto loss = [&] {
    all.repeat_noise();
    return system.loss(batch, 1, 2)[0];
  };
  backward(loss());
  double norm_of_all = 0;
  std::vector<Tensor> gradients;
  for (const nn::NamedParameter& p : all.parameters) {
    const Tensor g = p.parameter->grad();
    gradients.push_back(g.defined() ? g.contiguous()
                                    : Tensor::zeros(p.parameter->shape(), DType::f64));
    norm_of_all += dot(gradients.back(), gradients.back());
  }
  norm_of_all = std::sqrt(norm_of_all);
  ASSERT_GT(norm_of_all, 0);

  NoGrad no_grad;
  Random rng(17);
  for (size_t i = 0; i < all.parameters.size(); i++) {
    const auto& [name, parameter] = all.parameters[i];
    if (std::any_of(held.begin(), held.end(),
                    [&name = name](const std::string& end) { return name.ends_with(end); }))
      continue;
    const Tensor w = parameter->value(), &g = gradients[i];
    // Below a part of the whole gradient a tensor's own is rounding (of a bias before batch norm).
    const double scale = std::max(std::sqrt(dot(g, g)), 1e-4 * norm_of_all);
    for (int draw = 0; draw < kDirections; draw++) {
      const Tensor d = randn(w.shape(), rng, DType::f64);
      const Tensor start = w.clone();
      auto slope = [&](double h) {
        move(w, start, d, h);
        const double up = loss().item();
        move(w, start, d, -h);
        const double down = loss().item();
        move(w, start, d, 0);
        return (up - down) / (2 * h);
      };
      const double analytic = dot(g, d);
      double numeric = slope(kShifts[0]);
      for (size_t s = 1; s < std::size(kShifts) && !near(analytic, numeric, scale); s++)
        numeric = slope(kShifts[s]);
      EXPECT_TRUE(near(analytic, numeric, scale))
          << name << ": " << analytic << ", numerically " << numeric << ", of " << scale;
    }
  }
}

// Rows 3 .. 9 of what the system was trained on, in f64.
data::Batch batch_of(const Rows& rows) {
  const Rows part = slice(rows, 3, 9);
  data::Batch batch;
  batch.rows = Tensor::from<int64_t>({3, 4, 5, 6, 7, 8}, {6});
  batch.values = part.values.to(DType::f64);
  if (part.mask.defined()) batch.mask = part.mask.to(DType::f64);
  return batch;
}

// Without a fifth of their values.
Rows with_holes(const Rows& rows) {
  data::Dataset d;
  d.values = rows.values;
  const data::Dataset hidden = data::hide_at_random(d, 0.2, Random(4));
  return {hidden.values, hidden.mask};
}

struct Case {
  const char *system, *settings;
};

void check(const Case& c) {
  const SystemInfo& info = *find_system(c.system);
  const std::string name = info.name;
  Rows rows = some_rows(takes_images(info), 40);
  if (info.uses_mask && name != "miwae-vae") rows = with_holes(rows);  // whose VAE sees none
  SystemPtr system =
      small(info, rows.values.shape().without(0), 3, rows.size(), c.settings, Device::cpu(), "2");
  system->train(rows, {}, {});
  SCOPED_TRACE(text(c.system, " ", c.settings));
  std::vector<std::string> held;
  if (name == "dcn" || name == "dcra") held = {"centres"};  // have their own steps
  expect_gradients(*system, batch_of(rows), held);
}

class EveryLoss : public ::testing::TestWithParam<int> {};

TEST_P(EveryLoss, HasTheGradientOfItsDifferences) {
  const SystemInfo& info = systems().at(size_t(GetParam()));
  const Settings known(info.name, info.settings);
  check({info.name, known.knows("init") ? "init=kmeans" : ""});
}

INSTANTIATE_TEST_SUITE_P(All, EveryLoss, ::testing::Range(0, int(systems().size())),
                         [](const auto& each) {
                           std::string name = systems().at(size_t(each.param)).name;
                           std::erase(name, '-');
                           return name;
                         });

// Other likelihoods, reconstructions and weights than those of the recipes.
const Case kVariants[] = {
    {"ae-kmeans", "loss=bernoulli"},
    {"cae-kmeans", "loss=squared"},
    {"idec", "gamma=3"},
    {"dcn", "lambda=0.3"},
    {"dcra", "lambda=0.7"},
    {"dec-da", "shift=0.2"},
    {"vade", "loss=bernoulli,reconstruction_weight=2"},
    {"dgg", "loss=bernoulli,reconstruction_weight=2,neighbors=3"},
    {"ltvae", "loss=bernoulli,facets=2,reconstruction_weight=2"},
    {"gmvae", "likelihood=student,cv=1"},
    {"dense-vae", "likelihood=student"},
    {"iwae", "likelihood=gaussian,samples=4"},
    {"miwae", "likelihood=bernoulli,mask=none"},
    {"conv-iwae", "likelihood=student"},
    {"not-miwae", "process=known"},
    {"tabular-vae", "likelihood=gaussian"},
    {"k-dvae", "init=kmeans,likelihood=student"},
    {"k-dae", "init=kmeans,likelihood=bernoulli"},
    {"moe-vae", "init=kmeans,likelihood=student,sharp=2,even=3"},
    {"masked-vae", "beta=1"},
};

class LossVariant : public ::testing::TestWithParam<int> {};

TEST_P(LossVariant, HasTheGradientOfItsDifferences) { check(kVariants[GetParam()]); }

INSTANTIATE_TEST_SUITE_P(All, LossVariant, ::testing::Range(0, int(std::size(kVariants))),
                         [](const auto& each) {
                           std::string name = text(each.param, kVariants[each.param].system);
                           std::erase(name, '-');
                           return name;
                         });

// Real, binary and categorical columns, with holes in each.
TEST(Losses, OfATableOfMixedColumns) {
  for (const char* likelihood : {"student", "gaussian"}) {
    Settings s("tabular-vae", tabular_settings());
    s.set_all(text("hidden=8,latent=2,epochs=1,samples=3,likelihood=", likelihood));
    TabularVae vae({.reals = 2, .binaries = 1, .categories = {3}}, s, 1);
    data::Batch batch;
    batch.rows = Tensor::from<int64_t>({0, 1, 2, 3}, {4});
    Random rng(1);
    batch.values = Tensor::empty({4, 6}, DType::f64);
    fill_uniform(rng, batch.values, 0, 1);
    batch.mask = Tensor::full({4, 6}, 1, DType::f64);
    for (int64_t i = 0; i < 4; i++)
      for (int64_t c = 0; c < 3; c++) batch.values.data<double>()[i * 6 + 3 + c] = c == i % 3;
    for (int64_t at : {1, 8, 15, 16, 17}) batch.mask.data<double>()[at] = 0;
    SCOPED_TRACE(likelihood);
    expect_gradients(vae, batch);
  }
}

}  // namespace
}  // namespace clade::models

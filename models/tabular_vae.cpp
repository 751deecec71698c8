#include "models/tabular_vae.h"

#include <algorithm>

#include "models/epochs.h"
#include "models/iwae.h"
#include "optim/schedule.h"

namespace clade::models {
namespace {

constexpr int64_t kSamples = 200;      // of z, for expectations and draws
constexpr int64_t kDrawnAtATime = 64;  // rows

const TableSchema& checked(const TableSchema& s) {
  if (s.width() < 1) fail("TabularVae", "a column or more", "none");
  for (int64_t words : s.categories)
    if (words < 2) fail("TabularVae", "categorical columns of 2 words or more", text(words));
  return s;
}

}  // namespace

int64_t TableSchema::width() const {
  int64_t all = reals + binaries;
  for (int64_t words : categories) all += words;
  return all;
}

TabularVae::TabularVae(const TableSchema& schema, const Settings& settings, uint64_t seed)
    : TabularVae(schema, settings, seed, Random(seed).fork("tabular vae")) {}

TabularVae::TabularVae(const TableSchema& schema, const Settings& settings, uint64_t seed,
                       Random rng)
    : schema_(checked(schema)),
      settings_(settings),
      seed_(seed),
      likelihood_(likelihood_of(settings.word("likelihood"))),
      encoder_(dense_encoder(2 * schema.width(), settings.sizes("hidden"), rng)),
      mean_(settings.sizes("hidden").back(), settings.whole("latent"), rng),
      logvar_(settings.sizes("hidden").back(), settings.whole("latent"), rng) {
  const auto hidden = settings.sizes("hidden");
  decoder_.add(nn::Linear(latent(), hidden.back(), rng)).add(nn::ReLU{});
  decoder_.add(dense_decoder(
      hidden, schema.width() + (numbers_a_value(likelihood_) - 1) * schema.reals, rng));
}

void TabularVae::visit(nn::Visitor& v) {
  v("encoder", encoder_), v("mean", mean_), v("logvar", logvar_), v("decoder", decoder_);
}

TabularVae::Blocks TabularVae::blocks_of(const Var& t, int64_t numbers_a_real) const {
  Blocks b;
  int64_t at = schema_.reals * numbers_a_real;
  if (schema_.reals) b.reals = slice(t, 1, 0, at);
  if (schema_.binaries) b.binaries = slice(t, 1, at, at + schema_.binaries);
  at += schema_.binaries;
  for (int64_t words : schema_.categories) {
    b.categories.push_back(slice(t, 1, at, at + words));
    at += words;
  }
  return b;
}

Var TabularVae::log_likelihood_of(const Var& numbers, const Tensor& x, const Tensor& mask) const {
  const Blocks h = blocks_of(numbers, numbers_a_value(likelihood_)), to = blocks_of(x, 1),
               seen = blocks_of(mask, 1);
  Var all;
  auto add_term = [&](const Var& term) { all = all.defined() ? all + term : term; };
  if (h.reals.defined())
    add_term(log_likelihood(likelihood_, h.reals, to.reals.value(), seen.reals.value()));
  if (h.binaries.defined())
    add_term(-bce_with_logits(h.binaries, to.binaries.value(), seen.binaries.value()));
  for (size_t c = 0; c < h.categories.size(); c++)  // a missing word is a row of zeros
    add_term(sum(to.categories[c] * seen.categories[c] * log_softmax(h.categories[c], 1), {1}));
  return all;
}

TabularVae::Weighted TabularVae::weigh(const Tensor& x, const Tensor& mask, const Var& eps) {
  const int64_t k = eps.size(0), n = x.size(0);
  const Var h = encoder_(concat({Var(x), Var(mask)}, 1));
  const Var mean = mean_(h), logvar = logvar_(h);
  const Var z = mean + exp(0.5 * logvar) * eps;
  Weighted w;
  w.numbers = decoder_(reshape(z, {k * n, latent()}));
  const Var px = log_likelihood_of(w.numbers, repeated(x, k), repeated(mask, k));
  w.log_weights = reshape(px, {k, n}) + log_prior_ratio(z, mean, logvar);
  return w;
}

void TabularVae::train(const Rows& rows, const Training& t, const Progress& progress) {
  Phases phases(*this, rows, t);
  optim::ParameterArena arena(*this);
  const double lr = settings_.number("lr");
  const int64_t epochs = settings_.whole("epochs");
  optim::Adam adam(arena, {.lr = lr});
  const optim::CosineSchedule rate{lr, epochs, lr / 100};
  train_epochs(
      phases, arena, adam, rows,
      {"training", epochs, settings_.whole("batch"), seed_, {"negative bound"}}, progress,
      [&](const auto&... of) { return loss(of...); },
      [&](int64_t epoch) { adam.options.lr = rate.at(epoch); });
}

std::vector<Var> TabularVae::loss(const data::Batch& batch, int64_t, int64_t step) {
  const Tensor& x = batch.values;
  Random own = Random(seed_).fork("tabular noise").fork(uint64_t(step));
  const Shape each{settings_.whole("samples"), x.size(0), latent()};
  const Var eps(randn(each, own, x.dtype()).to(x.device()));
  const Weighted w = weigh(x, observed_of(x, batch.mask), eps);
  return {-mean(importance_weighted_bound(w.log_weights).bound)};
}

Tensor TabularVae::encode(const Rows& rows, const Progress& progress) {
  const Evaluating evaluating(*this);
  Tensor codes =
      in_batches(rows, kRowsAtATime, "encode", progress, [&](const Tensor& x, const Tensor& mask) {
        const Var m(observed_of(x, mask));
        return mean_(encoder_(concat({Var(x), m}, 1))).value();
      });
  require_finite_codes(codes);
  return codes;
}

Tensor TabularVae::expected(const Tensor& numbers) const {
  const Blocks h = blocks_of(numbers, numbers_a_value(likelihood_));
  std::vector<Var> parts;
  if (h.reals.defined()) parts.push_back(expectation(likelihood_, h.reals.value()));
  if (h.binaries.defined()) parts.push_back(sigmoid(h.binaries));
  for (const Var& words : h.categories) parts.push_back(softmax(words, 1));
  return concat(parts, 1).value();
}

Tensor TabularVae::drawn(const Tensor& numbers, Random& rng) const {
  if (!numbers.device().is_cpu()) return drawn(numbers.to(Device::cpu()), rng);
  const Blocks h = blocks_of(numbers, numbers_a_value(likelihood_));
  std::vector<Var> parts;
  if (h.reals.defined()) parts.push_back(draw(likelihood_, h.reals.value(), rng));
  if (h.binaries.defined()) parts.push_back(draw(Likelihood::bernoulli, h.binaries.value(), rng));
  for (const Var& words : h.categories) {
    const Tensor p = softmax(words, 1).value().contiguous();
    Tensor chosen = Tensor::zeros(p.shape());
    const int64_t count = p.size(1);
    for (int64_t i = 0; i < p.size(0); i++) {
      double u = rng.uniform();
      int64_t c = 0;
      while (c + 1 < count && (u -= double(p.data<float>()[i * count + c])) >= 0) c++;
      chosen.data<float>()[i * count + c] = 1;
    }
    parts.push_back(chosen);
  }
  return concat(parts, 1).value();
}

Tensor TabularVae::reconstruct(const Rows& rows, const Progress& progress) {
  const Evaluating evaluating(*this);
  Random noise = Random(seed_).fork("tabular expectation");
  const Var eps(randn({kSamples, 1, latent()}, noise).to(rows.device));  // the same for all rows
  return in_batches(rows, kDrawnAtATime, "impute", progress,
                    [&](const Tensor& x, const Tensor& mask) {
                      const Weighted w = weigh(x, observed_of(x, mask), eps);
                      return weighted_mean(importance_weighted_bound(w.log_weights).weight,
                                           expected(w.numbers.value()));
                    });
}

Tensor TabularVae::draw_rows(const Rows& rows, int64_t number, const Progress& progress) {
  const Evaluating evaluating(*this);
  const Random noise = Random(seed_).fork("tabular draw").fork(uint64_t(number));
  uint64_t part = 0;
  return in_batches(
      rows, kDrawnAtATime, "draw", progress, [&](const Tensor& x, const Tensor& mask) {
        Random own = noise.fork(part++);
        const Var eps(randn({kSamples, x.size(0), latent()}, own).to(rows.device));
        const Weighted w = weigh(x, observed_of(x, mask), eps);
        return drawn(
            resampled(importance_weighted_bound(w.log_weights).weight, w.numbers.value(), own),
            own);
      });
}

std::vector<Setting> tabular_settings() {
  return {whole("epochs", "", "passes over the data", 0),
          whole("batch", "64", "rows a training step", 2),
          number("lr", "0.001", "learning rate of Adam, falling along a cosine", 1e-12),
          whole("latent", "", "features a row is reduced to"),
          whole("samples", "20", "K, samples of z a row in training"),
          sizes("hidden", "128-128", "units of the encoder's hidden layers"),
          one_of("likelihood", "student", "student gaussian", "of real columns")};
}

void fill_tabular(Settings& s, int64_t rows, const Shape& sample) {
  s.fill("epochs", std::to_string(std::clamp<int64_t>(400'000 / rows, 50, 600)));
  s.fill("latent", std::to_string(std::clamp<int64_t>(sample[0] / 2, 2, 20)));
}

namespace {

// A table of `clade cluster`: all columns are real.
System* make(const Blueprint& b) {
  if (b.sample.rank() != 1)
    fail("tabular-vae", "a table", text("images ", b.sample), "take miwae or conv-miwae");
  return new TabularVae({.reals = b.sample[0], .categories = {}}, b.settings, b.seed);
}

}  // namespace

SystemInfo tabular_vae_system() {
  return {.name = "tabular-vae",
          .what = "importance weighted autoencoder of tables with holes, its mask an input",
          .source = "Mattei and Frellsen 2019; Nazabal et al. 2020",
          .uses_mask = true,
          .settings = tabular_settings(),
          .recipe = fill_tabular,
          .make = make};
}

}  // namespace clade::models

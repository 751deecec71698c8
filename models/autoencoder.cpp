#include "models/autoencoder.h"

#include <cmath>

#include "autograd/functions.h"
#include "models/rows.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "optim/schedule.h"

namespace clade::models {
namespace {

constexpr double kDropout = 0.2;  // of a pair, in stacked pretraining

nn::Linear unbiased(int64_t in, int64_t out, Random& rng) {
  nn::Linear layer(in, out, rng);
  Tensor(layer.bias.value()).fill_(0);
  return layer;
}

std::vector<nn::Linear*> linear_layers(nn::Sequential& net) {
  std::vector<nn::Linear*> out;
  for (size_t i = 0; i < net.size(); i++)
    if (auto* layer = net.layer<nn::Linear>(i)) out.push_back(layer);
  return out;
}

// One pair of a stack: two layers under the names of their places.
struct Pair {
  nn::Linear *encoder, *decoder;
  void visit(nn::Visitor& v) { v("encoder", *encoder), v("decoder", *decoder); }
};

double learning_rate(const Settings& s, int64_t epoch, int64_t epochs) {
  const double lr = s.number("lr");
  return s.word("schedule") == "cosine" ? optim::CosineSchedule{lr, epochs}.at(epoch) : lr;
}

// The mean of a scalar loss over the batches of an epoch, each followed by a step.
template <class Optimizer, class Loss>
double train_epoch(optim::ParameterArena& arena, Optimizer& optimizer, data::Batches& batches,
                   int64_t epoch, int64_t epochs, const char* stage, const Progress& progress,
                   Loss loss) {
  const int64_t steps = batches.per_epoch();
  double sum = 0;
  for (int64_t step = 0; step < steps; step++) {
    progress(stage, epoch * steps + step, epochs * steps);
    const data::Batch batch = batches.at(epoch, step);
    const Var l = loss(batch.values, epoch * steps + step);
    arena.zero_grad();
    backward(l);
    optimizer.step();
    sum += l.item();
  }
  return sum / double(steps);
}

void pretrain_layer(Phases& phases, Autoencoder& ae, int64_t layer, const Rows& rows,
                    const Blueprint& b, const Progress& progress) {
  const Settings& s = b.settings;
  auto encoders = linear_layers(ae.encoder), decoders = linear_layers(ae.decoder);
  const int64_t depth = int64_t(encoders.size());
  if (encoders.size() != decoders.size())
    fail("--set pretrain", "end-to-end", "stacked", "only dense autoencoders are stacked");
  Pair pair{encoders[size_t(layer)], decoders[size_t(depth - 1 - layer)]};
  const bool first = layer == 0, last = layer == depth - 1;
  const std::string name = text("layer ", layer + 1);
  const Random noise = Random(b.seed).fork("dropout").fork(uint64_t(layer));
  const int64_t epochs = s.whole("layer_epochs");
  data::Batches batches = batches_of(rows, s.whole("batch"), b.seed + uint64_t(layer) + 1);
  optim::ParameterArena arena(pair);

  const auto below = [&](const Tensor& x) {
    NoGrad no_grad;
    Var h = flatten(x);
    for (int64_t i = 0; i < layer; i++) h = relu((*encoders[size_t(i)])(h));
    return h.value();
  };
  with_optimizer(s.word("optimizer"), s.number("lr"), s.number("momentum"), arena, [&](auto& o) {
    phases.run(name.c_str(), o, epochs, [&](int64_t epoch) {
      o.options.lr = learning_rate(s, epoch, epochs);
      phases.record(name.c_str(),
                    train_epoch(arena, o, batches, epoch, epochs, name.c_str(), progress,
                                [&](const Tensor& x, int64_t step) {
                                  const Tensor target = below(x);
                                  Random in = noise.fork(uint64_t(2 * step)),
                                         hidden = noise.fork(uint64_t(2 * step + 1));
                                  Var h = first ? Var(target) : dropout(target, kDropout, in);
                                  h = (*pair.encoder)(h);
                                  if (!last) h = dropout(relu(h), kDropout, hidden);
                                  Var y = (*pair.decoder)(h);
                                  if (!first) y = relu(y);
                                  return sum(squared_error(y, target)) / double(target.numel());
                                }));
      return true;
    });
  });
}

void load_pretrained(Autoencoder& ae, const std::string& path) {
  const std::string prefix = "autoencoder.";
  std::vector<SafeTensors::Entry> mine;
  for (const SafeTensors::Entry& e : load_safetensors(path).tensors)
    if (e.name.starts_with(prefix)) mine.push_back({e.name.substr(prefix.size()), e.tensor});
  if (mine.empty())
    fail("--pretrained", "the model of a run with an autoencoder", text("none in ", path),
         "take the folder of such a run");
  try {
    nn::load_state_dict(ae, mine);
  } catch (const Error& e) {
    fail("--pretrained", text("an autoencoder of the same shape in ", path), e.what(),
         "give the options that it was trained with");
  }
}

}  // namespace

Var Autoencoder::loss(const Var& z, const Tensor& target) {
  const Var out = decoder(z);
  return sum(bernoulli ? bce_with_logits(out, target) : squared_error(out, target)) /
         double(target.numel());
}

Tensor Autoencoder::reconstruct(const Tensor& x) {
  const Var out = decoder(encoder(x));
  return (bernoulli ? sigmoid(out) : out).value();
}

Autoencoder dense_autoencoder(const Shape& sample, const std::vector<int64_t>& hidden,
                              int64_t latent, Random& rng) {
  using namespace nn;
  Autoencoder ae;
  if (sample.rank() == 3) ae.encoder.add(Flatten{});
  int64_t in = sample.numel();
  for (int64_t width : hidden) {
    ae.encoder.add(unbiased(in, width, rng)).add(ReLU{});
    in = width;
  }
  ae.encoder.add(unbiased(in, latent, rng));
  in = latent;
  for (size_t i = hidden.size(); i-- > 0;) {
    ae.decoder.add(unbiased(in, hidden[i], rng)).add(ReLU{});
    in = hidden[i];
  }
  ae.decoder.add(unbiased(in, sample.numel(), rng));
  if (sample.rank() == 3) ae.decoder.add(Unflatten{sample[0], sample[1], sample[2]});
  return ae;
}

std::vector<Setting> pretraining_settings() {
  return {whole("epochs", "", "pretraining: passes over the data", 0),
          whole("batch", "256", "rows a training step", 2),
          one_of("optimizer", "adam", "adam sgd", "of pretraining"),
          number("lr", "0.001", "pretraining: learning rate", 1e-12),
          number("momentum", "0.9", "pretraining: of sgd", 0, 1),
          one_of("schedule", "constant", "constant cosine", "pretraining: of the learning rate"),
          whole("latent", "10", "features a row is reduced to"),
          one_of("loss", "squared", "squared bernoulli",
                 "of reconstructions: squared error, or cross-entropy of values in [0, 1]")};
}

std::vector<Setting> dense_settings() {
  return joined(pretraining_settings(),
                {sizes("hidden", "500-500-2000", "units of the encoder's hidden layers"),
                 one_of("pretrain", "end-to-end", "end-to-end stacked",
                        "all layers at once, or first layer by layer"),
                 whole("layer_epochs", "", "stacked: passes for each layer", 0)});
}

Autoencoder make_dense(const Blueprint& b) {
  Random rng = Random(b.seed).fork("autoencoder");
  Autoencoder ae =
      dense_autoencoder(b.sample, b.settings.sizes("hidden"), b.settings.whole("latent"), rng);
  ae.bernoulli = b.settings.word("loss") == "bernoulli";
  return ae;
}

void fill_pretraining(Settings& s, int64_t rows) {
  const int64_t epochs = epochs_for(rows);
  s.fill("epochs", std::to_string(epochs));
  if (s.knows("layer_epochs"))
    s.fill("layer_epochs", std::to_string(std::max<int64_t>(1, epochs / 4)));
}

void pretrain(Phases& phases, Autoencoder& ae, const Rows& rows, const Blueprint& b,
              const Training& training, const Corruption& corruption, const Progress& progress) {
  if (!training.pretrained.empty()) {
    phases.once("pretraining", [&] { load_pretrained(ae, training.pretrained); });
    return;
  }
  const Settings& s = b.settings;
  if (s.knows("pretrain") && s.word("pretrain") == "stacked")
    for (size_t layer = 0; layer < linear_layers(ae.encoder).size(); layer++)
      pretrain_layer(phases, ae, int64_t(layer), rows, b, progress);

  const int64_t epochs = s.whole("epochs");
  data::Batches batches = batches_of(rows, s.whole("batch"), b.seed);
  optim::ParameterArena arena(ae);
  with_optimizer(s.word("optimizer"), s.number("lr"), s.number("momentum"), arena, [&](auto& o) {
    phases.run("pretraining", o, epochs, [&](int64_t epoch) {
      o.options.lr = learning_rate(s, epoch, epochs);
      phases.record("reconstruction", train_epoch(arena, o, batches, epoch, epochs, "pretraining",
                                                  progress, [&](const Tensor& x, int64_t step) {
                                                    return pretraining_loss(ae, x, step, b,
                                                                            corruption);
                                                  }));
      return true;
    });
  });
}

Var pretraining_loss(Autoencoder& ae, const Tensor& x, int64_t step, const Blueprint& b,
                     const Corruption& corruption) {
  const Random own = Random(b.seed).fork("corruption").fork(uint64_t(step));
  const Tensor target = corruption.moves() ? moved(x, corruption.shift, corruption.rotate, own) : x;
  const Tensor seen =
      corruption.noise > 0 ? noisy(target, corruption.noise, own.fork("noise")) : target;
  return ae.loss(ae.encode(seen), target);
}

Tensor encode_rows(Autoencoder& ae, const Rows& rows, const Progress& progress) {
  const Evaluating evaluating(ae);
  Tensor codes = in_batches(
      rows, kRowsAtATime, "encode", progress,
      [&](const Tensor& x, const Tensor&) { return ae.encode(x).value(); }, LastBatch::filled_up);
  require_finite_codes(codes);
  return codes;
}

Tensor reconstruct_rows(Autoencoder& ae, const Rows& rows, const Progress& progress) {
  const Evaluating evaluating(ae);
  return in_batches(rows, kRowsAtATime, "reconstruct", progress,
                    [&](const Tensor& x, const Tensor&) { return ae.reconstruct(x); });
}

}  // namespace clade::models

#include "models/vae_training.h"

#include <algorithm>
#include <cmath>

#include "autograd/functions.h"
#include "data/batches.h"
#include "models/run_identity.h"
#include "optim/checkpoint.h"

namespace clade::models {
namespace {

Tensor as_tensor(const std::vector<EpochLoss>& history) {
  std::vector<double> flat;
  for (const EpochLoss& e : history) flat.insert(flat.end(), {e.total, e.reconstruction, e.kl});
  return Tensor::from(flat, {int64_t(history.size()), 3});
}

std::vector<EpochLoss> as_history(const optim::State& saved) {
  std::vector<EpochLoss> history;
  for (const SafeTensors::Entry& entry : saved) {
    if (entry.name != "loss") continue;
    for (int64_t i = 0; i < entry.tensor.size(0); i++)
      history.push_back(
          {entry.tensor.at({i, 0}), entry.tensor.at({i, 1}), entry.tensor.at({i, 2})});
  }
  return history;
}

}  // namespace

BatchLoss loss_of(Vae& vae, const Tensor& x, const Tensor& mask) {
  const VaeLoss l = vae.loss(vae(x, mask), x, mask);
  const Var reconstruction = sum(l.reconstruction), kl = sum(l.kl);
  return {(reconstruction + vae.options().beta * kl) / double(x.size(0)), reconstruction, kl};
}

std::vector<EpochLoss> train_vae(Vae& vae, const data::Dataset& d, const TrainingOptions& options,
                                 const Progress& progress) {
  if (options.epochs < 0) fail("train", "0 epochs or more", text(options.epochs));
  optim::ParameterArena arena(vae);
  optim::Adam adam(arena, {.lr = options.lr});
  data::Batches batches(d, {.size = options.batch, .seed = options.seed, .device = vae.device()});
  std::vector<EpochLoss> history;
  const std::string data = options.checkpoint.empty() ? "" : fingerprint(d.values, d.mask);
  if (options.resume) {
    require_same_run(load_safetensors(options.checkpoint), options.checkpoint,
                     {options.description, data});
    history = as_history(optim::load_checkpoint(options.checkpoint, vae, adam).history);
    if (int64_t(history.size()) > options.epochs)
      fail("resume",
           text(history.size(), " epochs or more: ", options.checkpoint, " is trained that far"),
           text(options.epochs), "ask for more --epochs, or choose another --out");
  }

  const double beta = vae.options().beta;
  const int64_t steps = batches.per_epoch();
  nn::set_training(vae, true);
  for (int64_t epoch = int64_t(history.size()); epoch < options.epochs; epoch++) {
    double reconstruction = 0, kl = 0;
    for (int64_t step = 0; step < steps; step++) {
      progress("train", epoch * steps + step, options.epochs * steps);
      const data::Batch batch = batches.at(epoch, step);
      const BatchLoss loss = loss_of(vae, batch.values, batch.mask);
      if (!std::isfinite(loss.total.item()))
        fail("train", "a finite loss",
             text(loss.total.item(), " in epoch ", epoch + 1, ", batch ", step + 1),
             "lower --lr, or look for extreme values in the data");

      arena.zero_grad();
      backward(loss.total);
      adam.step();

      reconstruction += loss.reconstruction.item();
      kl += loss.kl.item();
    }
    // The last step may spoil the weights without a loss that tells: codes do, before they are
    // saved.
    encode_means(vae, data::slice(d, 0, std::min(d.size(), options.batch)));
    double n = double(batches.rows());
    history.push_back({(reconstruction + beta * kl) / n, reconstruction / n, kl / n});
    if (!options.checkpoint.empty())
      optim::save_checkpoint(
          options.checkpoint, vae, adam,
          {epoch + 1, notes_of({options.description, data}), {{"loss", as_tensor(history)}}});
  }
  progress("train", options.epochs * steps, options.epochs * steps);
  return history;
}

}  // namespace clade::models

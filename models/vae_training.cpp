#include "models/vae_training.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "autograd/functions.h"
#include "data/batches.h"
#include "optim/checkpoint.h"
#include "tensor/parallel.h"

namespace clade::models {
namespace {

constexpr const char* kDescription = "description";
constexpr const char* kData = "data";

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

// Over 64-bit words, then over the hashes of chunks of rows. The shift brings the high bits down: a
// product alone moves them only up, and the sign of every second float would cancel.
uint64_t hash_of(const Tensor& t) {
  auto joined = [](uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    return hash ^ (hash >> 32);
  };
  constexpr uint64_t kStart = 0xcbf29ce484222325;
  const int64_t row = t.numel() / std::max<int64_t>(1, t.size(0));
  return parallel_reduce(
      t.size(0), std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(1, row)), kStart,
      [&](int64_t begin, int64_t end) {
        const Tensor part = t.slice(0, begin, end).contiguous();
        const auto* bytes = reinterpret_cast<const char*>(part.data<float>());
        const size_t size = size_t(part.numel()) * sizeof(float);
        uint64_t hash = kStart, word = 0;
        for (size_t i = 0; i < size; i += sizeof word) {
          std::memcpy(&word, bytes + i, std::min(sizeof word, size - i));
          hash = joined(hash, word);
        }
        return hash;
      },
      joined);
}

// Shape and hash of the values and the mask, e.g. "[1797, 1, 16, 16] 9c0e6a1b4f20d377".
std::string fingerprint(const data::Dataset& d) {
  uint64_t hash = hash_of(d.values);
  if (d.mask.defined()) hash ^= std::rotl(hash_of(d.mask), 1);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return text(d.values.shape(), " ", digits);
}

// Before anything is restored, so that other data is named as such and not by a shape that differs.
void require_same_run(const TrainingOptions& options, const std::string& data) {
  const SafeTensors saved = load_safetensors(options.checkpoint);
  auto require = [&](const char* key, const char* what, const std::string& now) {
    const std::string* before = saved.note(key);
    if (!before || *before != now)
      fail("resume",
           text("the ", what, " that ", options.checkpoint, " was started with, ",
                before ? *before : "which it does not name"),
           now, text("give the same ", what, ", or choose another --out"));
  };
  require(kDescription, "options", options.description);
  require(kData, "data", data);
}

}  // namespace

std::vector<EpochLoss> train_vae(Vae& vae, const data::Dataset& d, const TrainingOptions& options,
                                 const Progress& progress) {
  if (options.epochs < 0) fail("train", "0 epochs or more", text(options.epochs));
  optim::ParameterArena arena(vae);
  optim::Adam adam(arena, {.lr = options.lr});
  data::Batches batches(d, {.size = options.batch, .seed = options.seed});
  std::vector<EpochLoss> history;
  const std::string data = options.checkpoint.empty() ? "" : fingerprint(d);
  if (options.resume) {
    require_same_run(options, data);
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
      data::Batch batch = batches.at(epoch, step);

      VaeOutput out = vae(batch.values, batch.mask);
      VaeLoss loss = vae.loss(out, batch.values, batch.mask);
      Var total_reconstruction = sum(loss.reconstruction), total_kl = sum(loss.kl);
      Var mean_loss = (total_reconstruction + beta * total_kl) / double(batch.values.size(0));
      if (!std::isfinite(mean_loss.item()))
        fail("train", "a finite loss",
             text(mean_loss.item(), " in epoch ", epoch + 1, ", batch ", step + 1),
             "lower --lr, or look for extreme values in the data");

      arena.zero_grad();
      backward(mean_loss);
      adam.step();

      reconstruction += total_reconstruction.item();
      kl += total_kl.item();
    }
    // The last step may spoil the weights without a loss that tells: codes do, before they are
    // saved.
    encode_means(vae, data::slice(d, 0, std::min(d.size(), options.batch)));
    double n = double(batches.rows());
    history.push_back({(reconstruction + beta * kl) / n, reconstruction / n, kl / n});
    if (!options.checkpoint.empty())
      optim::save_checkpoint(options.checkpoint, vae, adam,
                             {epoch + 1,
                              {{kDescription, options.description}, {kData, data}},
                              {{"loss", as_tensor(history)}}});
  }
  progress("train", options.epochs * steps, options.epochs * steps);
  return history;
}

}  // namespace clade::models

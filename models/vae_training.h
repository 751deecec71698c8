// Training a Vae: a plain loop over shuffled batches, with Adam.
#pragma once

#include "models/vae.h"
#include "tensor/progress.h"

namespace clade::models {

struct TrainingOptions {
  int64_t epochs = 50;
  int64_t batch = 128;
  double lr = 1e-3;
  uint64_t seed = 0;
  std::string checkpoint = {};  // file to write after each epoch, and to resume from; "": none
  bool resume = false;          // go on from the checkpoint: the weights end as in an unbroken run
  // Of the run's options, kept in the checkpoint beside a fingerprint of the data; both must agree
  // on resuming.
  std::string description = {};
};

// What a step minimises and its parts: total = (reconstruction + beta kl) / rows of the batch,
// where those two are sums over the rows.
struct BatchLoss {
  Var total, reconstruction, kl;
};
BatchLoss loss_of(Vae& vae, const Tensor& x, const Tensor& mask);

// Means over the samples of one epoch.
struct EpochLoss {
  double total, reconstruction, kl;
};

// The losses of all epochs, those before a resumption too. Throws Error when the loss is no longer
// finite (a checkpoint whose loss is not is never saved), when it is to resume from a checkpoint of
// other options, other data or more epochs, and Cancelled when `progress` asks to stop: the last
// checkpoint then holds whole epochs. Reports "train", in batches.
std::vector<EpochLoss> train_vae(Vae& vae, const data::Dataset& d, const TrainingOptions& options,
                                 const Progress& progress = {});

}  // namespace clade::models

// One phase of training as a plain loop: shuffled batches, a loss, a step; epoch after epoch.
#pragma once

#include <array>
#include <cmath>

#include "autograd/functions.h"
#include "models/phases.h"
#include "models/rows.h"

namespace clade::models {

struct EpochsOptions {
  const char* phase = "training";
  int64_t epochs = 1;
  int64_t batch = 128;
  uint64_t seed = 0;
  std::vector<const char*> curves;  // names of the scalars that `loss` gives
};

// loss(batch, epoch, step of all) -> std::vector<Var>, scalars that are means over the batch's
// rows; the first is minimised, all are followed (`curves`). before(epoch) may set the optimizer's
// rate. Throws Error as soon as a loss is not finite.
template <class Optimizer, class Loss, class Before>
void train_epochs(Phases& phases, optim::ParameterArena& arena, Optimizer& optimizer,
                  const Rows& rows, const EpochsOptions& o, const Progress& progress, Loss loss,
                  Before before) {
  data::Batches batches = batches_of(rows, std::min(o.batch, rows.size()), o.seed);
  const int64_t steps = batches.per_epoch();
  phases.run(o.phase, optimizer, o.epochs, [&](int64_t epoch) {
    before(epoch);
    std::vector<double> sums(o.curves.size(), 0);
    for (int64_t step = 0; step < steps; step++) {
      progress(o.phase, epoch * steps + step, o.epochs * steps);
      const data::Batch batch = batches.at(epoch, step);
      const std::vector<Var> terms = loss(batch, epoch, epoch * steps + step);
      if (!std::isfinite(terms[0].item()))
        fail("train", "a finite loss",
             text(terms[0].item(), " in epoch ", epoch + 1, ", batch ", step + 1),
             "lower the learning rate, or look for extreme values in the data");
      arena.zero_grad();
      backward(terms[0]);
      optimizer.step();
      for (size_t i = 0; i < sums.size(); i++)
        sums[i] += terms[i].item() * double(batch.values.size(0));
    }
    for (size_t i = 0; i < sums.size(); i++)
      phases.record(o.curves[i], sums[i] / double(rows.size()));
    return true;
  });
  progress(o.phase, o.epochs * steps, o.epochs * steps);
}

template <class Optimizer, class Loss>
void train_epochs(Phases& phases, optim::ParameterArena& arena, Optimizer& optimizer,
                  const Rows& rows, const EpochsOptions& o, const Progress& progress, Loss loss) {
  train_epochs(phases, arena, optimizer, rows, o, progress, loss, [](int64_t) {});
}

}  // namespace clade::models

// Rows through a network in batches, without gradients.
#pragma once

#include <algorithm>

#include "autograd/var.h"
#include "data/batches.h"
#include "models/system.h"

namespace clade::models {

// Evaluation mode while it lives, the mode of training after it, though the work may be stopped.
template <class Module>
struct Evaluating {
  Module& module;
  explicit Evaluating(Module& m) : module(m) { nn::set_training(module, false); }
  ~Evaluating() { nn::set_training(module, true); }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;
};

// f(values, mask) of successive ranges of at most `batch` rows, gathered into one tensor. Reports
// `stage`, in rows.
template <class F>
Tensor in_batches(const Rows& rows, int64_t batch, const char* stage, const Progress& progress,
                  F f) {
  NoGrad no_grad;
  Tensor out;
  const int64_t n = rows.size();
  for (int64_t begin = 0; begin < n; begin += batch) {
    progress(stage, begin, n);
    const Rows part = slice(rows, begin, std::min(begin + batch, n));
    Tensor y = f(part.values, part.mask);
    if (!out.defined()) {
      Layout layout = y.is_channels_last() ? Layout::channels_last : Layout::row_major;
      out = Tensor::empty(y.shape().with(0, n), y.dtype(), layout);
    }
    copy_elements(y.view(), out.slice(0, begin, begin + part.size()).view());
  }
  progress(stage, n, n);
  return out;
}

// Throws Error, naming the row, unless every code is finite: else the training diverged.
void require_finite_codes(const Tensor& codes);

// Rows in shuffled batches, epoch after epoch.
inline data::Batches batches_of(const Rows& rows, int64_t size, uint64_t seed) {
  data::Dataset d;
  d.values = rows.values, d.mask = rows.mask;
  return {d, {.size = size, .seed = seed}};
}

}  // namespace clade::models

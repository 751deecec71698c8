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

// `values` and zeros up to `n` rows.
inline Tensor filled_up(const Tensor& values, int64_t n) {
  if (!values.defined() || values.size(0) == n) return values;
  const Layout layout = values.is_channels_last() ? Layout::channels_last : Layout::row_major;
  Tensor out = Tensor::zeros(values.shape().with(0, n), values.dtype(), layout);
  copy_elements(values.view(), out.slice(0, 0, values.size(0)).view());
  return out;
}

enum class LastBatch : uint8_t {
  as_it_is,
  filled_up,  // with rows of zeros: products of one size alone give a row the same bits wherever it
              // stands, and however many rows there are
};

// f(values, mask) of successive ranges of at most `batch` rows, on their device, gathered into one
// tensor on the CPU. Reports `stage`, in rows.
template <class F>
Tensor in_batches(const Rows& rows, int64_t batch, const char* stage, const Progress& progress, F f,
                  LastBatch last = LastBatch::as_it_is) {
  NoGrad no_grad;
  Tensor out;
  const int64_t n = rows.size();
  for (int64_t begin = 0; begin < n; begin += batch) {
    progress(stage, begin, n);
    const int64_t end = std::min(begin + batch, n);
    Rows part = slice(rows, begin, end);
    if (last == LastBatch::filled_up)
      part = {filled_up(part.values, batch), filled_up(part.mask, batch)};
    part = {part.values.to(rows.device), part.mask.to(rows.device)};
    const Tensor y = f(part.values, part.mask).slice(0, 0, end - begin).to(Device::cpu());
    if (!out.defined()) {
      const Layout layout = y.is_channels_last() ? Layout::channels_last : Layout::row_major;
      out = Tensor::empty(y.shape().with(0, n), y.dtype(), layout);
    }
    copy_elements(y.view(), out.slice(0, begin, end).view());
  }
  progress(stage, n, n);
  return out;
}

// Throws Error, naming the row, unless every code is finite: else the training diverged.
void require_finite_codes(const Tensor& codes);

// Writes values that the CPU computed into a tensor of the system, wherever that lies.
inline void put(Tensor into, const Tensor& values) { into.copy_(values.to(into.device())); }

// Rows in shuffled batches, epoch after epoch.
inline data::Batches batches_of(const Rows& rows, int64_t size, uint64_t seed) {
  data::Dataset d;
  d.values = rows.values, d.mask = rows.mask;
  return {d, {.size = size, .seed = seed, .device = rows.device}};
}

}  // namespace clade::models

#include "models/phases.h"

#include <chrono>
#include <cmath>

#include "models/run_identity.h"

namespace clade::models {
namespace {

constexpr const char* kPhase = "phase";
constexpr const char* kStopped = "stopped";
const std::string kKept = "kept.";

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

}  // namespace

Phases::Phases(System& system, const Rows& rows, const Training& training)
    : system_(&system), training_(&training) {
  system.curves.clear();
  nn::set_training(system, true);
  if (training.checkpoint.empty()) return;
  data_ = fingerprint(rows.values, rows.mask);
  if (!training.resume) return;
  const SafeTensors saved = load_safetensors(training.checkpoint);
  require_same_run(saved, training.checkpoint, {training.description, data_});
  const std::string* phase = saved.note(kPhase);
  if (!phase || phase->empty())
    fail("resume", text("the phase that ", training.checkpoint, " was written in"), "none",
         "choose another --out");
  resumed_ = *phase;
}

bool Phases::passed(const std::string& phase) { return !resumed_.empty() && phase != resumed_; }

void Phases::restore(const optim::Checkpoint& saved, int64_t& done, bool& more) {
  done = saved.epoch;
  for (const SafeTensors::Text& note : saved.metadata)
    if (note.key == kStopped) more = false;
  system_->curves.clear();
  for (const SafeTensors::Entry& e : saved.history) {
    bool is_kept = false;
    for (Kept& kept : kept_)
      if (e.name == kKept + kept.name) *kept.tensor = e.tensor, is_kept = true;
    if (!is_kept && !e.name.starts_with(kKept))
      system_->curves.push_back({e.name, e.tensor.to_vector<double>()});
  }
  resumed_.clear();
}

void Phases::record(const char* curve, double value) {
  if (!std::isfinite(value))
    fail("train", text("a finite ", curve), text(value),
         "lower the learning rate (--lr), or look for extreme values in the data");
  for (Curve& c : system_->curves) {
    if (c.name != curve) continue;
    c.values.push_back(value);
    return;
  }
  system_->curves.push_back({curve, {value}});
}

bool Phases::is_time_to_save(bool last) {
  if (training_->checkpoint.empty()) return false;
  if (!last && now() - saved_at_ < training_->save_every) return false;
  // The last step may spoil the weights without a loss that tells.
  for (const SafeTensors::Entry& e : system_->state()) {
    if (e.tensor.dtype() != DType::f32) continue;
    const Tensor dense = e.tensor.to(Device::cpu()).contiguous();
    const float* value = dense.data<float>();
    for (int64_t i = 0; i < dense.numel(); i++)
      if (!std::isfinite(value[i]))
        fail("train", text("finite weights, ", e.name), text(value[i]),
             "lower the learning rate (--lr), or look for extreme values in the data");
  }
  saved_at_ = now();
  return true;
}

optim::Checkpoint Phases::checkpoint(const std::string& phase, int64_t done, bool more) const {
  optim::Checkpoint c;
  c.epoch = done;
  c.metadata = notes_of({training_->description, data_});
  c.metadata.push_back({kPhase, phase});
  if (!more) c.metadata.push_back({kStopped, "true"});
  for (const Curve& curve : system_->curves)
    c.history.push_back({curve.name, Tensor::from(curve.values, {int64_t(curve.values.size())})});
  for (const Kept& kept : kept_)
    if (kept.tensor->defined()) c.history.push_back({kKept + kept.name, *kept.tensor});
  return c;
}

}  // namespace clade::models

// A training in phases ("pretraining", "k-means", "clustering"), with one checkpoint for all.
//
// A phase is a plain loop over units: epochs, or the steps between two updates of a target. After a
// unit the checkpoint may hold the system's whole state, the phase's optimizer and the curves so
// far; a run that is resumed passes over the phases that were done, goes on in the one that was
// not, and ends with the same bits as an unbroken run. For that a unit must depend on nothing but
// its number, the rows and what System::visit() names (randomness too: counted by the unit, or a
// visited Random, and what is named by keep()).
//
//     Phases phases(*this, rows, training);
//     phases.run("pretraining", adam, epochs, [&](int64_t epoch) {
//       ...
//       phases.record("reconstruction", loss);
//       return true;                                  // false: this phase is over
//     });
//     phases.once("k-means", [&] { centres_ = ...; });
#pragma once

#include "models/system.h"
#include "optim/checkpoint.h"

namespace clade::models {

class Phases {
 public:
  // Reads the checkpoint when training.resume asks for it; throws Error when it is of another run.
  // The system's curves become those of the checkpoint, or none.
  Phases(System& system, const Rows& rows, const Training& training);

  // optimizer: one of optim/, over what this phase trains; made anew for each phase.
  template <class Optimizer, class Unit>
  void run(const char* phase, Optimizer& optimizer, int64_t units, Unit unit) {
    if (passed(phase)) return;
    int64_t done = 0;
    bool more = true;
    if (resumes(phase)) {
      restore(optim::load_checkpoint(training_->checkpoint, *system_, optimizer), done, more);
    }
    while (more && done < units) {
      more = unit(done++);
      const bool last = !more || done == units;
      if (is_time_to_save(last))
        optim::save_checkpoint(training_->checkpoint, *system_, optimizer,
                               checkpoint(phase, done, more));
    }
    nn::set_training(*system_, true);
  }

  // Work that is repeated on resuming, unless a later phase was begun.
  template <class Work>
  void once(const char* phase, Work work) {
    if (!passed(phase)) work();
  }

  // What else the units change, and the checkpoint must hold; to be called before run(). Undefined
  // as long as it has no value.
  void keep(const char* name, Tensor& tensor) { kept_.push_back({name, &tensor}); }

  // Adds a value to a curve of the system. Throws Error when it is not finite.
  void record(const char* curve, double value);

 private:
  bool passed(const std::string& phase);  // it, and the phases after it, were not the last one
  bool resumes(const std::string& phase) const { return phase == resumed_; }
  void restore(const optim::Checkpoint& saved, int64_t& done, bool& more);
  bool is_time_to_save(bool last);  // throws Error where a value of the state is not finite
  optim::Checkpoint checkpoint(const std::string& phase, int64_t done, bool more) const;

  struct Kept {
    std::string name;
    Tensor* tensor;
  };

  System* system_;
  const Training* training_;
  std::string data_;     // fingerprint
  std::string resumed_;  // the phase that the checkpoint was written in; "": none, or reached
  std::vector<Kept> kept_;
  double saved_at_ = 0;  // seconds
};

}  // namespace clade::models

// From an entry of a table to runs: one for each seed, with everything that its result depends on.
//
// A run's key is its description (data, stages, every option, seeds) as text and a hash of it.
// Nothing else goes in, neither the commit nor the table: so tables share runs, and a result stays
// where a program is built anew.
#pragma once

#include <string>
#include <vector>

#include "apps/reproduce/definition.h"
#include "apps/reproduce/stage.h"

namespace clade::apps {

struct Scale {
  bool quick = false;
  std::string name() const { return quick ? "quick" : "full"; }
};
constexpr int64_t kQuickRows = 2000;

// Which rows a run is about.
struct RowsWanted {
  std::string data;              // name or path; "mnist-patches": with holes cut out
  std::string subset, train_on;  // as in Entry
  int64_t sample = 0, limit = 0;
  bool standard = false;  // bring the columns of a table to mean 0, deviation 1
  uint64_t seed = 0;      // of the sample and the holes; 0 where there are none
};

struct Step {
  const StageKind* kind;
  Settings settings;
  uint64_t seed;  // 0 where the stage does not depend on it
};

struct Run {
  RowsWanted rows;
  std::vector<Step> steps;
  uint64_t seed = 0;  // the one it was asked for with

  // Of the first `steps` stages; of all of them without a number.
  std::string description(size_t steps) const;  // JSON
  std::string description() const { return description(steps.size()); }
  std::string key(size_t steps) const;  // fit for a file's name
  std::string key() const { return key(steps.size()); }
};

// Throws Error where a stage or an option is not there.
Run plan(const Entry& entry, uint64_t seed, Scale scale);

// The names of stages and options ("vae", "masked-vae.fill") of the entry that are not there.
std::vector<std::string> not_there(const Entry& entry);

}  // namespace clade::apps

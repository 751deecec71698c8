// What the parts of a run can do: one entry of a list each, so that tables name them as data.
//
// A run is a chain of stages. The first takes the data's rows, laid out flat, or the data itself; a
// stage that makes features hands them to the next; the last gives each row a label. A new system
// is one more StageKind in the list of its file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/report/report.h"
#include "apps/reproduce/definition.h"
#include "data/dataset.h"
#include "tensor/progress.h"

namespace clade::apps {

struct Measure {
  std::string name;
  double value = 0;
};

struct StageInput {
  const data::Dataset& data;   // the rows of the run; never with labels
  const data::Dataset* train;  // where another part of the data set is to be learned from
  const Tensor& features;      // (n, d): what the stage before made, or the rows laid out flat
  int64_t classes;             // k, where the settings do not say
  uint64_t seed;
  const Settings& settings;   // every option of the kind, with its value
  const std::string& folder;  // the stage's own, for checkpoints and models
  const std::string& before;  // of the stage before; "" for the first
  const char* name;           // of the kind, where one function serves several
  Progress progress;

  double number(const char* name) const;  // a setting
  int64_t whole(const char* name) const;
  const std::string& word(const char* name) const;
};

// A run's own figure of merit, which knows no labels: the least is the best.
struct Criterion {
  std::string name;
  double value = 0;
};

struct StageOutput {
  Tensor features;  // (n, e); undefined where the stage makes labels alone
  Tensor labels;    // (n) i32, -1 noise; undefined where it makes features alone
  Tensor soft;      // (n) i32: labels with each noise row in the cluster it belongs to most
  std::vector<Measure> measures;
  std::vector<Curve> curves;
  std::optional<Criterion> criterion;
};

struct OptionKind {
  const char* name;
  const char* value;  // unless the table says otherwise
  const char* help;
  const char* quick = nullptr;  // instead, at quick scale: whatever the table says
};

struct StageKind {
  const char* name;
  const char* help;
  bool random;  // whether the seed changes the result
  bool labels;  // whether it gives them
  std::vector<OptionKind> options;
  StageOutput (*run)(const StageInput& in);
};

const std::vector<StageKind>& shallow_stages();
const std::vector<StageKind>& network_stages();

// The kind of that name, or nullptr.
const StageKind* find_stage(const std::string& name);

// Every option of the kind, as given or else by default; `quick` as OptionKind says. Throws Error
// on names that the kind does not have and on words where numbers belong.
Settings full_settings(const StageKind& kind, const Settings& given, bool quick);

}  // namespace clade::apps

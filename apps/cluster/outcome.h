// All that a run has to tell when it is over: what its folder, report and summary are made of.
#pragma once

#include <string>
#include <vector>

#include "apps/cluster/clustering.h"
#include "apps/cluster/options.h"
#include "apps/cluster/recipe.h"
#include "apps/cluster/representation.h"
#include "apps/cluster/scores.h"
#include "data/dataset.h"

namespace clade::apps {

struct Outcome {
  ClusterOptions given, used;      // as typed; with every gap filled
  std::vector<std::string> notes;  // what was done that nobody asked for
  data::Dataset seen;              // what the model got
  Tensor complete;                 // the values before --missing hid some
  std::vector<int64_t> sample_rows;
  Representation representation;
  Clusterings clusterings;
  std::vector<MethodScores> methods;
  ScaledDown scaled_down;
  std::vector<StageTime> times;
};

}  // namespace clade::apps

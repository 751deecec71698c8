// What is chosen where the person said nothing, and how far a run stands from the full recipe.
//
// A model's own defaults stand beside it (models/system.h: recipe). HDBSCAN's least cluster is n /
// 140, which gives 500 for 70,000 rows, 66 for USPS and 20 for COIL-20.
#pragma once

#include <string>
#include <vector>

#include "apps/cluster/options.h"
#include "data/dataset.h"
#include "models/system.h"

namespace clade::apps {

// The settings of the model, a system, for n rows of this shape: --set, then the options that are
// settings too (--epochs, --lr, ...), then its recipe. Throws Error on what it does not know.
models::Settings settings_of(const models::SystemInfo& info, const ClusterOptions& options,
                             int64_t n, const Shape& sample);

// The options with every gap filled but `clusters`, which may wait for HDBSCAN. Throws Error on
// options that do not fit the data or each other, e.g. more clusters than rows.
ClusterOptions with_recipe(const ClusterOptions& given, const data::Dataset& seen);

struct ScaledDown {
  std::vector<std::string> what;  // "3 of 50 epochs"; empty: this is the full run
  std::string full_command;       // the same without what was scaled down
};
// rows_in_all: before --limit.
ScaledDown scaled_down(const ClusterOptions& given, const ClusterOptions& used,
                       const data::Dataset& seen, int64_t rows_in_all);

}  // namespace clade::apps

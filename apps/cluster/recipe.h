// What is chosen where the person said nothing, and how far a run stands from the full recipe.
//
// Defaults of P0 and, where P0 is silent, of docs/models.md: 50 epochs for 70,000 images and more
// for fewer (200 for USPS, 400 for COIL-20), the image's side as first filters, latent size 10;
// HDBSCAN's least cluster is n / 140, which gives 500 for 70,000 rows, 66 for USPS and 20 for
// COIL-20.
#pragma once

#include <string>
#include <vector>

#include "apps/cluster/options.h"
#include "data/dataset.h"

namespace clade::apps {

int64_t full_epochs(int64_t n);

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

// Whether it is a network, which trains and leaves checkpoints.
bool is_network(const std::string& model);

}  // namespace clade::apps

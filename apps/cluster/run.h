// clade cluster: from the options to the run's folder.
#pragma once

#include "apps/cluster/options.h"

namespace clade::apps {

// Loads, prepares, hides values, finds features, reduces, clusters, scores; leaves the folder and
// prints a summary. Throws Error, and Cancelled (after a line on how to resume) when it was asked
// to stop. A trace is written then too.
void run_cluster(const ClusterOptions& options);

}  // namespace clade::apps

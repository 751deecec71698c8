// What a run prints when it is over.
#pragma once

#include <string>

#include "apps/cluster/outcome.h"

namespace clade::apps {

std::string summary(const Outcome& outcome);

}  // namespace clade::apps

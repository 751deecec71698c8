// What is in a file, told in a few lines: shapes, types, ranges, missing values.
#pragma once

#include <string>

#include "apps/load.h"

namespace clade::apps {

// A .npy, .safetensors, a run's folder, or whatever data::load() takes (tables, images, names
// of the catalog). Throws Error when it cannot be read.
std::string describe(const LoadRequest& request);

}  // namespace clade::apps

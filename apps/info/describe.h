// What is in a file, told in a few lines: shapes, types, ranges, missing values.
#pragma once

#include <string>

namespace clade::apps {

// path: .npy, .safetensors, a run's folder, or whatever data::load() takes (tables, images, names
// of the catalog). Throws Error when it cannot be read.
std::string describe(const std::string& path);

}  // namespace clade::apps

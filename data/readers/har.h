// UCI HAR, "Human Activity Recognition Using Smartphones"
// (https://archive.ics.uci.edu/dataset/240), plain or gzip: X_*.txt holds 561 numbers a line, in
// [-1, 1], y_*.txt the activity 1 .. 6.
#pragma once

#include <string>
#include <string_view>

#include "data/dataset.h"

namespace clade::data {

// A table (N, 561) with the six activities. `x_file` and `y_file` name the bytes in messages.
// Throws Error on other widths, missing values, other activities, and on counts of rows that
// differ.
Dataset parse_har(std::string_view x, std::string_view y, const std::string& x_file,
                  const std::string& y_file);
Dataset load_har(const std::string& x_path, const std::string& y_path);

}  // namespace clade::data

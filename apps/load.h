// A data set by its name or path, as every command takes it.
#pragma once

#include <optional>
#include <string>

#include "data/dataset.h"

namespace clade::apps {

struct LoadRequest {
  std::string name_or_path;
  std::optional<std::string> data_dir, label_column;
  std::optional<std::string> drop_columns;  // names separated by commas
  std::optional<int64_t> limit;
};

// Throws Error: on what is neither a name nor a path, with the nearest name; and as data::load()
// does.
data::Dataset load_data(const LoadRequest& request);

// Rows of the data set `name` without a limit; 0 where the catalog does not know it.
int64_t rows_in_catalog(const std::string& name);

}  // namespace clade::apps

// A data set by its name or path, as every command takes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace clade::apps {

struct LoadRequest {
  std::string name_or_path;
  std::optional<std::string> data_dir, label_column;
  std::optional<std::string> drop_columns;  // names separated by commas
  std::optional<int64_t> limit;
  // Of new rows for what was learned from others: as many values as those had. The columns of
  // labels and those to be left out may then be missing.
  std::optional<int64_t> values = {};
};

struct Loaded {
  data::Dataset data;
  int64_t rows_in_all = 0;  // before the limit
};

// Throws Error: on what is neither a name nor a path, with the nearest name; on columns asked for
// where the data names none; and as data::load() does.
Loaded load_data(const LoadRequest& request);

// Throws Error where both the columns learned from and those of the new rows have names (of a
// header, not numbers), and others or in another order.
void require_same_columns(const char* op, const std::vector<std::string>& learned,
                          const data::Dataset& rows, const std::string& file);

}  // namespace clade::apps

// The rows of a run: what it clusters, what it learns from, and, kept apart, the known classes.
#pragma once

#include <optional>

#include "apps/reproduce/plan.h"
#include "data/dataset.h"

namespace clade::apps {

struct Subject {
  data::Dataset data;                  // without labels
  std::optional<data::Dataset> train;  // the part to learn from, where it is another one
  data::Labels labels;                 // of `data`; undefined where there are none
  int64_t classes = 0;
};

// data_dir: where to look first. Throws Error as data::load() does.
Subject load_subject(const RowsWanted& rows, const std::string& data_dir);

// "" where the data is on this machine, else what is missing and how to get it.
std::string why_absent(const std::string& data, const std::string& data_dir);

}  // namespace clade::apps

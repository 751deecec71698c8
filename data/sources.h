// The table behind the catalog: for each data set what it is, which files it consists of, where
// those usually lie, and the function that turns them into a Dataset.
#pragma once

#include <string>
#include <vector>

#include "data/catalog.h"

namespace clade::data {

struct Source {
  CatalogEntry entry;                // `found` is left empty
  std::vector<std::string> folders;  // below a place (data/places.h)
  std::vector<std::string> files;    // that the folder must hold, plain or .gz
  bool has_subsets;
  Dataset (*load)(const std::string& folder, Subset subset);
};

const std::vector<Source>& sources();

// The four IDX files of MNIST and of those made after its example; `names` of the classes.
Dataset load_idx_folder(const std::string& folder, Subset subset, std::vector<std::string> names);

}  // namespace clade::data

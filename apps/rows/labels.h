// The clusters of a file's rows as kmeans, gmm and hdbscan write them.
#pragma once

#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace clade::apps {

// A number for each row.
struct Values {
  std::string name;
  std::vector<double> values;
};

// <stem>.csv, of columns row, <name> and those given, and <stem>.npy: labels (n) i32.
void write_labels(const std::string& stem, const std::string& name, const Tensor& labels,
                  const std::vector<Values>& columns = {});

}  // namespace clade::apps

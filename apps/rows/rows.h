// Rows of a file for the commands that take them as they are: knn, kmeans, hdbscan, umap, ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/load.h"
#include "tensor/tensor.h"

namespace CLI {
class App;
}

namespace clade::apps {

// What these commands have in common.
struct RowsOptions {
  LoadRequest load;
  std::optional<int64_t> threads;
  std::optional<std::string> out;
  int64_t seed = 1;
  bool scale = false, quiet = false;
  std::string typed;  // the command, for pages that say how to repeat it
};

// Declares them, the data set among them, on a command.
void add_rows_options(CLI::App& command, RowsOptions& options);

// (n, d) f32: images laid out flat, missing values NaN, --scale applied. Sets the threads. Known
// classes, where the data has any, go to `labels`.
Tensor load_rows(const RowsOptions& options, data::Labels* labels = nullptr);

bool has_holes(const Tensor& rows);  // (n, d) f32: a NaN among them

// --out, else runs/<command>-<data>; made if it is not there.
std::string output_folder(const RowsOptions& options, const std::string& command);

}  // namespace clade::apps

// Rows of a file for the commands that take them as they are: knn, kmeans, hdbscan, umap, ...
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "apps/load.h"
#include "data/scaling.h"
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
  std::optional<std::string> fresh;  // --new
  std::string typed;                 // the command, for pages that say how to repeat it
};

// Declares them, the data set among them, on a command.
void add_rows_options(CLI::App& command, RowsOptions& options);

// Declares --new, of commands that place rows which they have not learned from; written: the files.
void add_new_option(CLI::App& command, RowsOptions& options, const std::string& written);

struct Rows {
  Tensor values;         // (n, d) f32: images laid out flat, missing values NaN, --scale applied
  data::Labels classes;  // known ones, where the data has any
  Shape sample;          // of a row as it was read
  std::vector<std::string> columns;
  std::optional<data::Scaling> scaling;
};
Rows load_rows(const RowsOptions& options);  // sets the threads, too

// The rows of --new (m, d) f32, treated as `rows` were; undefined without it. Throws Error on rows
// of other columns.
Tensor load_new_rows(const RowsOptions& options, const Rows& rows);

bool has_holes(const Tensor& rows);  // (n, d) f32: a NaN among them
// Throws Error where rows, if there are any, have holes.
void require_whole(const char* option, const Tensor& rows);

// --out, else runs/<command>-<data>; made if it is not there.
std::string output_folder(const RowsOptions& options, const std::string& command);
// Files that an earlier run may have left there, and this one may not write.
void discard(const std::string& folder, std::initializer_list<const char*> files);

}  // namespace clade::apps

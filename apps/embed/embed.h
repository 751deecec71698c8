// What `clade umap`, `clade tsne` and `clade pca` share: rows in, a table of coordinates out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "tensor/progress.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace clade::apps {

struct EmbedOptions {
  std::string data, out;  // out: .npy or .csv
  std::optional<std::string> data_dir, label_column, drop_columns;
  std::optional<int64_t> limit, threads;
  int64_t seed = 0;
  bool standardise = false, quiet = false;
};

struct EmbedInput {
  Tensor rows;          // (n, d) f32, complete
  data::Labels labels;  // where the data has them
};

// Declares the options above on `command`; `out` must hold its default.
void add_embed_options(CLI::App& command, EmbedOptions& options);
// A number with bounds, or one of some words (separated by blanks), as the options of all commands.
CLI::Option* add_number(CLI::App& command, const char* name, int64_t& value, double low,
                        const char* help);
CLI::Option* add_number(CLI::App& command, const char* name, double& value, double low, double high,
                        const char* help);
CLI::Option* add_word(CLI::App& command, const char* name, std::string& value, const char* words,
                      const char* help);

// Loads the rows, calls embed(input, progress) -> (n, r) with progress lines and Ctrl-C, and writes
// what it gives; columns of a .csv are called `column` and a number. Throws Error on data with
// missing values and on other endings of `out`. Prints a line of what was done.
void run_embed(const char* command, const EmbedOptions& options, const char* column,
               const std::function<Tensor(const EmbedInput&, const Progress&)>& embed);

}  // namespace clade::apps

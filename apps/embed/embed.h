// What `clade umap`, `clade tsne` and `clade pca` share: rows in, a table of coordinates out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "apps/report/report.h"
#include "apps/rows/rows.h"
#include "tensor/progress.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace clade::apps {

struct EmbedOptions {
  RowsOptions rows;
  bool csv = false, json = false, no_report = false;
};

// Declares them on a command.
void add_embed_options(CLI::App& command, EmbedOptions& options);
// A number with bounds, or one of some words (separated by blanks).
void add_number(CLI::App& command, const char* name, int64_t& value, double low, const char* help);
void add_number(CLI::App& command, const char* name, double& value, double low, double high,
                const char* help);
void add_word(CLI::App& command, const char* name, std::string& value, const char* words,
              const char* help);

// --init, one of some words, or --layout in its stead: a file of first places.
void add_first_layout(CLI::App& command, std::string& init, const char* words,
                      std::optional<std::string>& layout);
Tensor load_layout(const std::string& file, int64_t rows, int64_t dimensions);

struct Embedded {
  Tensor table;             // (n, r)
  const char* figure = "";  // a result worth telling, as --json names it; "" for none
  double value = 0;
  Sweep curve = {};  // one for the report, such as a scree plot
  // Places (m, r) of rows (m, d) that were not learned from.
  std::function<Tensor(const Tensor& fresh, const Progress& progress)> place = {};
};

// Loads the rows, calls embed(context, rows, classes, progress) with progress lines and Ctrl-C,
// writes embedding.npy, report.html (the first two columns drawn) unless --no-report and, with
// --csv, embedding.csv (columns umap1, umap2, ...) to the folder of --out, then places the rows of
// --new in new_embedding.npy and .csv, and prints a summary. name: of the method, "UMAP". Throws
// Error on data with missing values.
using Embed = Embedded (*)(const void* context, const Tensor& rows, const data::Labels& classes,
                           const Progress& progress);
void run_embed(const char* command, const char* name, const EmbedOptions& options, Embed embed,
               const void* context);

}  // namespace clade::apps

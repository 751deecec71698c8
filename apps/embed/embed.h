// What `clade umap`, `clade tsne` and `clade pca` share: rows in, a table of coordinates out.
#pragma once

#include <cstdint>
#include <string>

#include "apps/rows/rows.h"
#include "tensor/progress.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace clade::apps {

struct EmbedOptions {
  RowsOptions rows;
  bool csv = false, json = false;
};

// Declares them on a command.
void add_embed_options(CLI::App& command, EmbedOptions& options);
// A number with bounds, or one of some words (separated by blanks).
void add_number(CLI::App& command, const char* name, int64_t& value, double low, const char* help);
void add_number(CLI::App& command, const char* name, double& value, double low, double high,
                const char* help);
void add_word(CLI::App& command, const char* name, std::string& value, const char* words,
              const char* help);

struct Embedded {
  Tensor table;             // (n, r)
  const char* figure = "";  // a result worth telling, as --json names it; "" for none
  double value = 0;
};

// Loads the rows, calls embed(context, rows, progress) with progress lines and Ctrl-C, writes
// embedding.npy and, with --csv, embedding.csv (columns umap1, umap2, ...) to the folder of --out,
// and prints a summary. Throws Error on data with missing values.
using Embed = Embedded (*)(const void* context, const Tensor& rows, const Progress& progress);
void run_embed(const char* command, const EmbedOptions& options, Embed embed, const void* context);

}  // namespace clade::apps

#include "apps/rows/rows.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "apps/cli/limits.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

// (n, d) f32, NaN where a value is missing.
Tensor flat(const data::Dataset& d) {
  const int64_t n = d.size();
  Tensor rows = d.values.contiguous().reshape({n, d.values.numel() / std::max<int64_t>(n, 1)});
  if (!d.mask.defined()) return rows;
  rows = rows.clone();
  const Tensor mask = d.mask.contiguous().to(DType::f32);
  for (int64_t i = 0; i < rows.numel(); i++)
    if (mask.data<float>()[i] == 0) rows.data<float>()[i] = std::numeric_limits<float>::quiet_NaN();
  return rows;
}

}  // namespace

void add_rows_options(CLI::App& command, RowsOptions& o) {
  command
      .add_option("data", o.load.name_or_path,
                  "a name from `clade datasets`, or a file (.csv .npy .idx .jf ...), or a folder "
                  "of pictures")
      ->required();
  auto name = [](CLI::Option* option, const char* kind) { option->take_last()->type_name(kind); };
  auto number = [](CLI::Option* option, Numbers limit) {
    option->take_last()->check(validator(limit))->type_name("N");
  };
  command.add_flag("--scale", o.scale, "bring the columns of a table to mean 0, deviation 1 first");
  name(command.add_option("--label-column", o.load.label_column,
                          "of a table: the column with the known classes, left out"),
       "NAME");
  name(command.add_option("--drop-columns", o.load.drop_columns,
                          "of a table: columns to leave out, separated by commas"),
       "NAMES");
  number(command.add_option("--limit", o.load.limit, "only the first N rows"), {.low = 1});
  name(command.add_option("--data-dir", o.load.data_dir, "where to look for data sets first"),
       "DIR");
  number(command.add_option("--seed", o.seed, "accepted everywhere; here nothing is random"),
         {.low = 0});
  number(command.add_option("--threads", o.threads, "[all cores]; the result is the same"),
         {.low = 1, .high = kMostThreads});
  name(command.add_option("--out", o.out, "the folder for the results [runs/<command>-<data>]"),
       "DIR");
  command.add_flag("--quiet", o.quiet, "no progress, no summary");
}

void add_new_option(CLI::App& command, RowsOptions& o, const std::string& written) {
  command.add_option("--new", o.fresh, "rows to place by what was learned: writes " + written)
      ->type_name("FILE")
      ->take_last();
}

Rows load_rows(const RowsOptions& o) {
  if (o.threads) set_threads(int(*o.threads));
  data::Dataset d = load_data(o.load).data;
  Rows rows{{}, d.labels, d.values.shape().without(0), d.columns, {}};
  if (o.scale) {
    if (d.is_images()) fail("--scale", "a table", text("the images ", d.name), "leave it out");
    rows.scaling = data::Scaling::standard(d);
    d = rows.scaling->apply(d);
  }
  rows.values = flat(d);
  release_cached_memory();  // what reading took: with the search's own it would be the peak
  return rows;
}

Tensor load_new_rows(const RowsOptions& o, const Rows& rows) {
  if (!o.fresh) return {};
  LoadRequest request = o.load;
  request.name_or_path = *o.fresh, request.limit.reset();
  request.values = rows.values.size(1);
  const data::Dataset d = load_data(request).data;
  require_same_columns("--new", rows.columns, d, *o.fresh);
  const Shape sample = d.values.shape().without(0);
  // Images and flat rows of as many values may be mixed.
  const bool flattened = sample.rank() == 1 || rows.sample.rank() == 1;
  if (sample.numel() != rows.sample.numel() || !(flattened || sample == rows.sample))
    fail("--new", text("rows of ", rows.sample, ", as ", o.load.name_or_path, " has"),
         text(sample, " in ", *o.fresh));
  if (rows.scaling && d.is_images())
    fail("--new", "a table, beside --scale", text("the images ", *o.fresh));
  return flat(rows.scaling ? rows.scaling->apply(d) : d);
}

bool has_holes(const Tensor& rows) {
  const float* v = rows.data<float>();
  return std::any_of(v, v + rows.numel(), [](float f) { return std::isnan(f); });
}

void require_whole(const char* option, const Tensor& rows) {
  if (rows.defined() && has_holes(rows))
    fail(option, "rows without missing values", "some are missing",
         "fill them in first: clade impute");
}

std::string output_folder(const RowsOptions& o, const std::string& command) {
  const std::filesystem::path data = o.load.name_or_path;
  const std::string folder = o.out.value_or("runs/" + command + "-" + data.stem().string());
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) fail("--out", "a folder that can be made", folder, problem.message());
  return folder;
}

void discard(const std::string& folder, std::initializer_list<const char*> files) {
  std::error_code ignored;
  for (const char* file : files) std::filesystem::remove(folder + "/" + file, ignored);
}

}  // namespace clade::apps

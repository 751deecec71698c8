#include "apps/embed/embed.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <sstream>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/load.h"
#include "apps/stopwatch.h"
#include "data/scaling.h"
#include "tensor/file.h"
#include "tensor/npy.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

bool ends_with(const std::string& name, const char* end) {
  const std::string tail = end;
  return name.size() > tail.size() &&
         name.compare(name.size() - tail.size(), tail.size(), tail) == 0;
}

EmbedInput load_rows(const char* command, const EmbedOptions& o) {
  const Loaded loaded = load_data({o.data, o.data_dir, o.label_column, o.drop_columns, o.limit});
  const double missing = data::missing_rate(loaded.data);
  if (missing > 0)
    fail(command, "data without holes",
         text(percent(missing), " of the values missing in ", o.data),
         "fill them first, or let `clade cluster` learn around them");
  if (o.standardise && loaded.data.is_images())
    fail(command, "a table for --standardise", text("images in ", o.data), "leave it out");
  const data::Dataset rows =
      o.standardise ? data::Scaling::standard(loaded.data).apply(loaded.data) : loaded.data;
  return {rows.values.contiguous().reshape({rows.size(), -1}).contiguous(), loaded.data.labels};
}

std::string as_csv(const Tensor& table, const char* column) {
  const int64_t n = table.size(0), r = table.size(1);
  const std::vector<double> values = table.to_vector<double>();
  std::string out;
  for (int64_t c = 0; c < r; c++) out.append(text(c ? "," : "", column, c + 1));
  for (int64_t e = 0; e < n * r; e++) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.9g", e % r ? "," : "\n", values[size_t(e)]);
    out.append(number);
  }
  return out + "\n";
}

}  // namespace

CLI::Option* add_number(CLI::App& command, const char* name, int64_t& value, double low,
                        const char* help) {
  return command.add_option(name, value, help)
      ->check(validator(Numbers{.low = low}))
      ->type_name("N")
      ->capture_default_str()
      ->take_last();
}

CLI::Option* add_number(CLI::App& command, const char* name, double& value, double low, double high,
                        const char* help) {
  return command.add_option(name, value, help)
      ->check(validator(Numbers{.low = low, .high = high, .whole = false}))
      ->type_name("X")
      ->capture_default_str()
      ->take_last();
}

CLI::Option* add_word(CLI::App& command, const char* name, std::string& value, const char* words,
                      const char* help) {
  std::istringstream list(words);
  const OneOf one{{std::istream_iterator<std::string>(list), {}}};
  return command.add_option(name, value, text(words, ": ", help))
      ->check(validator(one))
      ->type_name("NAME")
      ->capture_default_str()
      ->take_last();
}

void add_embed_options(CLI::App& command, EmbedOptions& o) {
  command
      .add_option(
          "data", o.data,
          "a name from `clade datasets`, or a file (.csv .npy .idx .jf ...), or a folder of "
          "pictures")
      ->required();
  command.add_option("--out", o.out, "where the coordinates go: FILE.npy or FILE.csv")
      ->type_name("FILE")
      ->capture_default_str()
      ->take_last();
  command.add_option("--label-column", o.label_column, "of a table: the column with the classes")
      ->type_name("NAME");
  command.add_option("--drop-columns", o.drop_columns, "of a table: columns to leave out")
      ->type_name("NAMES");
  command.add_option("--limit", o.limit, "only the first N rows")
      ->check(validator(Numbers{.low = 1}))
      ->type_name("N");
  command.add_option("--data-dir", o.data_dir, "where to look for data sets first")
      ->type_name("DIR");
  command.add_option("--threads", o.threads, "[all cores]")
      ->check(validator(Numbers{.low = 1, .high = kMostThreads}))
      ->type_name("N");
  add_number(command, "--seed", o.seed, 0, "of all randomness: same seed, same result");
  command.add_flag("--standardise", o.standardise, "of a table: columns to mean 0, deviation 1");
  command.add_flag("--quiet", o.quiet, "no progress, no summary");
}

void run_embed(const char* command, const EmbedOptions& options, const char* column,
               const std::function<Tensor(const EmbedInput&, const Progress&)>& embed) {
  const bool csv = ends_with(options.out, ".csv");
  if (!csv && !ends_with(options.out, ".npy"))
    fail(command, "--out FILE.npy or FILE.csv", options.out);
  if (options.threads) set_threads(int(*options.threads));
  const EmbedInput input = load_rows(command, options);
  ProgressLine line(options.quiet);
  Stopwatch watch;
  watch.start(command);
  Tensor table;
  {
    const Interruptible asked;
    table = embed(input, line.progress());
  }
  watch.stop();
  line.finish();
  if (csv)
    write_file_atomically(options.out, as_csv(table, column));
  else
    save_npy(options.out, table);
  if (options.quiet) return;
  std::printf("%s rows of %s values to %s, in %s: %s\n", grouped(input.rows.size(0)).c_str(),
              grouped(input.rows.size(1)).c_str(), grouped(table.size(1)).c_str(),
              duration(watch.stages().back().seconds).c_str(), options.out.c_str());
}

}  // namespace clade::apps

// clade impute: fills the holes of a table, once as expected and several times as drawn.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/impute/fill.h"
#include "apps/load.h"
#include "clustering/centroid/kmeans.h"
#include "clustering/metrics/pairs.h"
#include "data/missing.h"
#include "tensor/file.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

struct ImputeCommand {
  std::string data, out = "filled.csv", method = "vae", set;
  std::optional<std::string> data_dir, categorical, leave_out;
  std::optional<int64_t> clusters, threads;
  std::optional<double> check;
  int64_t draws = 0, seed = 1;
  bool quiet = false;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) out.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// A file's cells as they stand, or a table of the catalog as numbers.
data::CsvCells load_cells(const ImputeCommand& o) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(o.data, ignored)) return data::load_csv_cells(o.data);
  const data::Dataset d = load_data({o.data, o.data_dir, {}, {}, {}}).data;
  if (d.is_images())
    fail("impute", "a table", text("the images ", d.name),
         "clade cluster --model masked-vae takes images with holes");
  data::CsvCells cells;
  cells.header = !d.columns.empty();
  const Tensor mask = data::observed(d).contiguous(), values = d.values.contiguous();
  for (int64_t j = 0; j < d.values.size(1); j++)
    cells.columns.push_back(cells.header ? d.columns[size_t(j)] : std::to_string(j + 1));
  for (int64_t i = 0; i < d.size(); i++) {
    std::vector<std::string>& row = cells.rows.emplace_back();
    for (int64_t j = 0; j < d.values.size(1); j++) {
      const int64_t at = i * d.values.size(1) + j;
      row.push_back(mask.data<float>()[at] == 0 ? "" : text(values.data<float>()[at]));
    }
  }
  return cells;
}

std::string describe(const data::MixedTable& t) {
  int64_t left = 0;
  for (const auto& c : t.columns) left += c.kind == data::ColumnKind::left_out;
  const auto used = int64_t(t.columns.size()) - left;
  std::string out = text(grouped(int64_t(t.cells.rows.size())), " rows; ", t.reals, " real, ",
                         t.binaries, " binary, ", t.categories.size(), " categorical columns",
                         left ? text(", ", left, " left as they are") : std::string(), "; ",
                         grouped(t.missing), " cells missing");
  const double all = double(used) * double(t.cells.rows.size());
  return out + text(" (", percent(double(t.missing) / all), ")");
}

// "filled.csv" -> "filled.3.csv"
std::string numbered(const std::string& path, int64_t number) {
  std::filesystem::path p = path;
  const std::string stem = p.stem().string(), end = p.extension().string();
  return p.replace_filename(text(stem, ".", number, end)).string();
}

// How alike the clusters of the draws are: adjusted Rand index of each pair.
void tell_stability(const std::vector<Tensor>& draws, int64_t k, uint64_t seed) {
  std::vector<Tensor> labels;
  for (const Tensor& x : draws)
    labels.push_back(cluster::kmeans(x, {.k = k, .n_init = 10, .seed = seed}).labels);
  double sum = 0, least = 1;
  int64_t pairs = 0;
  for (size_t a = 0; a < labels.size(); a++)
    for (size_t b = 0; b < a; b++, pairs++) {
      const double ari = cluster::adjusted_rand(labels[a], labels[b]);
      sum += ari, least = std::min(least, ari);
    }
  std::printf(
      "\nk-means with %lld clusters on each draw: pairs of draws agree to an adjusted Rand index\n"
      "of %s in the mean, %s at least (1: the holes change no cluster)\n",
      static_cast<long long>(k), fixed(sum / double(pairs)).c_str(), fixed(least).c_str());
}

// Hides a share of what is known, fills it by every method, and tells how far off each is.
void run_check(const ImputeCommand& o, const data::MixedTable& t, const Fitting& fitting,
               const Progress& progress) {
  const data::MixedTable hidden = hide_cells(t, *o.check, Random(uint64_t(o.seed)).fork("check"));
  std::vector<Row> rows{{"method", "RMSE of numbers", "wrong words"}};
  for (const char* method : {"mean", "knn", "vae"}) {
    Filler filler(hidden, method, fitting, progress);
    const Errors e = errors_of(t, hidden, filler.expected(progress));
    rows.push_back({method, e.numbers ? fixed(e.rmse) : "-", e.words ? percent(e.wrong) : "-"});
  }
  std::printf("%s of the known cells hidden, RMSE in standard deviations of a column:\n\n%s",
              percent(*o.check, 0).c_str(), aligned(rows, "lrr").c_str());
}

void run_impute(const ImputeCommand& o) {
  if (o.threads) set_threads(int(*o.threads));
  if (o.clusters && o.draws < 2)
    fail("--clusters", "--draws of 2 or more, to compare", text(o.draws), "give --draws 5");
  if (o.draws > 0 && o.method != "vae")
    fail("--draws", "--method vae, which can draw", o.method, "leave out --draws");
  const data::MixedTable table = data::mixed_table(
      load_cells(o), {split(o.categorical.value_or("")), split(o.leave_out.value_or(""))});
  const auto n = int64_t(table.cells.rows.size());
  if (n < 3) fail("impute", "at least 3 rows", text(n), "take more data");
  if (o.clusters && *o.clusters > n)
    fail("--clusters", text("at most ", n, " (one a row)"), text(*o.clusters));
  if (!o.quiet) std::printf("%s\n", describe(table).c_str());
  if (!o.check && table.missing == 0)
    fail("impute", "a table with missing cells", text("none in ", o.data),
         "empty cells, ?, NA and NaN are missing; --check 0.2 hides some to see how good it is");

  ProgressLine line(o.quiet);
  const Interruptible asked;
  const Fitting fitting{uint64_t(o.seed), o.set};
  if (o.check) {
    run_check(o, table, fitting, line.progress());
    line.finish();
    return;
  }
  AtomicFile target(o.out);  // that it can be written, before there is work to lose
  Filler filler(table, o.method, fitting, line.progress());
  const Tensor expected = filler.expected(line.progress());
  std::vector<Tensor> draws;
  for (int64_t i = 1; i <= o.draws; i++) {
    draws.push_back(filler.draw(i, line.progress()));
    write_file_atomically(numbered(o.out, i), data::csv_text(data::filled(table, draws.back())));
  }
  line.finish();
  target.write(data::csv_text(data::filled(table, expected)));
  target.commit();
  if (o.quiet) return;
  std::printf("written %s%s\n", o.out.c_str(),
              o.draws ? text(" (what is to be expected), and ", o.draws,
                             " draws: ", numbered(o.out, 1), " ...")
                            .c_str()
                      : "");
  if (o.clusters) tell_stability(draws, *o.clusters, uint64_t(o.seed));
}

}  // namespace

void add_impute(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("impute", "fill the holes of a table of numbers and words");
  auto o = std::make_shared<ImputeCommand>();
  command->add_option("data", o->data, "a table (.csv .tsv .txt .data), or a table of the catalog")
      ->required();
  auto name = [&](const char* flag, auto& member, const char* kind, const char* help) {
    return command->add_option(flag, member, help)->take_last()->type_name(kind);
  };
  name("--out", o->out, "FILE", "the filled table")->capture_default_str();
  name("--method", o->method, "NAME",
       "vae: a variational autoencoder trained on the table; mean: of the column, or its most "
       "frequent word; knn: the five nearest rows")
      ->check(validator(OneOf{{"vae", "mean", "knn"}}))
      ->capture_default_str();
  name("--draws", o->draws, "N",
       "also write so many drawn tables (multiple imputation): FILE.1.csv ...")
      ->check(validator(Numbers{.low = 0, .high = 1000}))
      ->capture_default_str();
  name("--clusters", o->clusters, "K",
       "cluster each draw into K by k-means, and tell how far the clusters agree")
      ->check(validator(Numbers{.low = 1}));
  name("--check", o->check, "RATE",
       "write nothing: hide this share of the known cells and tell the error of each method")
      ->check(validator(Numbers{.low = 0, .high = 0.95, .whole = false, .open = true}));
  name("--categorical", o->categorical, "NAMES",
       "columns of numbers that are codes, separated by commas (names, or numbers from 1)");
  name("--leave-out", o->leave_out, "NAMES",
       "columns that the model must not use (identifiers, known classes); their holes stay");
  name("--set", o->set, "NAME=VALUE,...", "settings of the model: clade systems tabular-vae");
  name("--data-dir", o->data_dir, "DIR", "where to look for data sets first");
  name("--seed", o->seed, "N", "of all randomness: same seed, same result")
      ->check(validator(Numbers{.low = 0}))
      ->capture_default_str();
  name("--threads", o->threads, "N", "[all cores]; the result is the same")
      ->check(validator(Numbers{.low = 1, .high = kMostThreads}));
  command->add_flag("--quiet", o->quiet, "no progress, no summary");
  command->footer(
      "Missing is what is empty or reads ?, NA, N/A, NaN or null. Known cells stay as they stand.\n"
      "\nExamples:\n"
      "  clade impute survey.csv --out filled.csv\n"
      "  clade impute survey.csv --draws 10 --clusters 4 --leave-out id\n"
      "  clade impute survey.csv --check 0.3              how far can it be trusted here?");
  command->callback([o] { run_impute(*o); });
}

}  // namespace clade::apps

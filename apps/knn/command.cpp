// clade knn: the nearest neighbours of the rows of a file.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/rows/rows.h"
#include "apps/stopwatch.h"
#include "clustering/neighbors/nn_descent.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

struct KnnOptions {
  RowsOptions rows;
  int64_t k = 15;
  int64_t min_common = 1;
  std::string metric = "euclidean", method = "auto";
  double recall = cluster::NnDescentOptions{}.recall;
  bool self = false, csv = false, json = false;
};

// Exact ones have recall 1 and took no descent.
cluster::Approximation search(const KnnOptions& o, const Tensor& rows, const Progress& progress) {
  using cluster::KnnMethod;
  if (o.metric == "partial" || has_holes(rows)) {
    if (o.metric == "cosine" || o.metric == "correlation")
      fail("--metric", "euclidean or partial, where values are missing", o.metric,
           "fill them in first: clade impute");
    if (o.method != "auto" && o.method != "exact")
      fail("--method", "auto or exact, where values may be missing", o.method,
           "a partial distance is no metric: only all pairs find its neighbours");
    return {cluster::partial_knn(rows, o.k, o.self, o.min_common, progress), 1, 0};
  }
  const bool about_mean = o.metric == "correlation", cosine = o.metric == "cosine" || about_mean;
  const std::string op = "--metric " + o.metric;
  const Tensor x = cosine ? cluster::unit_rows(op.c_str(), rows, about_mean) : rows;
  const bool descend = o.method == "nn-descent" ||
                       (o.method == "auto" && x.size(0) >= cluster::rows_for_descent(x.size(1)));
  cluster::Approximation out{{}, 1, 0};
  if (descend) {
    cluster::NnDescentOptions options;
    options.recall = o.recall;
    options.seed = uint64_t(o.rows.seed);
    out = cluster::nn_descent(x, o.k, o.self, options, progress);
  } else {
    const KnnMethod method = o.method == "tree"    ? KnnMethod::tree
                             : o.method == "tiles" ? KnnMethod::tiles
                                                   : KnnMethod::automatic;
    out.neighbors = cluster::exact_knn(x, o.k, o.self, progress, method);
  }
  if (cosine) cluster::to_cosine(out.neighbors.distance);
  return out;
}

// One line for each pair that there is.
std::string table_of(const cluster::Neighbors& found) {
  std::string out = "row,rank,neighbor,distance\n";
  const int64_t n = found.index.size(0), k = found.index.size(1);
  char line[96];
  for (int64_t i = 0; i < n * k; i++) {
    const int32_t neighbor = found.index.data<int32_t>()[i];
    if (neighbor < 0) continue;
    std::snprintf(line, sizeof line, "%lld,%lld,%d,%.9g\n", static_cast<long long>(i / k),
                  static_cast<long long>(i % k + 1), neighbor,
                  double(found.distance.data<float>()[i]));
    out += line;
  }
  return out;
}

void run_knn(const KnnOptions& o) {
  const Tensor rows = load_rows(o.rows).values;
  const std::string folder = output_folder(o.rows, "knn");
  ProgressLine line(o.rows.quiet);
  Stopwatch watch;
  watch.start("search");
  cluster::Approximation near;
  {
    const Interruptible asked;
    near = search(o, rows, line.progress());
  }
  watch.stop();
  line.finish();
  const cluster::Neighbors& found = near.neighbors;
  save_npy(folder + "/index.npy", found.index);
  save_npy(folder + "/distance.npy", found.distance);
  discard(folder, {"neighbors.csv"});
  if (o.csv) write_file_atomically(folder + "/neighbors.csv", table_of(found));
  const double seconds = watch.stages().front().seconds;
  if (o.json) {
    const nlohmann::ordered_json out{
        {"rows", rows.size(0)}, {"columns", rows.size(1)}, {"k", o.k},
        {"metric", o.metric},   {"recall", near.recall},   {"descents", near.descents},
        {"seconds", seconds},   {"folder", folder}};
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  if (o.rows.quiet) return;
  const std::vector<Row> told{
      {"rows", grouped(rows.size(0))},
      {"columns", grouped(rows.size(1))},
      {"neighbours", grouped(o.k)},
      {"recall", near.descents ? fixed(near.recall, 4) + " of 256 rows, by NN-descent" : "exact"},
      {"search", duration(seconds)},
      {"written", folder + "/index.npy, distance.npy"}};
  std::fputs(aligned(told, "ll").c_str(), stdout);
}

}  // namespace

void add_knn(CLI::App& program) {
  CLI::App* command = program.add_subcommand("knn", "the nearest neighbours of each row of a file");
  auto o = std::make_shared<KnnOptions>();
  add_rows_options(*command, o->rows);
  command->get_option("--seed")->description("of nn-descent; exact neighbours have no randomness");
  command->add_option("-k,--neighbors", o->k, "neighbours of each row")
      ->check(validator(Numbers{.low = 1}))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--metric", o->metric,
                   "euclidean, cosine, correlation or partial: over the columns that both rows "
                   "have [partial where values are missing]")
      ->check(validator(OneOf{{"euclidean", "cosine", "correlation", "partial"}}))
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--method", o->method,
                   "exact (tree: for few columns, or tiles), nn-descent: approximate, for many "
                   "rows, or auto: whichever is faster")
      ->check(validator(OneOf{{"auto", "exact", "tree", "tiles", "nn-descent"}}))
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--recall", o->recall, "nn-descent: goes on while a sample finds less")
      ->check(validator(Numbers{.low = 0, .high = 1, .whole = false}))
      ->type_name("X")
      ->capture_default_str();
  command->add_option("--min-common", o->min_common, "partial: columns that neighbours must share")
      ->check(validator(Numbers{.low = 1}))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--self", o->self, "count each row as its own first neighbour");
  command->add_flag("--csv", o->csv, "write neighbors.csv too");
  command->add_flag("--json", o->json, "print the summary as JSON");
  command->footer(
      "The folder then holds index.npy (rows, k) i32 and distance.npy (rows, k) f32, nearest "
      "first,\n"
      "ties by row; where there are fewer than k, -1 and infinity.\n"
      "\nExamples:\n"
      "  clade knn fashion-mnist -k 15 --out neighbours\n"
      "  clade knn table.csv --label-column species --scale --csv");
  command->callback([o] { run_knn(*o); });
}

}  // namespace clade::apps

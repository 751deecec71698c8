// clade hdbscan: density based clusters of the rows of a file, and the trees behind them.
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
#include "apps/cli/typed.h"
#include "apps/commands.h"
#include "apps/hdbscan/page.h"
#include "apps/rows/labels.h"
#include "apps/rows/page.h"
#include "apps/stopwatch.h"
#include "clustering/density/dbcv.h"
#include "clustering/density/hdbscan.h"
#include "clustering/density/prediction.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

struct HdbscanCommand {
  RowsOptions rows;
  cluster::HdbscanOptions fit;
  std::optional<int64_t> min_samples;
  std::string selection = "eom";
  std::vector<int64_t> sweep;
  std::optional<int64_t> min_common;
  bool json = false, no_report = false;
};

// Where values are missing rows must share a tenth of the columns, and two if there are two.
int64_t common_columns(const HdbscanCommand& o, const Tensor& rows) {
  const int64_t d = rows.size(1);
  if (!has_holes(rows)) return 0;
  return o.min_common.value_or(std::max(std::min<int64_t>(2, d), d / 10));
}

int64_t noise_of(const cluster::HdbscanResult& r) {
  const auto labels = r.labels.to_vector<int32_t>();
  return std::count(labels.begin(), labels.end(), -1);
}

// What another min_cluster_size would give.
struct Cut {
  int64_t min_cluster_size, clusters, noise;
  double validity;
};
// One tree serves all of --sweep.
std::vector<Cut> cut_at(const HdbscanCommand& o, const cluster::HdbscanResult& r) {
  std::vector<Cut> cuts;
  for (int64_t size : o.sweep) {
    cluster::HdbscanOptions other = o.fit;
    other.min_cluster_size = size;
    const auto cut = cluster::hdbscan_cut(r.hierarchy, other);
    cuts.push_back({size, cut.cluster_count, noise_of(cut),
                    cluster::relative_validity(r.hierarchy.spanning_tree, cut.labels)});
  }
  return cuts;
}

// Columns side by side as f64.
Tensor table(const std::vector<Tensor>& columns) {
  const int64_t rows = columns[0].numel(), width = int64_t(columns.size());
  Tensor out = Tensor::empty({rows, width}, DType::f64);
  for (int64_t c = 0; c < width; c++) {
    const Tensor column = columns[size_t(c)].to(DType::f64);
    for (int64_t r = 0; r < rows; r++) out.data<double>()[r * width + c] = column.data<double>()[r];
  }
  return out;
}

void write_results(const std::string& folder, const cluster::HdbscanResult& r) {
  write_labels(folder + "/labels", "hdbscan", r.labels,
               {{"probability", r.probabilities.to_vector<double>()},
                {"outlier_score", r.outlier_scores.to_vector<double>()}});
  const auto& tree = r.hierarchy.linkage;
  save_npy(folder + "/linkage.npy", table({tree.left, tree.right, tree.distance, tree.size}));
  const auto& condensed = r.condensed;
  save_npy(folder + "/condensed.npy",
           table({condensed.parent, condensed.child, condensed.lambda, condensed.size}));
}

void write_report(const HdbscanCommand& o, const std::string& folder, const Tensor& rows,
                  const data::Labels& classes, const cluster::HdbscanResult& r, double seconds) {
  ReportData page = rows_page("HDBSCAN", o.rows, rows, classes);
  const double noise = double(noise_of(r)) / double(r.labels.numel());
  page.figures = {{"clusters", grouped(r.cluster_count)}, {"left out as noise", percent(noise)}};
  const std::vector<Fact> settings{
      {"min-cluster-size", text(o.fit.min_cluster_size)},
      {"min-samples", text(o.min_samples.value_or(o.fit.min_cluster_size))},
      {"selection", o.selection},
      {"epsilon", text(o.fit.selection.epsilon)},
      {"persistence", text(o.fit.persistence)}};
  page.settings.insert(page.settings.begin(), settings.begin(), settings.end());
  page.times = {{"fit", seconds}};
  write_file_atomically(folder + "/report.html", hdbscan_html(page, rows, classes, r));
}

void run_hdbscan(HdbscanCommand o) {
  o.fit.min_samples = o.min_samples.value_or(0);
  o.fit.selection.method =
      o.selection == "leaf" ? cluster::ClusterSelection::leaf : cluster::ClusterSelection::eom;
  const Rows loaded = load_rows(o.rows);
  const data::Labels& classes = loaded.classes;
  const Tensor &rows = loaded.values, fresh = load_new_rows(o.rows, loaded);
  require_whole("--new", fresh);
  if (fresh.defined() && has_holes(rows))
    fail("--new", "rows without missing values to learn from", "some are missing",
         "fill them in first: clade impute");
  o.fit.min_common = common_columns(o, rows);
  const std::string folder = output_folder(o.rows, "hdbscan");
  ProgressLine line(o.rows.quiet);
  Stopwatch watch;
  watch.start("fit");
  cluster::HdbscanResult r;
  {
    const Interruptible asked;
    r = cluster::hdbscan(rows, o.fit, line.progress());
  }
  watch.stop();
  line.finish();
  discard(folder, {"new_labels.csv", "new_labels.npy", "report.html"});
  write_results(folder, r);
  if (fresh.defined()) {
    const Interruptible asked;
    const auto added = cluster::approximate_predict(rows, r, o.fit, fresh, line.progress());
    line.finish();
    write_labels(folder + "/new_labels", "hdbscan", added.labels,
                 {{"probability", added.probabilities.to_vector<double>()}});
  }
  const std::vector<Cut> cuts = cut_at(o, r);
  const double seconds = watch.stages().front().seconds;
  if (!o.no_report) write_report(o, folder, rows, classes, r, seconds);
  if (o.json) {
    double weight = 0;
    for (double w : r.hierarchy.spanning_tree.weight.to_vector<double>()) weight += w;
    nlohmann::ordered_json out{{"rows", rows.size(0)}, {"columns", rows.size(1)}};
    if (fresh.defined()) out["new_rows"] = fresh.size(0);
    out.update({{"clusters", r.cluster_count},
                {"noise", noise_of(r)},
                {"validity", cluster::relative_validity(r.hierarchy.spanning_tree, r.labels)},
                {"tree_weight", weight},
                {"seconds", seconds},
                {"folder", folder}});
    for (const Cut& c : cuts)
      out["sweep"].push_back({{"min_cluster_size", c.min_cluster_size},
                              {"clusters", c.clusters},
                              {"noise", c.noise},
                              {"validity", c.validity}});
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  if (o.rows.quiet) return;
  const auto& tree = r.hierarchy.spanning_tree;
  std::string files = "/labels.csv, labels.npy, linkage.npy, condensed.npy";
  if (fresh.defined()) files += ", new_labels.csv, new_labels.npy";
  if (!o.no_report) files += ", report.html";
  std::vector<Row> summary{{"rows", grouped(rows.size(0))},
                           {"columns", grouped(rows.size(1))},
                           {"clusters", grouped(r.cluster_count)},
                           {"noise", grouped(noise_of(r))},
                           {"validity", fixed(cluster::relative_validity(tree, r.labels))},
                           {"fit", duration(seconds)},
                           {"written", folder + files}};
  if (fresh.defined()) summary.insert(summary.begin() + 1, {"new rows", grouped(fresh.size(0))});
  std::fputs(aligned(summary, "ll").c_str(), stdout);
  if (cuts.empty()) return;
  std::vector<Row> told{{"min-cluster-size", "clusters", "noise", "validity"}};
  for (const Cut& c : cuts)
    told.push_back(
        {grouped(c.min_cluster_size), grouped(c.clusters), grouped(c.noise), fixed(c.validity)});
  std::printf("\n%s", aligned(told, "rrrr").c_str());
}

}  // namespace

void add_hdbscan(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("hdbscan", "clusters by density, noise left out, of a file's rows");
  auto o = std::make_shared<HdbscanCommand>();
  add_rows_options(*command, o->rows);
  auto number = [&](const char* name, auto& member, Numbers limit, const char* help) {
    auto* option = command->add_option(name, member, help)->check(validator(limit));
    return option->take_last()->type_name(limit.whole ? "N" : "X");
  };
  number("--min-cluster-size", o->fit.min_cluster_size, {.low = 2},
         "the fewest rows that are a cluster")
      ->capture_default_str();
  number("--min-samples", o->min_samples, {.low = 1},
         "neighbours that make a dense place [min-cluster-size]");
  command->add_option("--selection", o->selection, "eom: most excess of mass; leaf: the finest")
      ->check(validator(OneOf{{"eom", "leaf"}}))
      ->type_name("NAME")
      ->capture_default_str();
  number("--epsilon", o->fit.selection.epsilon, {.low = 0, .whole = false},
         "no split at a smaller distance")
      ->capture_default_str();
  number("--epsilon-max", o->fit.selection.epsilon_max, {.low = 0, .whole = false},
         "eom: clusters born at a larger distance are split [none]");
  number("--persistence", o->fit.persistence, {.low = 0, .whole = false},
         "undo splits that last for less than this density, 1 / distance, in either part")
      ->capture_default_str();
  number("--min-common", o->min_common, {.low = 1},
         "where values are missing: columns that two rows must share [a tenth, at least 2]");
  number("--max-cluster-size", o->fit.selection.max_cluster_size, {.low = 0},
         "eom: larger ones are split; 0: no limit")
      ->capture_default_str();
  command->add_flag("--allow-single-cluster", o->fit.selection.allow_single_cluster,
                    "one cluster may be all there is");
  command
      ->add_option("--sweep", o->sweep,
                   "also tell what these min-cluster-sizes would give, separated by commas")
      ->delimiter(',')
      ->check(validator(Numbers{.low = 2}))
      ->type_name("N,N,...");
  add_new_option(*command, o->rows, "new_labels.csv and .npy");
  command->add_flag("--no-report", o->no_report, "leave report.html out");
  command->add_flag("--json", o->json, "print the summary as JSON");
  command->footer(
      "Rows with missing values are compared over the columns that both have.\n"
      "The folder then holds report.html (the clusters and the condensed tree), labels.csv (row,\n"
      "cluster or -1, probability, outlier score), labels.npy, linkage.npy (as\n"
      "scipy.cluster.hierarchy draws it) and condensed.npy (parent, child, lambda, size).\n"
      "validity: the relative index of density based validation, -1 to 1.\n"
      "\nExamples:\n"
      "  clade hdbscan points.npy --min-cluster-size 50 --min-samples 10\n"
      "  clade hdbscan table.csv --label-column species --scale --sweep 5,10,20,50");
  command->callback([o, command] {
    o->rows.typed = typed_command(*command);
    run_hdbscan(*o);
  });
}

}  // namespace clade::apps

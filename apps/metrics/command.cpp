// clade metrics: how well two labellings agree.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/metrics/columns.h"
#include "apps/stopwatch.h"
#include "clustering/metrics/accuracy.h"
#include "clustering/metrics/information.h"
#include "clustering/metrics/pairs.h"

namespace clade::apps {
namespace {

struct MetricsOptions {
  std::string truth, predicted;
  bool json = false;
};

struct Metric {
  const char* key;
  const char* name;
  double value;
  const char* meaning;
};

std::vector<Metric> measure(const Tensor& truth, const Tensor& predicted) {
  using namespace cluster;
  const Contingency table = contingency("metrics", truth, predicted);
  const VMeasure v = v_measure(table);
  auto nmi = [&](Mean mean) { return normalized_mutual_information(table, mean); };
  std::vector<Metric> out{
      {"acc", "ACC", accuracy(table), "best one-to-one matching of clusters to classes"},
      {"nmi", "NMI", nmi(Mean::arithmetic), "arithmetic mean"},
      {"nmi_geometric", "NMI geometric", nmi(Mean::geometric), "as papers before 2019 have it"},
      {"nmi_min", "NMI min", nmi(Mean::min), "by the smaller entropy"},
      {"nmi_max", "NMI max", nmi(Mean::max), "by the larger entropy"},
      {"mutual_information", "mutual information", mutual_information(table), "in nats"},
      {"ari", "ARI", adjusted_rand(table), "agreement on pairs, 0 by chance"},
      {"ami", "AMI", adjusted_mutual_information(table), "NMI, 0 by chance"},
      {"homogeneity", "homogeneity", v.homogeneity, "1: each cluster holds one class"},
      {"completeness", "completeness", v.completeness, "1: each class lies in one cluster"},
      {"v_measure", "V-measure", v.v, "harmonic mean of the two"},
      {"fowlkes_mallows", "Fowlkes-Mallows", fowlkes_mallows(table), ""},
      {"rand", "Rand index", rand_index(table), "not corrected for chance"},
      {"purity", "purity", purity(table), "grows with the number of clusters"}};
  const auto noise = cluster::noise_accuracy(truth, predicted);
  if (noise.labelled_fraction < 1) {
    out.push_back({"labelled", "labelled", noise.labelled_fraction,
                   "share of points that are not noise (-1)"});
    out.push_back({"acc_strict", "ACC strict", noise.strict, "noise is always wrong"});
    out.push_back({"acc_noise_as_cluster", "ACC noise as cluster", noise.as_cluster,
                   "noise may win a class"});
    out.push_back({"acc_labelled", "ACC labelled", noise.labelled, "without the noise"});
  }
  return out;
}

// What is compared: the rows that have a label in both files.
struct Pairs {
  Tensor truth, predicted;
  int64_t left_out[3] = {};  // empty in the first file, in the second, in both
};

Pairs known_in_both(const Column& truth, const Column& predicted) {
  const auto t = truth.labels.to_vector<int32_t>(), p = predicted.labels.to_vector<int32_t>();
  std::vector<int32_t> known_t, known_p;
  Pairs pairs;
  for (size_t i = 0; i < t.size(); i++) {
    if (truth.known[i] && predicted.known[i])
      known_t.push_back(t[i]), known_p.push_back(p[i]);
    else
      pairs.left_out[truth.known[i] ? 1 : predicted.known[i] ? 0 : 2]++;
  }
  if (known_t.empty()) fail("metrics", "rows with a label in both files", "none");
  pairs.truth = Tensor::from(known_t, {int64_t(known_t.size())});
  pairs.predicted = Tensor::from(known_p, {int64_t(known_p.size())});
  return pairs;
}

int64_t noise_in(const Tensor& labels) {
  const auto all = labels.to_vector<int32_t>();
  return std::count_if(all.begin(), all.end(), [](int32_t label) { return label < 0; });
}

void run_metrics(const MetricsOptions& options) {
  const Column truth = read_labels(options.truth), predicted = read_labels(options.predicted);
  if (truth.labels.numel() != predicted.labels.numel())
    fail("metrics",
         text("as many labels in both (", truth.labels.numel(), " in ", options.truth, ")"),
         text(predicted.labels.numel(), " in ", options.predicted), "give labels of the same rows");
  const Pairs pairs = known_in_both(truth, predicted);
  Stopwatch watch;
  watch.start("metrics");
  const auto metrics = measure(pairs.truth, pairs.predicted);
  watch.stop();
  const auto& [no_truth, no_predicted, neither] = pairs.left_out;
  const int64_t noise[] = {noise_in(pairs.truth), noise_in(pairs.predicted)};
  if (options.json) {
    nlohmann::ordered_json out{
        {"truth", truth.name},           {"predicted", predicted.name},
        {"points", pairs.truth.numel()}, {"left_out", no_truth + no_predicted + neither},
        {"noise_in_truth", noise[0]},    {"noise_in_predicted", noise[1]}};
    for (const Metric& m : metrics) out[m.key] = m.value;
    out["seconds"] = watch.stages().front().seconds;  // of all of them
    std::printf("%s\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::vector<Row> rows{
      {"points", grouped(pairs.truth.numel()), truth.name + " and " + predicted.name}};
  auto row = [&](const char* name, int64_t count, const std::string& meaning) {
    if (count) rows.push_back({name, grouped(count), meaning});
  };
  row("left out", no_truth, "no label in " + truth.name);
  row("left out", no_predicted, "no label in " + predicted.name);
  row("left out", neither, "no label in either");
  row("noise", noise[0], "-1 in " + truth.name + ": one more class");
  row("noise", noise[1], "-1 in " + predicted.name + ": one more cluster");
  for (const Metric& m : metrics) rows.push_back({m.name, fixed(m.value, 4), m.meaning});
  std::fputs(aligned(rows, "lrl").c_str(), stdout);
}

}  // namespace

void add_metrics(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "metrics", "compare a clustering with known classes, or two clusterings");
  auto options = std::make_shared<MetricsOptions>();
  command
      ->add_option("truth", options->truth, "known classes: FILE or FILE:COLUMN, .npy or a table")
      ->required();
  command->add_option("predicted", options->predicted, "clusters, in the same form")->required();
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Rows with an empty cell in either file are left out, and their number is told. -1 is noise\n"
      "in either file: one more cluster. Of a run's labels.csv, COLUMN is gmm where none is named\n"
      "(hdbscan where GMM was not run).\n"
      "\nExamples:\n"
      "  clade metrics runs/a/labels.csv runs/b/labels.csv\n"
      "  clade metrics runs/digits/labels.csv:label runs/digits/labels.csv:hdbscan\n"
      "  clade metrics truth.npy predicted.npy --json");
  command->callback([options] { run_metrics(*options); });
}

}  // namespace clade::apps

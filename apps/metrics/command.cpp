// clade metrics: how well two labellings agree.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/metrics/columns.h"
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
  const auto v = cluster::v_measure(truth, predicted);
  std::vector<Metric> out{
      {"acc", "ACC", cluster::accuracy(truth, predicted),
       "best one-to-one matching of clusters to classes"},
      {"nmi", "NMI", cluster::normalized_mutual_information(truth, predicted), "arithmetic mean"},
      {"nmi_geometric", "NMI geometric",
       cluster::normalized_mutual_information(truth, predicted, cluster::Mean::geometric),
       "as papers before 2019 have it"},
      {"ari", "ARI", cluster::adjusted_rand(truth, predicted), "agreement on pairs, 0 by chance"},
      {"ami", "AMI", cluster::adjusted_mutual_information(truth, predicted), "NMI, 0 by chance"},
      {"homogeneity", "homogeneity", v.homogeneity, "1: each cluster holds one class"},
      {"completeness", "completeness", v.completeness, "1: each class lies in one cluster"},
      {"v_measure", "V-measure", v.v, "harmonic mean of the two"},
      {"fowlkes_mallows", "Fowlkes-Mallows", cluster::fowlkes_mallows(truth, predicted), ""},
      {"rand", "Rand index", cluster::rand_index(truth, predicted), "not corrected for chance"},
      {"purity", "purity", cluster::purity(truth, predicted), "grows with the number of clusters"}};
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

// Rows whose class is not known (negative) do not count.
void keep_known(Tensor& truth, Tensor& predicted) {
  const auto t = truth.to_vector<int32_t>(), p = predicted.to_vector<int32_t>();
  std::vector<int32_t> known_t, known_p;
  for (size_t i = 0; i < t.size(); i++)
    if (t[i] >= 0) known_t.push_back(t[i]), known_p.push_back(p[i]);
  if (known_t.empty()) fail("metrics", "rows with a known class", "none");
  truth = Tensor::from(known_t, {int64_t(known_t.size())});
  predicted = Tensor::from(known_p, {int64_t(known_p.size())});
}

void run_metrics(const MetricsOptions& options) {
  Tensor truth = read_labels(options.truth), predicted = read_labels(options.predicted);
  if (truth.numel() != predicted.numel())
    fail("metrics", text("as many labels in both (", truth.numel(), " in ", options.truth, ")"),
         text(predicted.numel(), " in ", options.predicted), "give labels of the same rows");
  keep_known(truth, predicted);
  const auto metrics = measure(truth, predicted);
  if (options.json) {
    nlohmann::ordered_json out{{"points", truth.numel()}};
    for (const Metric& m : metrics) out[m.key] = m.value;
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  std::vector<Row> rows{{"points", grouped(truth.numel()), ""}};
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
  command->add_option("predicted", options->predicted, "clusters, -1 for noise")->required();
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Examples:\n"
      "  clade metrics runs/digits/labels.csv:label runs/digits/labels.csv:hdbscan\n"
      "  clade metrics truth.npy predicted.npy --json");
  command->callback([options] { run_metrics(*options); });
}

}  // namespace clade::apps

// clade quality: how good a clustering or an embedding of rows is, without known classes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/metrics/columns.h"
#include "apps/rows/rows.h"
#include "apps/stopwatch.h"
#include "clustering/density/dbcv.h"
#include "clustering/metrics/preservation.h"
#include "clustering/metrics/separation.h"
#include "clustering/metrics/silhouette.h"
#include "clustering/metrics/trustworthiness.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

struct QualityOptions {
  RowsOptions rows;
  std::string labels, embedding;
  int64_t k = 5;
  bool dbcv = false, json = false;
};

struct Measured {
  const char *key, *meaning;
  double value, seconds;
};

// Rows that are in a cluster: noise (-1) and rows without a label are left out.
struct Clustered {
  Tensor rows, labels;
};

Clustered clustered(const Tensor& rows, const Column& column) {
  const int64_t n = rows.size(0), d = rows.size(1);
  if (column.labels.numel() != n)
    fail("quality", text("one label for each of the ", n, " rows"),
         text(column.labels.numel(), " in ", column.name));
  const std::vector<int32_t> label = column.labels.to_vector<int32_t>();
  std::vector<int32_t> kept;
  std::vector<int64_t> from;
  for (int64_t i = 0; i < n; i++)
    if (column.known[size_t(i)] && label[size_t(i)] >= 0)
      kept.push_back(label[size_t(i)]), from.push_back(i);
  const int64_t m = int64_t(kept.size());
  if (m == 0) fail("quality", "rows that are in a cluster", "none in " + column.name);
  if (m == n) return {rows, Tensor::from(kept, {n})};
  Tensor some = Tensor::empty({m, d}, rows.dtype());
  for (int64_t i = 0; i < m; i++)
    std::copy_n(rows.data<float>() + from[size_t(i)] * d, d, some.data<float>() + i * d);
  return {some, Tensor::from(kept, {m})};
}

void run_quality(const QualityOptions& o) {
  if (o.labels.empty() && o.embedding.empty())
    fail("quality", "--labels or --embedding", "neither", "say what is to be judged");
  if (o.dbcv && o.labels.empty()) fail("--dbcv", "--labels", "none", "say which clusters");
  const Tensor rows = load_rows(o.rows).values;
  std::vector<Measured> found;
  ProgressLine line(o.rows.quiet);
  auto measure = [&](const char* key, const char* meaning, auto&& compute) {
    Stopwatch watch;
    watch.start(key);
    const Interruptible asked;
    const double value = compute();
    watch.stop();
    found.push_back({key, meaning, value, watch.stages().front().seconds});
  };
  if (!o.labels.empty()) {
    const Clustered c = clustered(rows, read_labels(o.labels));
    measure("silhouette", "1: well apart, 0: between two clusters, -1: in the wrong one",
            [&] { return cluster::silhouette(c.rows, c.labels, line.progress()); });
    measure("davies_bouldin", "0: points beside their means; small is good",
            [&] { return cluster::davies_bouldin(c.rows, c.labels); });
    measure("calinski_harabasz", "spread between clusters over that within; large is good",
            [&] { return cluster::calinski_harabasz(c.rows, c.labels); });
    if (o.dbcv)
      measure("dbcv", "1: dense and well apart, -1: sparse; the share of noise lowers it", [&] {
        const double share = double(c.labels.numel()) / double(rows.size(0));
        return share * cluster::dbcv(c.rows, c.labels, line.progress()).index;
      });
  }
  if (!o.embedding.empty()) {
    const Tensor embedding = load_npy(o.embedding);
    measure("trustworthiness", "1: neighbours in the embedding are neighbours in the data",
            [&] { return cluster::trustworthiness(rows, embedding, o.k, line.progress()); });
    measure("continuity", "1: neighbours in the data are neighbours in the embedding",
            [&] { return cluster::continuity(rows, embedding, o.k, line.progress()); });
    measure("knn_recall", "share of the nearest neighbours that are kept",
            [&] { return cluster::knn_recall(rows, embedding, o.k, line.progress()); });
  }
  line.finish();
  if (o.json) {
    nlohmann::ordered_json out{{"rows", rows.size(0)}, {"columns", rows.size(1)}};
    for (const Measured& m : found) out[m.key] = m.value, out[text(m.key, "_seconds")] = m.seconds;
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  std::vector<Row> told;
  for (const Measured& m : found)
    told.push_back({m.key, fixed(m.value, 4), duration(m.seconds), m.meaning});
  std::fputs(aligned(told, "lrrl").c_str(), stdout);
}

}  // namespace

void add_quality(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "quality", "judge a clustering or an embedding of a file's rows without known classes");
  auto o = std::make_shared<QualityOptions>();
  add_rows_options(*command, o->rows);
  command->remove_option(command->get_option("--out"));
  command
      ->add_option("--labels", o->labels,
                   "clusters of the rows: FILE or FILE:COLUMN; gives the silhouette, "
                   "Davies-Bouldin and Calinski-Harabasz")
      ->type_name("FILE");
  command
      ->add_option("--embedding", o->embedding,
                   "places of the rows, .npy; gives trustworthiness, continuity and the share of "
                   "neighbours kept")
      ->type_name("FILE");
  command->add_option("-k,--neighbors", o->k, "neighbours that an embedding should keep")
      ->check(validator(Numbers{.low = 1}))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--dbcv", o->dbcv, "of --labels DBCV too, for clusters of any shape; slow");
  command->add_flag("--json", o->json, "print JSON");
  command->footer(
      "Noise (-1) and rows without a label do not count. All pairs of rows are looked at.\n"
      "\nExamples:\n"
      "  clade quality digits --labels runs/hdbscan-digits/labels.npy\n"
      "  clade quality digits --embedding runs/umap-digits/embedding.npy -k 15");
  command->callback([o] { run_quality(*o); });
}

}  // namespace clade::apps

// What `clade kmeans` and `clade gmm` share: rows in; labels, tables and a report out.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/cli/table.h"
#include "apps/report/report.h"
#include "apps/rows/labels.h"
#include "apps/rows/rows.h"
#include "apps/stopwatch.h"

namespace CLI {
class App;
}

namespace clade::apps {

struct PartitionOptions {
  RowsOptions rows;
  int64_t k = 8;
  int64_t n_init = 1, max_iter = 300;
  std::vector<int64_t> sweep;
  bool no_report = false, json = false;
};

// Declares them on a command; what: "clusters" or "components".
void add_partition_options(CLI::App& command, PartitionOptions& options, const std::string& what);

struct PartitionInput {
  Tensor rows;   // (n, d) f32, NaN where missing
  Tensor fresh;  // (m, d) f32, those of --new, or undefined
  data::Labels labels;
  bool holes = false;  // in `rows`
};
PartitionInput load_partition(const PartitionOptions& options);

// Asks `figures` for each number of --sweep, if any, and puts them on the lines of `curves`, one
// figure a line.
Sweep sweep_over(const PartitionOptions& options, Sweep curves,
                 const std::function<std::vector<double>(int64_t k)>& figures);

// The clusters of some rows, and further columns for labels.csv.
struct Labelled {
  Tensor labels;  // i32, -1 for rows without a cluster
  std::vector<Values> columns;
};

// A fitted clustering, to be written and told.
struct Partition {
  std::string command, name;       // "kmeans", "k-means"
  Labelled rows, fresh;            // of the input; fresh undefined without --new
  Tensor filled;                   // rows without holes: what the scatter shows
  std::vector<Row> told;           // name and value of what the summary says
  nlohmann::ordered_json figures;  // the same for --json
  std::string files;               // what lies in the folder beside labels.csv
  Sweep sweep;
  Stopwatch watch;  // its first stage is the fit
};

// Writes labels.csv and .npy, of new rows new_labels.csv and .npy and, unless --no-report,
// report.html; then prints the summary, as text or as JSON.
void finish_partition(const PartitionOptions& options, const PartitionInput& input,
                      const Partition& partition, const std::string& folder);

}  // namespace clade::apps

// clade assign: rows that a run has not seen, given to its clusters.
//
// They go through the run's own preparation (model.safetensors keeps it), its network and its
// clusters. A row's answer depends on the row alone, whatever comes with it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cluster/representation.h"
#include "apps/commands.h"
#include "apps/load.h"
#include "tensor/file.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

struct AssignOptions {
  std::string run, data;
  std::optional<std::string> out, data_dir;
  std::optional<int64_t> threads;
  bool quiet = false;
};

struct Columns {
  std::optional<std::string> label, drop;
};

// Which columns the run took for labels, and which it left out.
Columns columns_of(const std::string& run) {
  const auto json = nlohmann::json::parse(read_file(run + "/run.json"), nullptr, false);
  if (json.is_discarded() || !json.contains("options"))
    fail("assign", text("the run.json of a finished run in ", run), "something else");
  Columns c;
  const auto& options = json["options"];
  auto word = [&](const char* key) -> std::optional<std::string> {
    if (!options.contains(key) || !options[key].is_string()) return std::nullopt;
    return options[key].get<std::string>();
  };
  c.label = word("label_column"), c.drop = word("drop_columns");
  return c;
}

std::vector<std::string> lines_of(const std::string& joined) {
  std::vector<std::string> out;
  std::istringstream lines(joined);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

data::Dataset new_rows(const AssignOptions& o, const TrainedSystem& trained) {
  const Columns columns = columns_of(o.run);
  LoadRequest request{o.data, o.data_dir, columns.label, columns.drop, {}};
  request.values = trained.blueprint.sample.numel();
  data::Dataset rows = load_data(request).data;
  require_same_columns("assign", lines_of(trained.columns), rows, o.data);
  return rows;
}

std::string labels_csv(const std::string& name, const Tensor& labels) {
  std::string out = "row," + name + "\n";
  int64_t row = 0;
  for (int32_t label : labels.to_vector<int32_t>()) out.append(text(row++, ",", label, "\n"));
  return out;
}

void run_assign(const AssignOptions& o) {
  if (o.threads) set_threads(int(*o.threads));
  TrainedSystem trained = load_system(o.run + "/model.safetensors");
  const data::Dataset loaded = new_rows(o, trained);
  const bool table = trained.blueprint.sample.rank() == 1;
  if (table == loaded.is_images())
    fail("assign", table ? "a table, as the run had" : "images, as the run had",
         text(loaded.values), "take data of the same kind");
  if (table && loaded.values.size(1) != trained.blueprint.sample[0])
    fail("assign", text("rows of ", trained.blueprint.sample[0], " values, as the run had"),
         text(loaded.values.size(1), " in ", o.data));
  const data::Dataset rows = prepare(loaded, trained.preparation);
  if (!(rows.values.shape().without(0) == trained.blueprint.sample))
    fail("assign", text("rows of the run's shape, ", trained.blueprint.sample),
         text(rows.values.shape().without(0), " in ", o.data));

  ProgressLine line(o.quiet || !o.out);
  Tensor labels;
  {
    const Interruptible asked;
    labels = trained.system->assign({rows.values, rows.mask}, line.progress());
  }
  line.finish();
  if (!labels.defined())
    fail("assign", "a model with clusters of its own", trained.info->name,
         "take a run of ae-kmeans, dec, n2d, ...: clade systems");
  const std::string csv = labels_csv(trained.info->name, labels);
  if (!o.out) {
    std::fputs(csv.c_str(), stdout);
    return;
  }
  write_file_atomically(*o.out, csv);
  if (!o.quiet)
    std::printf("%lld rows of %s in %lld clusters of %s: %s\n", static_cast<long long>(rows.size()),
                o.data.c_str(), static_cast<long long>(trained.blueprint.clusters), o.run.c_str(),
                o.out->c_str());
}

}  // namespace

void add_assign(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("assign", "the clusters of new rows, by the model of a run");
  auto o = std::make_shared<AssignOptions>();
  command->add_option("run", o->run, "the folder of a run of `clade cluster`")->required();
  command->add_option("data", o->data, "new rows: a file, a folder of pictures or a name")
      ->required();
  command->add_option("--out", o->out, "write a CSV there [standard output]")->type_name("FILE");
  command->add_option("--data-dir", o->data_dir, "where to look for data sets first")
      ->type_name("DIR");
  command->add_option("--threads", o->threads, "[all cores]")
      ->check(validator(Numbers{.low = 1, .high = double(kMostThreads)}))
      ->type_name("N");
  command->add_flag("--quiet", o->quiet, "no progress, no summary");
  command->footer(
      "Examples:\n"
      "  clade assign runs/my my_new.csv\n"
      "  clade assign runs/digits pictures/ --out new.csv\n"
      "\nThe rows go through what the run's rows went through. A table may have the run's label\n"
      "column or not.");
  command->callback([o] { run_assign(*o); });
}

}  // namespace clade::apps

#include "apps/cluster/run.h"

#include <cstdio>

#include "apps/cli/progress_line.h"
#include "apps/cluster/outcome.h"
#include "apps/cluster/prepare.h"
#include "apps/cluster/run_folder.h"
#include "apps/cluster/summary.h"
#include "apps/load.h"
#include "tensor/parallel.h"
#include "tensor/profiler.h"

namespace clade::apps {
namespace {

constexpr int64_t kSamples = 14;  // images shown large in the report

data::Dataset load(const ClusterOptions& o) {
  data::Dataset d = load_data({o.data, o.data_dir, o.label_column, o.drop_columns, o.limit});
  if (d.size() < 3)
    fail("cluster", "at least 3 rows", text(d.size(), " in ", o.data), "take more data");
  return d;
}

std::vector<int64_t> pick_samples(int64_t n, const Random& rng) {
  Random own = rng.fork("samples");
  auto rows = permutation(n, own).to_vector<int64_t>();
  rows.resize(size_t(std::min(n, kSamples)));
  return rows;
}

Outcome run(const ClusterOptions& given, ProgressLine& line) {
  const Random rng(static_cast<uint64_t>(given.seed));
  Stopwatch watch;
  Outcome o;
  o.given = given;

  watch.start("load");
  data::Dataset loaded = load(given);

  watch.start("prepare");
  data::Dataset prepared = prepare(loaded);
  loaded = {};
  o.complete = prepared.values;
  o.seen = hide(prepared, given.missing, rng);
  o.used = with_recipe(given, o.seen);
  o.sample_rows = pick_samples(o.seen.size(), rng);
  make_folder(*o.used.out);

  o.representation = represent(o.seen, o.used, o.sample_rows,
                               *o.used.out + "/checkpoint.safetensors", watch, line.progress());
  const int64_t classes = o.seen.labels.defined() ? o.seen.labels.classes() : 0;
  o.clusterings = cluster_latent(o.representation.latent, o.used, classes, watch, line.progress());
  watch.start("metrics");
  o.methods = score(o.clusterings, o.seen.labels);
  watch.stop();
  o.times = watch.stages();
  o.scaled_down = scaled_down(o.given, o.used, o.seen);
  return o;
}

void tell_how_to_resume(const ClusterOptions& options) {
  std::fprintf(stderr, "clade: stopped; to go on: %s --resume\n", command_line(options).c_str());
}

}  // namespace

void run_cluster(const ClusterOptions& options) {
  if (options.threads) set_threads(int(*options.threads));
  if (options.profile) profiler::start();
  ProgressLine line(options.quiet);
  Outcome outcome;
  try {
    outcome = run(options, line);
  } catch (const Cancelled&) {
    line.finish();
    tell_how_to_resume(options);
    throw;
  }
  line.finish();
  write_run_folder(*outcome.used.out, outcome);
  if (options.profile) {
    profiler::stop();
    profiler::write_trace(*options.profile);
    if (!options.quiet) std::fputs(profiler::table().c_str(), stdout);
  }
  if (!options.quiet) std::fputs(summary(outcome).c_str(), stdout);
}

}  // namespace clade::apps

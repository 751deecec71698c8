#include "apps/cluster/run.h"

#include <cstdio>
#include <filesystem>

#include "apps/cli/interrupt.h"
#include "apps/cli/progress_line.h"
#include "apps/cluster/outcome.h"
#include "apps/cluster/prepare.h"
#include "apps/cluster/run_folder.h"
#include "apps/cluster/summary.h"
#include "apps/load.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

constexpr int64_t kSamples = 14;  // images shown large in the report

Loaded load(const ClusterOptions& o) {
  Loaded l = load_data({o.data, o.data_dir, o.label_column, o.drop_columns, o.limit});
  if (l.data.size() < 3)
    fail("cluster", "at least 3 rows", text(l.data.size(), " in ", o.data), "take more data");
  return l;
}

void say(const ClusterOptions& options, const std::string& note) {
  if (!options.quiet) std::fprintf(stderr, "clade: %s\n", note.c_str());
}
void tell(const ClusterOptions& options, std::vector<std::string>& notes, const std::string& note) {
  say(options, note);
  notes.push_back(note);
}

// What a folder that was used before means for this run.
void begin_in_folder(const ClusterOptions& o) {
  const std::string& folder = *o.out;
  make_folder(folder);
  std::error_code ignored;
  const bool checkpoint = std::filesystem::exists(checkpoint_file(folder), ignored);
  const bool finished = std::filesystem::exists(folder + "/run.json", ignored);
  if (o.resume) {
    if (!models::find_system(*o.model))
      say(o,
          text("--resume: --model ", *o.model, " has no training to go on with; it begins anew"));
    else if (!checkpoint)
      say(o, text("--resume: no checkpoint in ", folder, "; training begins anew"));
    else
      return;  // the outputs of a finished run stay until this one replaces them
  } else if (checkpoint && !finished) {
    say(o, text(folder,
                " holds a run that was stopped; this one begins anew and replaces it (to go "
                "on with that one instead: --resume)"));
  }
  clear_folder(folder);
}

std::vector<int64_t> pick_samples(int64_t n, const Random& rng) {
  Random own = rng.fork("samples");
  auto rows = permutation(n, own).to_vector<int64_t>();
  rows.resize(size_t(std::min(n, kSamples)));
  return rows;
}

void tell_how_to_resume(const Outcome& o) {
  std::error_code ignored;
  const bool checkpoint = models::find_system(*o.used.model) &&
                          std::filesystem::exists(checkpoint_file(*o.used.out), ignored);
  if (checkpoint)
    std::fprintf(stderr, "clade: stopped; to go on: %s --resume\n", command_line(o.given).c_str());
  else
    std::fputs("clade: stopped; there is no checkpoint yet to go on from\n", stderr);
}

Outcome run(const ClusterOptions& given, ProgressLine& line) {
  require_device(device_named(given.device));
  const Random rng(static_cast<uint64_t>(given.seed));
  Stopwatch watch;
  Outcome o;
  o.given = given;

  watch.start("load");
  Loaded loaded = load(given);

  watch.start("prepare");
  const models::SystemInfo* system = given.model ? models::find_system(*given.model) : nullptr;
  const Preparation preparation =
      learn_preparation(loaded.data, !system || system->power_of_two_images, o.notes);
  data::Dataset prepared = prepare(loaded.data, preparation);
  loaded.data = {};
  for (const std::string& note : o.notes) say(given, note);
  o.complete = prepared.values;
  o.seen = hide(prepared, given.missing, rng);
  o.used = with_recipe(given, o.seen);
  if (system && o.seen.mask.defined() && !system->uses_mask)
    tell(given, o.notes,
         text("missing values are 0 to ", system->name,
              o.seen.is_images() ? ", which is background" : ", which is the mean of the column"));
  o.sample_rows = pick_samples(o.seen.size(), rng);
  begin_in_folder(o.used);

  try {
    const Interruptible asked;
    o.representation = represent(o.seen, o.used, preparation, o.sample_rows,
                                 checkpoint_file(*o.used.out), watch, line.progress());
    const int64_t classes = o.seen.labels.defined() ? o.seen.labels.classes() : 0;
    o.clusterings =
        cluster_latent(o.representation.latent, o.used, classes, watch, line.progress());
    if (interrupted()) throw Cancelled("cluster");
  } catch (const Cancelled&) {
    line.finish();
    tell_how_to_resume(o);
    throw;
  }
  watch.start("metrics");
  o.methods = score(o.clusterings, *o.used.model, o.representation.own, o.seen.labels);
  watch.stop();
  o.times = watch.stages();
  o.scaled_down = scaled_down(o.given, o.used, o.seen, loaded.rows_in_all);
  return o;
}

}  // namespace

void run_cluster(const ClusterOptions& options) {
  require_methods(options);
  if (options.threads) set_threads(int(*options.threads));
  ProgressLine line(options.quiet);
  const Outcome outcome = run(options, line);
  line.finish();
  write_run_folder(*outcome.used.out, outcome);
  if (!options.quiet) std::fputs(summary(outcome).c_str(), stdout);
}

}  // namespace clade::apps

// clade kmeans: the rows of a file in k groups about their means.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/typed.h"
#include "apps/commands.h"
#include "apps/partition/partition.h"
#include "apps/stopwatch.h"
#include "clustering/centroid/kmeans.h"
#include "clustering/centroid/kpod.h"
#include "clustering/centroid/mini_batch.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

using Init = cluster::KMeansOptions::Init;

struct KMeansCommand {
  PartitionOptions common;
  std::string init = "k-means++";
  std::optional<std::string> centres, weights;
  std::optional<double> tol;
  int64_t batch = 0;
};

struct Fitted {
  cluster::KMeans model;
  Tensor filled;  // the rows, or with holes filled
};

Init init_of(const std::string& name) {
  if (name == "random") return Init::random;
  return name == "k-means||" ? Init::parallel : Init::plus_plus;
}

Fitted fit(const KMeansCommand& c, const PartitionInput& input, int64_t k,
           const Progress& progress) {
  const PartitionOptions& o = c.common;
  const Init init = c.centres ? Init::given : init_of(c.init);
  const Tensor given = c.centres ? load_npy(*c.centres) : Tensor();
  const Tensor weights = c.weights ? load_npy(*c.weights) : Tensor();
  const auto seed = uint64_t(o.rows.seed);
  if (input.holes) {
    const cluster::KPodOptions pod{k, init, given, int(o.n_init), int(o.max_iter), seed};
    const cluster::KPod found = cluster::kpod(input.rows, pod, weights, progress);
    return {{found.centres, found.labels, found.inertia, found.iterations, found.converged},
            fill_holes(found, input.rows)};
  }
  if (c.batch > 0) {
    cluster::MiniBatchOptions small;
    small.k = k;
    small.batch = c.batch;
    small.max_iter = int(o.max_iter);
    small.init = init;
    small.centres = given;
    small.seed = seed;
    small.tol = c.tol.value_or(small.tol);
    return {cluster::mini_batch_kmeans(input.rows, small, weights, progress), input.rows};
  }
  const cluster::KMeansOptions all{
      k, init, given, int(o.n_init), int(o.max_iter), c.tol.value_or(1e-4), seed};
  return {cluster::kmeans(input.rows, all, weights, progress), input.rows};
}

// The clusters of new rows, with holes or without.
Tensor nearest(const cluster::KMeans& model, const Tensor& rows) {
  if (!has_holes(rows)) return cluster::predict(model, rows);
  cluster::KPod partial;
  partial.centres = model.centres;
  return cluster::predict(partial, rows);
}

void check(const KMeansCommand& c, const PartitionInput& input) {
  if (c.batch > 0 && input.holes)
    fail("--mini-batch", "rows without missing values", "some are missing", "leave it out");
  if (c.batch > 0 && c.common.n_init != 1)
    fail("--n-init", "1 beside --mini-batch, which makes one start", text(c.common.n_init),
         "leave one out");
  if (c.tol && input.holes)
    fail("--tol", "rows without missing values", "some are missing",
         "leave it out: k-POD ends when no label changes");
  if (c.centres && !c.common.sweep.empty())
    fail("--sweep", "starts that fit any number of clusters", "--centres", "leave one out");
}

// The elbow: inertia over the number of clusters.
Sweep elbow(const KMeansCommand& c, const PartitionInput& input, const Progress& progress) {
  return sweep_over(
      c.common,
      {"Numbers of clusters",
       "The inertia always falls with more clusters; where the curve bends, more of them stop "
       "paying.",
       "clusters",
       {},
       {{"inertia", {}}}},
      [&](int64_t k) { return std::vector{fit(c, input, k, progress).model.inertia}; });
}

void run_kmeans(const KMeansCommand& c) {
  const PartitionOptions& o = c.common;
  const PartitionInput input = load_partition(o);
  check(c, input);
  const std::string folder = output_folder(o.rows, "kmeans");
  ProgressLine line(o.rows.quiet);
  Partition p;
  Fitted found;
  {
    const Interruptible asked;
    p.watch.start("fit");
    found = fit(c, input, o.k, line.progress());
    p.watch.start("sweep");
    p.sweep = elbow(c, input, line.progress());
  }
  p.watch.stop();
  line.finish();
  const cluster::KMeans& m = found.model;
  save_npy(folder + "/centres.npy", m.centres);

  std::vector<int64_t> sizes(size_t(o.k), 0);
  int64_t without = 0;
  for (int32_t label : m.labels.to_vector<int32_t>())
    if (label >= 0)
      sizes[size_t(label)]++;
    else
      without++;
  const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
  p.command = "kmeans", p.name = input.holes ? "k-POD" : "k-means";
  p.rows.labels = m.labels, p.filled = found.filled;
  if (input.fresh.defined()) p.fresh.labels = nearest(m, input.fresh);
  p.told = {{"clusters", grouped(o.k)},
            {"rows of a cluster", grouped(*least) + " to " + grouped(*most)},
            {"inertia", text(m.inertia)},
            {"iterations", text(m.iterations, m.converged ? "" : ", not converged")}};
  if (without) p.told.push_back({"rows without a value", grouped(without)});
  p.figures = {{"clusters", o.k},
               {"inertia", m.inertia},
               {"iterations", m.iterations},
               {"converged", m.converged}};
  p.files = "labels.npy, centres.npy";
  finish_partition(o, input, p, folder);
}

}  // namespace

void add_kmeans(CLI::App& program) {
  CLI::App* command = program.add_subcommand("kmeans", "k groups of a file's rows, about means");
  auto c = std::make_shared<KMeansCommand>();
  add_partition_options(*command, c->common, "clusters");
  command
      ->add_option(
          "--init", c->init,
          "first centres: k-means++, k-means|| (faster for hundreds of clusters) or random")
      ->check(validator(OneOf{{"k-means++", "k-means||", "random"}}))
      ->type_name("NAME")
      ->capture_default_str()
      ->take_last();
  command->add_option("--centres", c->centres, "first centres (k, columns), a .npy of f32 or f64")
      ->type_name("FILE")
      ->excludes(command->get_option("--init"))
      ->take_last();
  command->add_option("--weights", c->weights, "of the rows (n), >= 0, a .npy of f32 or f64")
      ->type_name("FILE")
      ->take_last();
  command
      ->add_option("--tol", c->tol,
                   "stop when the squared shifts of the centres add up to this times the mean "
                   "variance [0.0001; of mini batches 0: not for that]")
      ->check(validator(Numbers{.low = 0, .whole = false}))
      ->type_name("X")
      ->take_last();
  command
      ->add_option("--mini-batch", c->batch,
                   "learn from batches of N rows: for very many rows, a little worse [all rows]")
      ->check(validator(Numbers{.low = 1, .high = 1e9}))
      ->type_name("N")
      ->take_last();
  command->footer(
      "The folder then holds labels.csv (row, cluster), labels.npy, centres.npy and report.html "
      "with a\n"
      "picture. Missing values: only what was observed counts (k-POD); a row of nothing but holes "
      "gets -1.\n"
      "\nExamples:\n"
      "  clade kmeans fashion-mnist -k 10 --n-init 10\n"
      "  clade kmeans table.csv --label-column species --scale -k 3 --sweep 1,2,3,4,5,6,8,10");
  command->callback([c, command] {
    c->common.rows.typed = typed_command(*command);
    run_kmeans(*c);
  });
}

}  // namespace clade::apps

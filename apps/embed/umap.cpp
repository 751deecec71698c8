// clade umap: UMAP on the command line.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/cli/typed.h"
#include "apps/commands.h"
#include "apps/embed/embed.h"
#include "clustering/manifold/umap.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

struct UmapCommand {
  EmbedOptions embed;
  cluster::UmapOptions umap;
  std::string init = "spectral", metric = "euclidean";
  std::optional<std::string> neighbors, layout;
  bool supervised = false;
};

Embedded make_umap(const void* context, const Tensor& rows, const data::Labels& classes,
                   const Progress& progress) {
  const UmapCommand& c = *static_cast<const UmapCommand*>(context);
  cluster::UmapOptions o = c.umap;
  o.seed = uint64_t(c.embed.rows.seed);
  for (auto init : {cluster::UmapInit::spectral, cluster::UmapInit::pca, cluster::UmapInit::random})
    if (c.init == name_of(init)) o.init = init;
  for (auto metric : {cluster::UmapMetric::cosine, cluster::UmapMetric::correlation})
    if (c.metric == name_of(metric)) o.metric = metric;
  if (c.supervised) {
    if (!classes.defined())
      fail("umap", "data with classes for --supervised", c.embed.rows.load.name_or_path,
           "name their column by --label-column");
    o.labels = classes.ids();
  }
  if (c.neighbors)
    o.neighbors = {load_npy(*c.neighbors + "/index.npy"), load_npy(*c.neighbors + "/distance.npy")};
  if (c.layout)
    o.init = cluster::UmapInit::given,
    o.initial = load_layout(*c.layout, rows.size(0), o.n_components);
  const cluster::UmapResult result = cluster::umap(rows, o, progress);
  return {.table = result.embedding, .place = [result](const Tensor& fresh, const Progress& asked) {
            return transform(result, fresh, asked);
          }};
}

}  // namespace

void add_umap(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("umap", "a picture of the data, or fewer dimensions, by UMAP");
  auto c = std::make_shared<UmapCommand>();
  cluster::UmapOptions& o = c->umap;
  add_embed_options(*command, c->embed);
  add_number(*command, "--n-neighbors", o.n_neighbors, 0,
             "neighbours of a point; 0: a 300th of the rows, at least 100");
  command
      ->add_option("--neighbors-from", c->neighbors,
                   "a folder of `clade knn --self`, of the same metric: these neighbours")
      ->type_name("DIR")
      ->excludes(command->get_option("--n-neighbors"))
      ->take_last();
  add_number(*command, "--n-components", o.n_components, 1, "dimensions of the result");
  add_number(*command, "--min-dist", o.min_dist, 0, 1e9, "how tightly points may be packed");
  add_number(*command, "--spread", o.spread, 0, 1e9, "the scale of the result, >= min-dist");
  add_word(*command, "--metric", c->metric, "euclidean cosine correlation",
           "how rows are compared");
  add_first_layout(*command, c->init, "spectral pca random", c->layout);
  add_number(*command, "--epochs", o.n_epochs, 0, "0: 500 up to 10,000 rows, 200 above");
  add_number(*command, "--learning-rate", o.learning_rate, 0, 1e9, "of the first epoch");
  add_number(*command, "--negative-sample-rate", o.negative_sample_rate, 0,
             "repulsions for each attraction");
  add_number(*command, "--repulsion-strength", o.repulsion_strength, 0, 1e9, "their weight");
  add_number(*command, "--set-op-mix-ratio", o.set_op_mix_ratio, 0, 1,
             "1: union of a pair's two edges, 0: intersection");
  add_number(*command, "--local-connectivity", o.local_connectivity, 0, 1e9,
             "nearest neighbours that belong fully");
  command->add_flag("--densmap", o.densmap, "keep dense regions dense (densMAP)");
  command->add_flag("--supervised", c->supervised, "draw the known classes together");
  add_number(*command, "--target-weight", o.target_weight, 0, 1, "how much the classes count");
  command->footer(
      "The folder then holds embedding.npy (rows, dimensions) f32 and report.html with a picture.\n"
      "\nExamples:\n"
      "  clade umap digits --csv\n"
      "  clade umap codes.npy --n-components 10 --min-dist 0 --out flat\n"
      "  clade umap iris.csv --label-column species --scale\n"
      "  clade knn digits -k 15 --self --out near; clade umap digits --neighbors-from near");
  command->callback([c, command] {
    c->embed.rows.typed = typed_command(*command);
    run_embed("umap", "UMAP", c->embed, make_umap, c.get());
  });
}

}  // namespace clade::apps

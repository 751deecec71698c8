// clade pca: principal components on the command line.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/cli/typed.h"
#include "apps/commands.h"
#include "apps/embed/embed.h"
#include "clustering/manifold/pca.h"

namespace clade::apps {
namespace {

struct PcaCommand {
  EmbedOptions embed;
  int64_t components = 2;
  bool whiten = false;
};

Embedded make_pca(const void* context, const Tensor& rows, const data::Labels&,
                  const Progress& progress) {
  const PcaCommand& c = *static_cast<const PcaCommand*>(context);
  const cluster::PcaOptions o{
      .components = c.components, .whiten = c.whiten, .seed = uint64_t(c.embed.rows.seed)};
  const cluster::Pca pca = cluster::fit_pca(rows, o, progress);
  Curve share{"its share", {}}, together{"together", {}};
  Sweep scree{"Scree plot",
              "The share of the variance that each component explains, and that of all up to it.",
              "component",
              {},
              {}};
  double kept = 0;
  for (double s : pca.variance_ratio.to_vector<double>()) {
    kept += s;
    share.values.push_back(s), together.values.push_back(kept);
    scree.at.push_back(int64_t(scree.at.size()) + 1);
  }
  scree.lines = {together, share};
  return {transform(pca, rows), "variance kept", kept, scree,
          [pca](const Tensor& fresh, const Progress&) { return transform(pca, fresh); }};
}

}  // namespace

void add_pca(CLI::App& program) {
  CLI::App* command = program.add_subcommand("pca", "fewer dimensions by principal components");
  auto c = std::make_shared<PcaCommand>();
  add_embed_options(*command, c->embed);
  add_number(*command, "--n-components", c->components, 0, "dimensions of the result; 0: all");
  command->add_flag("--whiten", c->whiten, "scores of deviation 1");
  command->footer(
      "The folder then holds embedding.npy (rows, dimensions) f32 and report.html with a picture "
      "and\n"
      "the scree plot.\n"
      "\nExamples:\n"
      "  clade pca fashion-mnist --n-components 50\n"
      "  clade pca iris.csv --label-column species --scale --csv");
  command->callback([c, command] {
    c->embed.rows.typed = typed_command(*command);
    run_embed("pca", "PCA", c->embed, make_pca, c.get());
  });
}

}  // namespace clade::apps

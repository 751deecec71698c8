// clade pca: principal components on the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "apps/cli/table.h"
#include "apps/commands.h"
#include "apps/embed/embed.h"
#include "clustering/manifold/pca.h"

namespace clade::apps {
namespace {

struct PcaCommand {
  EmbedOptions embed{.out = "pca.npy"};
  int64_t components = 2;
  bool whiten = false;
};

Tensor make_pca(const PcaCommand& c, const EmbedInput& input, const Progress& progress) {
  cluster::PcaOptions o{.components = c.components, .whiten = c.whiten};
  const cluster::Pca pca = cluster::fit_pca(input.rows, o, progress);
  if (!c.embed.quiet) {
    double kept = 0;
    for (double share : pca.variance_ratio.to_vector<double>()) kept += share;
    std::printf("%s of the variance kept\n", percent(kept).c_str());
  }
  return transform(pca, input.rows);
}

}  // namespace

void add_pca(CLI::App& program) {
  CLI::App* command = program.add_subcommand("pca", "fewer dimensions by principal components");
  auto c = std::make_shared<PcaCommand>();
  add_embed_options(*command, c->embed);
  add_number(*command, "--n-components", c->components, 0, "dimensions of the result; 0: all");
  command->add_flag("--whiten", c->whiten, "scores of deviation 1");
  command->footer(
      "Examples:\n"
      "  clade pca fashion-mnist --n-components 50 --out fashion50.npy\n"
      "  clade pca iris.csv --label-column species --standardise --out iris.csv");
  command->callback([c] {
    run_embed("pca", c->embed, "pc", [&](const EmbedInput& input, const Progress& progress) {
      return make_pca(*c, input, progress);
    });
  });
}

}  // namespace clade::apps

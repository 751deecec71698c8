// clade tsne: t-SNE on the command line.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/cli/typed.h"
#include "apps/commands.h"
#include "apps/embed/embed.h"
#include "clustering/manifold/tsne.h"

namespace clade::apps {
namespace {

struct TsneCommand {
  EmbedOptions embed;
  cluster::TsneOptions tsne;
  std::string init = "pca", method = "auto";
  std::optional<std::string> layout;
};

Embedded make_tsne(const void* context, const Tensor& rows, const data::Labels&,
                   const Progress& progress) {
  const TsneCommand& c = *static_cast<const TsneCommand*>(context);
  cluster::TsneOptions o = c.tsne;
  o.seed = uint64_t(c.embed.rows.seed);
  if (c.init == name_of(cluster::TsneInit::random)) o.init = cluster::TsneInit::random;
  if (c.layout)
    o.init = cluster::TsneInit::given,
    o.initial = load_layout(*c.layout, rows.size(0), o.n_components);
  for (auto method :
       {cluster::TsneMethod::exact, cluster::TsneMethod::barnes_hut, cluster::TsneMethod::fft})
    if (c.method == name_of(method)) o.method = method;
  const cluster::TsneResult result = cluster::tsne(rows, o, progress);
  return {result.embedding,
          "divergence",
          result.divergence,
          {},
          [result](const Tensor& fresh, const Progress& asked) {
            return transform(result, fresh, asked);
          }};
}

}  // namespace

void add_tsne(CLI::App& program) {
  CLI::App* command = program.add_subcommand("tsne", "a picture of the data by t-SNE");
  auto c = std::make_shared<TsneCommand>();
  cluster::TsneOptions& o = c->tsne;
  add_embed_options(*command, c->embed);
  add_number(*command, "--perplexity", o.perplexity, 1, 1e9, "about the neighbours that count");
  add_number(*command, "--n-components", o.n_components, 1, "dimensions of the result");
  add_word(*command, "--method", c->method, "auto exact barnes-hut fft", "how repulsion is summed");
  add_first_layout(*command, c->init, "pca random", c->layout);
  add_number(*command, "--early-exaggeration", o.early_exaggeration, 1, 1e9,
             "attraction of the early steps");
  add_number(*command, "--exaggeration", o.exaggeration, 1, 1e9, "attraction of the others");
  add_number(*command, "--early-steps", o.early_steps, 0, "with early exaggeration");
  add_number(*command, "--steps", o.steps, 0, "after them");
  add_number(*command, "--learning-rate", o.learning_rate, 0, 1e9, "0: rows / exaggeration");
  add_number(*command, "--angle", o.angle, 0.01, 1, "of barnes-hut; smaller is nearer to exact");
  command->footer(
      "The folder then holds embedding.npy (rows, dimensions) f32 and report.html with a picture.\n"
      "\nExamples:\n"
      "  clade tsne digits --csv\n"
      "  clade tsne codes.npy --perplexity 50 --out picture");
  command->callback([c, command] {
    c->embed.rows.typed = typed_command(*command);
    run_embed("tsne", "t-SNE", c->embed, make_tsne, c.get());
  });
}

}  // namespace clade::apps

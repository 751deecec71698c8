// clade cluster: its options on the command line.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/cli/limits.h"
#include "apps/cluster/options.h"
#include "apps/cluster/run.h"
#include "apps/commands.h"

namespace clade::apps {
namespace {

template <class T>
constexpr bool is_whole(const T&) {
  return std::is_same_v<T, int64_t> || std::is_same_v<T, std::optional<int64_t>>;
}

// Declares each option as visit() comes by; a default that is a value is shown in the help.
struct Declare {
  CLI::App& command;

  template <class T, class Kind>
  void operator()(const char* name, T& member, const Kind& kind, const char* help) const {
    const bool k = std::string(name) == "--clusters";  // --k is its short name
    CLI::Option* option = command.add_option(k ? "--clusters,--k" : name, member, help);
    limit(*option, kind, is_whole(member));
    if constexpr (!requires { member.has_value(); }) option->capture_default_str();
    option->take_last();  // given twice, as scripts do to override: the last one counts
  }
  static void limit(CLI::Option& option, AtLeast kind, bool whole) {
    limit(option, Numbers{.low = kind.low, .whole = whole});
  }
  static void limit(CLI::Option& option, Above kind, bool whole) {
    limit(option, Numbers{.low = kind.low, .whole = whole, .open = true});
  }
  static void limit(CLI::Option& option, Between kind, bool whole) {
    limit(option, Numbers{.low = kind.low, .high = kind.high, .whole = whole});
  }
  static void limit(CLI::Option& option, const Numbers& numbers) {
    option.check(validator(numbers))->type_name(numbers.whole ? "N" : "X");
  }
  static void limit(CLI::Option& option, Words kind, bool) {
    std::istringstream words(kind.list);
    option.check(validator(OneOf{{std::istream_iterator<std::string>(words), {}}}));
    option.type_name("NAME")->description(text(kind.list, ": ", option.get_description()));
  }
  static void limit(CLI::Option& option, Anything kind, bool) { option.type_name(kind.kind); }
};

}  // namespace

void add_cluster(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "cluster",
      "find clusters: model, UMAP, then HDBSCAN, GMM and k-means; leaves a folder with a report");
  auto options = std::make_shared<ClusterOptions>();
  command
      ->add_option("data", options->data,
                   "a name from `clade datasets`, or a file (.csv .npy .idx .jf ...), or a folder "
                   "of pictures")
      ->required();
  visit(*options, Declare{*command});
  command->add_flag("--resume", options->resume, "go on where this run was stopped");
  command->add_flag("--quiet", options->quiet, "no progress, no summary");
  command->footer(
      "Examples:\n"
      "  clade cluster digits\n"
      "  clade cluster fashion-mnist --missing patches --model masked-vae --out runs/demo\n"
      "  clade cluster mnist --limit 5000 --model pca --seed 7\n"
      "  clade cluster iris.csv --label-column species --min-cluster-size 10\n"
      "  clade cluster my.csv --model dec --k 8\n"
      "\nThe folder then holds report.html, run.json, labels.csv, embedding.npy, latent.npy and\n"
      "model.safetensors. Ctrl-C stops at the next step; --resume goes on.");
  command->callback([options] { run_cluster(*options); });
}

}  // namespace clade::apps

// clade: the command line.
//
// Exit codes: 0 done; 1 it could not be done (one line on stderr says why and what to do); 2 the
// command itself was wrong (one line, with the nearest right one); 128 + signal when it was stopped
// (130 for Ctrl-C).
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "apps/cli/help.h"
#include "apps/cli/interrupt.h"
#include "apps/cli/profile.h"
#include "apps/cli/usage.h"
#include "apps/commands.h"
#include "apps/versions.h"
#include "tensor/error.h"

namespace {

// What was printed must have arrived: a full disk or a closed pipe is no success.
int finished() {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return 0;
  std::fprintf(stderr,
               "clade: expected to write to standard output; got %s; the output is incomplete\n",
               errno ? std::strerror(errno) : "an error while printing");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace clade::apps;
  CLI::App program("Deep clustering of incomplete data.", "clade");
  use_help_layout(program);
  program.set_version_flag("--version", version_line(),
                           "print the version and what it was built with");
  program.set_help_flag("-h,--help", "print this and stop");
  program.require_subcommand(1);
  program.footer(
      "Examples:\n"
      "  clade datasets                       what there is to cluster, and where it was found\n"
      "  clade cluster digits                 small real images that come with Clade\n"
      "  clade cluster table.csv --label-column species\n"
      "  clade umap digits --csv              a picture of them, as a table of coordinates\n"
      "  clade metrics runs/digits/labels.csv:label runs/digits/labels.csv:gmm\n"
      "\n`clade <command> --help` tells all options of a command.");
  add_cluster(program);
  add_knn(program);
  add_hdbscan(program);
  add_kmeans(program);
  add_gmm(program);
  add_umap(program);
  add_tsne(program);
  add_pca(program);
  add_reproduce(program);
  add_metrics(program);
  add_quality(program);
  add_info(program);
  add_datasets(program);
  add_assign(program);
  add_systems(program);
  add_impute(program);
  add_ops(program);
  add_bench(program);
  add_profile(program);

  try {
    try {
      program.parse(argc, argv);
    } catch (const clade::Cancelled&) {
      finish_profile(program);  // of what was done until then
      throw;
    }
    finish_profile(program);
    return finished();
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return program.exit(e), finished();  // --help, --version
    std::fprintf(stderr, "%s\n", usage_message(program, e).c_str());
    return 2;
  } catch (const clade::Cancelled&) {
    return 128 + interrupted();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clade: %s\n", e.what());
    return 1;
  }
}

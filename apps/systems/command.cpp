// clade systems: what `clade cluster --model` may be, and what can be set of each.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "apps/cli/limits.h"
#include "apps/cli/table.h"
#include "apps/commands.h"
#include "models/system.h"

namespace clade::apps {
namespace {

std::string values_of(const models::Setting& s) {
  if (s.kind == models::Setting::Kind::words) return s.words;
  if (s.kind == models::Setting::Kind::sizes) return "N-N-...";
  return s.kind == models::Setting::Kind::whole ? "N" : "X";
}

void print_one(const models::SystemInfo& info) {
  std::printf("%s: %s\nsource: %s\n", info.name, info.what, info.source);
  std::printf("takes %s%s\n", info.images_only ? "images" : "images and tables",
              info.uses_mask        ? "; leaves missing values out"
              : info.needs_clusters ? "; needs the number of clusters (--k, or known classes)"
                                    : "");
  std::vector<Row> rows{{"setting", "default", "values", "meaning"}};
  for (const models::Setting& s : info.settings)
    rows.push_back({s.name, *s.value ? s.value : "by the data", values_of(s), s.help});
  std::printf("\n%s\nSet them with --set name=value,name=value.\n", aligned(rows, "llll").c_str());
}

}  // namespace

void add_systems(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("systems", "the models that learn: what each is, and its settings");
  auto name = std::make_shared<std::string>();
  std::vector<std::string> names;
  for (const models::SystemInfo& info : models::systems()) names.emplace_back(info.name);
  command->add_option("name", *name, "of one: its settings too")->check(validator(OneOf{names}));
  command->callback([name] {
    if (!name->empty()) return print_one(*models::find_system(*name));
    std::vector<Row> rows{{"name", "what", "source"}};
    for (const models::SystemInfo& info : models::systems())
      rows.push_back({info.name, info.what, info.source});
    std::printf("%s\n`clade systems NAME` tells what can be set of it.\n",
                aligned(rows, "lll").c_str());
  });
}

}  // namespace clade::apps

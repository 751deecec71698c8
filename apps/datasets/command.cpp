// clade datasets: what there is to cluster by name, and where it was found.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "apps/cli/table.h"
#include "apps/commands.h"
#include "data/catalog.h"

namespace clade::apps {
namespace {

void list_datasets(const std::string& data_dir, bool all) {
  std::vector<Row> rows{{"name", "rows", "shape", "classes", "found in"}};
  std::string details;
  for (const data::CatalogEntry& e : data::catalog(data_dir)) {
    rows.push_back({e.name, grouped(e.rows), e.shape, std::to_string(e.classes),
                    e.found.empty() ? "-" : e.found});
    details.append(text("\n", e.name, ": ", e.what, "\n  terms: ", e.terms, "\n"));
    if (e.found.empty()) details.append(text("  to get it: ", e.cure, "\n"));
  }
  std::fputs(aligned(rows, "lrrrl").c_str(), stdout);
  if (all)
    std::fputs(details.c_str(), stdout);
  else
    std::puts("\n--long tells what each is, its terms of use, and how to get those not found.");
}

}  // namespace

void add_datasets(CLI::App& program) {
  CLI::App* command = program.add_subcommand("datasets", "list the data sets that have a name");
  auto data_dir = std::make_shared<std::string>();
  auto all = std::make_shared<bool>(false);
  command->add_option("--data-dir", *data_dir, "where to look first")->type_name("DIR");
  command->add_flag("--long", *all, "what each is, terms of use, how to get it");
  command->footer("Examples:\n  clade datasets --long\n  clade datasets --data-dir ~/data");
  command->callback([data_dir, all] { list_datasets(*data_dir, *all); });
}

}  // namespace clade::apps

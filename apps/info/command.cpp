// clade info: what is in a file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "apps/commands.h"
#include "apps/info/describe.h"

namespace clade::apps {

void add_info(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("info", "tell what is in a file, a data set or a run's folder");
  auto request = std::make_shared<LoadRequest>();
  command
      ->add_option("file", request->name_or_path,
                   ".npy .safetensors .csv .idx ..., a run's folder, or a name of `clade datasets`")
      ->required();
  command
      ->add_option("--label-column", request->label_column, "of a table: the column with classes")
      ->type_name("NAME");
  command
      ->add_option("--drop-columns", request->drop_columns,
                   "of a table: columns to leave out, separated by commas")
      ->type_name("NAMES");
  command->add_option("--data-dir", request->data_dir, "where to look for data sets first")
      ->type_name("DIR");
  command->footer(
      "Examples:\n"
      "  clade info runs/digits\n"
      "  clade info runs/digits/model.safetensors\n"
      "  clade info digits");
  command->callback([request] { std::fputs(describe(*request).c_str(), stdout); });
}

}  // namespace clade::apps

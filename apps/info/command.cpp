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
  auto path = std::make_shared<std::string>();
  command
      ->add_option("file", *path,
                   ".npy .safetensors .csv .idx ..., a run's folder, or a name of `clade datasets`")
      ->required();
  command->footer(
      "Examples:\n"
      "  clade info runs/digits\n"
      "  clade info runs/digits/model.safetensors\n"
      "  clade info digits");
  command->callback([path] { std::fputs(describe(*path).c_str(), stdout); });
}

}  // namespace clade::apps

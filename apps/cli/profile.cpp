#include "apps/cli/profile.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "tensor/file.h"
#include "tensor/profiler.h"

namespace clade::apps {
namespace {

constexpr const char* kName = "--profile";

void begin(const std::string& path) {
  AtomicFile probe(path);  // that it can be written, before there is work to lose
  profiler::start();
}

bool is_set(const CLI::App& command, const char* name) {
  const CLI::Option* option = command.get_option_no_throw(name);
  return option && option->count() > 0;
}

}  // namespace

void add_profile(CLI::App& program) {
  for (CLI::App* command : program.get_subcommands([](CLI::App*) { return true; })) {
    if (!command->get_subcommands([](CLI::App*) { return true; }).empty()) {
      add_profile(*command);
    } else if (program.get_name() != "bench" || command->get_name() == "train") {
      command
          ->add_option_function<std::string>(
              kName, begin,
              "write a trace of all kernels, for ui.perfetto.dev, and tell their times")
          ->type_name("FILE");
    }
  }
}

void finish_profile(const CLI::App& program) {
  for (const CLI::App* command : program.get_subcommands()) {
    finish_profile(*command);
    if (!is_set(*command, kName)) continue;
    profiler::stop();
    // To the terminal, beside progress: what a command prints may be JSON for another program.
    // `bench train` prints the table as its own.
    if (!is_set(*command, "--quiet") && program.get_name() != "bench")
      std::fprintf(stderr, "\n%s", profiler::table().c_str());
    profiler::write_trace(command->get_option(kName)->as<std::string>());
  }
}

}  // namespace clade::apps

// How --help looks: two columns, lines of at most 100 characters, defaults in brackets.
#pragma once

namespace CLI {
class App;
}

namespace clade::apps {

// For the program and all subcommands that are added after this call.
void use_help_layout(CLI::App& program);

}  // namespace clade::apps

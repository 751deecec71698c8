#include "apps/cli/typed.h"

#include <CLI/CLI.hpp>

namespace clade::apps {

std::string shell_word(const std::string& word) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string out = "'";
  for (char c : word) out.append(c == '\'' ? std::string("'\\''") : std::string(1, c));
  return out + "'";
}

std::string typed_command(const CLI::App& command) {
  std::string places, options, dashed;  // dashed: places that would be taken for options
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0) continue;
    CLI::results_t given = option->results();
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeLast)
      given.erase(given.begin(), given.end() - 1);
    const char between = option->get_delimiter() ? option->get_delimiter() : ' ';
    std::string value;
    for (const std::string& v : given)
      value.append(value.empty() ? "" : std::string(1, between)).append(shell_word(v));
    if (option->get_positional()) {
      (value.front() == '-' ? dashed.append(" -- ") : places.append(" ")).append(value);
      continue;
    }
    const std::string& name = option->get_lnames().front();
    if (name == "quiet" || name == "json" || name == "no-report") continue;
    if (option->get_items_expected_max() > 0)
      options.append(" --" + name + " " + value);
    else if (given.back() == "true")  // a flag
      options.append(" --" + name);
  }
  return "clade " + command.get_name() + places + options + dashed;
}

}  // namespace clade::apps

#include "apps/cli/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "tensor/text.h"

namespace clade::apps {
namespace {

// Edits (insert, delete, exchange one character, swap two neighbours) that turn a into b: the
// restricted Damerau-Levenshtein distance.
size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); i++)
    for (size_t j = 0; j <= b.size(); j++) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string best = nearest(word, candidates);
  return best.empty() ? "" : text("; did you mean ", best, "?");
}

const CLI::App& called(const CLI::App& program) {
  const auto subcommands = program.get_subcommands();
  return subcommands.empty() ? program : *subcommands.front();
}

// "--epochs: 1 required INT missing" and the like come with the option's name before the colon.
std::string before_colon(const std::string& message) {
  return message.substr(0, message.find(':'));
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t fewest = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const bool begins = word.size() >= 4 && candidate.compare(0, word.size(), word) == 0;
    const size_t distance = begins ? 1 : edits(word, candidate);
    if (distance < fewest && distance < candidate.size()) fewest = distance, best = candidate;
  }
  return best;
}

std::string usage_message(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App& app = called(program);
  const bool top = &app == &program;
  std::string out = top ? "clade: " : text("clade ", app.get_name(), ": ");
  const auto extras = program.remaining(true);

  if (error.get_name() == "ArgumentMismatch") {
    out.append(text(before_colon(error.what()), " needs a value"));
  } else if (!extras.empty()) {
    const std::string word = extras.front().substr(0, extras.front().find('='));
    std::vector<std::string> names;
    if (word.rfind("-", 0) == 0) {
      for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      out.append(text("there is no option ", word, did_you_mean(word, names)));
    } else if (top) {
      for (const CLI::App* command : program.get_subcommands({}))
        names.push_back(command->get_name());
      out.append(text("there is no command ", word, did_you_mean(word, names)));
    } else {
      out.append(text("did not expect ", word, ": an argument too many"));
    }
  } else if (error.get_name() == "RequiredError" && top) {
    out.append("a command is needed: cluster, metrics, info or datasets");
  } else {
    out.append(error.what());
  }
  return out + text(" (see clade", top ? "" : " " + app.get_name(), " --help)");
}

}  // namespace clade::apps

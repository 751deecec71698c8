// Commands as they are typed.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace clade::apps {

std::string shell_word(const std::string& word);  // as a POSIX shell must see it

// "clade pca digits --n-components 20": a command that was parsed, but for --quiet, --json and
// --no-report: what repeats it.
std::string typed_command(const CLI::App& command);

}  // namespace clade::apps

// What is said about a command that was wrong: one line, with the nearest right one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace clade::apps {

// The candidate that takes the fewest edits, if few enough for a slip of the fingers; else "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "clade cluster: there is no option --epoch; did you mean --epochs? (see clade cluster --help)"
std::string usage_message(const CLI::App& program, const CLI::ParseError& error);

}  // namespace clade::apps

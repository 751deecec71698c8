#include "apps/cli/help.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

namespace clade::apps {
namespace {

constexpr size_t kLeft = 26, kWidth = 100;

// "  left        right, broken between words into lines that hang below it"
std::string entry(const std::string& left, const std::string& right) {
  std::string out = "  " + left, word;
  size_t column = out.size();
  auto move_to_right = [&] {
    if (column + 1 >= kLeft) out.push_back('\n'), column = 0;
    out.append(kLeft - column, ' ');
    column = kLeft;
  };
  move_to_right();
  std::istringstream words(right);
  while (words >> word) {
    if (column > kLeft && column + 1 + word.size() > kWidth) column = kWidth, move_to_right();
    if (column > kLeft) out.push_back(' '), column++;
    out.append(word);
    column += word.size();
  }
  return out.append("\n");
}

class HelpLayout : public CLI::Formatter {
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string left = option->get_name(is_positional), right = option->get_description();
    if (!is_positional && option->get_type_size() > 0)
      left.append(" ").append(option->get_type_name());
    if (!option->get_default_str().empty())
      right.append(" [").append(option->get_default_str()).append("]");
    return entry(left, right);
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }
};

}  // namespace

void use_help_layout(CLI::App& program) { program.formatter(std::make_shared<HelpLayout>()); }

}  // namespace clade::apps

#include "apps/reproduce/stage.h"

#include <cmath>
#include <cstdlib>

#include "apps/cli/usage.h"
#include "tensor/error.h"

namespace clade::apps {
namespace {

bool is_number(const std::string& word) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  return !word.empty() && *end == 0 && std::isfinite(value);
}

}  // namespace

double StageInput::number(const char* name) const {
  return std::strtod(settings.at(name).c_str(), nullptr);
}
int64_t StageInput::whole(const char* name) const { return int64_t(number(name)); }
const std::string& StageInput::word(const char* name) const { return settings.at(name); }

const StageKind* find_stage(const std::string& name) {
  for (const auto* list : {&shallow_stages(), &network_stages()})
    for (const StageKind& kind : *list)
      if (name == kind.name) return &kind;
  return nullptr;
}

Settings full_settings(const StageKind& kind, const Settings& given, bool quick) {
  Settings out;
  std::vector<std::string> names;
  for (const OptionKind& option : kind.options) {
    out[option.name] = option.value;
    names.emplace_back(option.name);
  }
  for (const auto& [name, value] : given) {
    const auto option = out.find(name);
    if (option == out.end()) {
      const std::string best = nearest(name, names);
      fail("reproduce", text("one of ", names, " as an option of ", kind.name), name,
           best.empty() ? "" : text("did you mean ", best, "?"));
    }
    if (is_number(option->second) && !is_number(value))
      fail("reproduce", text("a number for ", name, " of ", kind.name), value);
    option->second = value;
  }
  for (const OptionKind& option : kind.options)
    if (quick && option.quick) out[option.name] = option.quick;
  return out;
}

}  // namespace clade::apps

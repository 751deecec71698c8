#include "apps/cluster/options.h"

#include "apps/cli/typed.h"
#include "models/system.h"
#include "tensor/text.h"

namespace clade::apps {
namespace {

std::string written(const std::string& v) { return shell_word(v); }
std::string written(int64_t v) { return std::to_string(v); }
std::string written(double v) { return text(v); }
template <class T>
std::string written(const std::optional<T>& v) {
  return v ? written(*v) : std::string();
}

}  // namespace

const char* model_names() {
  static const std::string names = [] {
    std::string out;
    for (const models::SystemInfo& info : models::systems()) out.append(info.name).append(" ");
    return out + "pca none";
  }();
  return names.c_str();
}

std::string command_line(const ClusterOptions& options) {
  std::vector<std::string> defaults;
  const ClusterOptions none;
  visit(none,
        [&](const char*, const auto& v, auto, const char*) { defaults.push_back(written(v)); });
  std::string out = "clade cluster " + shell_word(options.data);
  size_t i = 0;
  visit(options, [&](const char* name, const auto& v, auto, const char*) {
    const std::string now = written(v);
    if (now != defaults[i++]) out.append(text(" ", name, " ", now));
  });
  return out;
}

}  // namespace clade::apps

#include "apps/load.h"

#include <filesystem>

#include "apps/cli/usage.h"
#include "data/catalog.h"

namespace clade::apps {
namespace {

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) out.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

void require_known(const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::exists(name, ignored)) return;
  std::vector<std::string> names;
  for (const auto& entry : data::catalog()) {
    if (entry.name == name) return;
    names.push_back(entry.name);
  }
  const std::string best = nearest(name, names);
  fail("data", "a file, a folder or a name that `clade datasets` lists", text("'", name, "'"),
       best.empty() ? "check the path" : text("did you mean ", best, "?"));
}

}  // namespace

data::Dataset load_data(const LoadRequest& request) {
  require_known(request.name_or_path);
  data::LoadOptions options;
  options.data_dir = request.data_dir.value_or("");
  options.limit = request.limit.value_or(0);
  options.csv.label_column = request.label_column.value_or("");
  options.csv.drop_columns = split(request.drop_columns.value_or(""));
  return data::load(request.name_or_path, options);
}

int64_t rows_in_catalog(const std::string& name) {
  for (const auto& entry : data::catalog())
    if (entry.name == name) return entry.rows;
  return 0;
}

}  // namespace clade::apps

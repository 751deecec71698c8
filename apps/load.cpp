#include "apps/load.h"

#include <algorithm>
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

// Only tables that are files have columns to choose from: those of the catalog come with theirs.
void require_columns(const LoadRequest& request) {
  const char* option = request.label_column   ? "--label-column"
                       : request.drop_columns ? "--drop-columns"
                                              : nullptr;
  if (!option) return;
  const auto known = data::catalog();
  const bool named = std::any_of(known.begin(), known.end(), [&](const data::CatalogEntry& entry) {
    return entry.name == request.name_or_path;
  });
  std::filesystem::path file = request.name_or_path;
  if (file.extension() == ".gz") file.replace_extension();
  const std::string end = file.extension().string();
  bool table = false;
  for (const char* kind : {".csv", ".tsv", ".txt", ".dat", ".data"}) table = table || end == kind;
  if (named || !table || std::filesystem::is_directory(request.name_or_path))
    fail(option, "a table with columns to choose (.csv .tsv .txt .dat .data)",
         text(named ? "the data set " : "", request.name_or_path), "leave it out");
}

}  // namespace

Loaded load_data(const LoadRequest& request) {
  require_known(request.name_or_path);
  if (!request.values) require_columns(request);
  data::LoadOptions options;
  options.data_dir = request.data_dir.value_or("");
  options.csv.label_column = request.label_column.value_or("");
  options.csv.values = request.values.value_or(0);
  options.csv.drop_columns = split(request.drop_columns.value_or(""));
  data::Dataset all = data::load(request.name_or_path, options);
  const int64_t n = all.size(), kept = std::min(n, request.limit.value_or(n));
  return {kept < n ? data::slice(all, 0, kept) : std::move(all), n};
}

void require_same_columns(const char* op, const std::vector<std::string>& learned,
                          const data::Dataset& rows, const std::string& file) {
  auto named = [](const std::vector<std::string>& columns) {
    return std::any_of(columns.begin(), columns.end(), [](const std::string& name) {
      return name.find_first_not_of("0123456789") != std::string::npos;
    });
  };
  if (!named(learned) || !named(rows.columns) || learned == rows.columns) return;
  std::string wanted;
  for (const std::string& name : learned) wanted.append(wanted.empty() ? "" : ",").append(name);
  fail(op, text("the columns learned from, ", wanted), text("others in ", file),
       "bring them into that order");
}

}  // namespace clade::apps

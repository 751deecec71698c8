#include "data/places.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace clade::data {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Whether the last parts of `place` are those of `folder`, as in /data/MNIST/raw and MNIST/raw.
bool ends_in(const fs::path& place, const fs::path& folder) {
  fs::path end = place.has_filename() ? place : place.parent_path();  // "mnist/" as "mnist"
  for (fs::path part = folder; !part.empty(); part = part.parent_path()) {
    if (end.filename() != part.filename()) return false;
    end = end.parent_path();
  }
  return true;
}

}  // namespace

std::vector<std::string> places_for_data(const std::string& data_dir) {
  std::vector<std::string> places;
  if (!data_dir.empty()) places.push_back(data_dir);
  const char* variable = std::getenv("CLADE_DATA");
  if (variable && *variable) places.push_back(variable);
  places.push_back("/usr/share/datasets");
  places.push_back("../shared/data");
  return places;
}

std::vector<std::string> places_of_own_data() {
  std::vector<std::string> places;
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);
  if (!problem) places.push_back((program.parent_path().parent_path() / "share/clade").string());
  places.push_back(CLADE_INSTALLED_DATA_DIR);
  places.push_back(CLADE_SOURCE_DATA_DIR);
  return places;
}

std::string find_file(const std::string& folder, const std::string& file) {
  const fs::path path = fs::path(folder) / file;
  if (is_file(path)) return path.string();
  return is_file(path.string() + ".gz") ? path.string() + ".gz" : std::string();
}

std::string find_folder(const std::vector<std::string>& places,
                        const std::vector<std::string>& folders,
                        const std::vector<std::string>& files) {
  for (const std::string& place : places)
    for (const std::string& folder : folders)
      for (const fs::path& candidate : {fs::path(place) / folder, fs::path(place)}) {
        if (candidate == place && !ends_in(place, folder)) continue;
        const bool complete = std::all_of(files.begin(), files.end(), [&](const std::string& file) {
          return !find_file(candidate.string(), file).empty();
        });
        if (complete) return candidate.string();
      }
  return {};
}

}  // namespace clade::data

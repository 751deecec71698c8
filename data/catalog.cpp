#include "data/catalog.h"

#include <algorithm>
#include <filesystem>

#include "data/places.h"
#include "data/readers/cifar10.h"
#include "data/readers/idx.h"
#include "data/readers/jf.h"
#include "data/sources.h"
#include "tensor/npy.h"

namespace clade::data {
namespace {

namespace fs = std::filesystem;

const char* name_of(Subset subset) {
  return subset == Subset::all ? "all" : subset == Subset::train ? "train" : "test";
}

// Data that comes with Clade is taken from there last, so that a place can be named for it too.
std::vector<std::string> places_for(const Source& source, const std::string& data_dir) {
  std::vector<std::string> places = places_for_data(data_dir);
  if (source.entry.name == "digits")
    for (const std::string& place : places_of_own_data()) places.push_back(place);
  return places;
}

std::string folder_of(const Source& source, const std::string& data_dir) {
  return find_folder(places_for(source, data_dir), source.folders, source.files);
}

Dataset load_source(const Source& source, const LoadOptions& options) {
  const CatalogEntry& entry = source.entry;
  if (!source.has_subsets && options.subset != Subset::all)
    fail("catalog", text("subset all: ", entry.name, " has no train and test parts"),
         name_of(options.subset));
  const std::string folder = folder_of(source, options.data_dir);
  if (folder.empty()) {
    const std::vector<std::string> places = places_for(source, options.data_dir);
    fail("catalog",
         text(entry.name, " (", source.files, ", plain or .gz) in a folder named ", source.folders),
         text("no such folder in any of ", places),
         text(entry.cure, "; say where such folders lie with --data-dir or CLADE_DATA"));
  }
  return source.load(folder, options.subset);
}

Dataset load_file(const std::string& path, const LoadOptions& options) {
  fs::path plain = path;
  if (plain.extension() == ".gz") plain.replace_extension();
  const std::string end = plain.extension().string();
  if (end == ".npy") return from_tensor(path, load_npy(path));
  if (end == ".jf") return load_jf(path);
  if (end == ".bin") return load_cifar10(path);
  if (end == ".idx" || plain.string().ends_with("-ubyte")) return from_tensor(path, load_idx(path));
  for (const char* table : {".csv", ".tsv", ".txt", ".dat", ".data"})
    if (end == table) return load_csv(path, options.csv);
  fail("catalog", "a file .npy, .csv, .tsv, .txt, .dat, .data, .jf, .idx, *-ubyte or .bin", path,
       "save the data as CSV or as NumPy's .npy");
}

Dataset load_path(const std::string& path, const LoadOptions& options) {
  const bool folder = fs::is_directory(path);
  if (folder && !find_file(path, "train-images-idx3-ubyte").empty())
    return load_idx_folder(path, options.subset,
                           {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  if (options.subset != Subset::all)
    fail("catalog", text("subset all: ", path, " has no train and test parts"),
         name_of(options.subset));
  return folder ? load_image_folder(path, options.images) : load_file(path, options);
}

Dataset load_all(const std::string& name_or_path, const LoadOptions& options) {
  std::vector<std::string> names;
  for (const Source& source : sources()) {
    if (source.entry.name == name_or_path) return load_source(source, options);
    names.push_back(source.entry.name);
  }
  std::error_code ignored;
  if (fs::exists(name_or_path, ignored)) return load_path(name_or_path, options);
  fail("catalog", text("a file, a folder or one of ", names), text("\"", name_or_path, "\""));
}

}  // namespace

Dataset load(const std::string& name_or_path, const LoadOptions& options) {
  if (options.limit < 0) fail("catalog", "a limit of 0 or more", text(options.limit));
  Dataset d = load_all(name_or_path, options);
  d.name = name_or_path;
  const bool cut = options.limit > 0 && options.limit < d.size();
  return cut ? slice(d, 0, options.limit) : d;
}

std::vector<CatalogEntry> catalog(const std::string& data_dir) {
  std::vector<CatalogEntry> entries;
  for (const Source& source : sources()) {
    entries.push_back(source.entry);
    entries.back().found = folder_of(source, data_dir);
  }
  return entries;
}

}  // namespace clade::data

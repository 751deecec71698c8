// The catalog: data sets by name, and files and folders by path.
//
//     Dataset d = load("mnist");                           // 70,000 digits, train then test
//     Dataset t = load("mnist", {.subset = Subset::test});
//     Dataset c = load("./iris.csv", {.csv = {.label_column = "species"}});
//
// Nothing is downloaded. A data set is looked for in LoadOptions::data_dir, $CLADE_DATA,
// /usr/share/datasets and ../shared/data; `digits` comes with Clade.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/readers/csv.h"
#include "data/readers/image_folder.h"

namespace clade::data {

enum class Subset { all, train, test };  // all: train, then test

struct LoadOptions {
  std::string data_dir = {};
  Subset subset = Subset::all;
  int64_t limit = 0;               // only the first `limit` rows; 0: all
  CsvOptions csv = {};             // for paths of tables
  ImageFolderOptions images = {};  // for paths of folders
};

// A name of the catalog, or the path of
//   a folder      pictures below it (data/readers/image_folder.h), or the four IDX files of MNIST
//   .npy          one array (from_tensor in data/dataset.h says which shapes)
//   .csv .tsv .txt .dat .data   a table (data/readers/csv.h)
//   .jf           (data/readers/jf.h)
//   .idx or *-ubyte   one IDX array (data/readers/idx.h)
//   .bin          CIFAR-10 records (data/readers/cifar10.h)
// each but .npy and pictures also with .gz after it. Images of the catalog are in [0, 1], in the
// size of their files (data/prepare.h changes it); its tables are as they stand. Throws Error: on a
// name that is not known, with those that are; on data that is not found, with the places searched
// and how to get it; and as the readers do.
Dataset load(const std::string& name_or_path, const LoadOptions& options = {});

struct CatalogEntry {
  std::string name;
  std::string what;  // one line
  int64_t rows;
  std::string shape;  // of a row: "28 x 28", "3 x 32 x 32", "561"
  int64_t classes;
  std::string format;  // of its files
  std::string terms;   // what its source says of use
  std::string cure;    // how to get it
  std::string found;   // the folder that holds it on this machine; "" where none does
};

std::vector<CatalogEntry> catalog(const std::string& data_dir = {});

}  // namespace clade::data

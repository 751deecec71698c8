#include "data/catalog.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "data/places.h"
#include "tensor/file.h"
#include "tensor/npy.h"
#include "tests/data/file_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

using clade::testing::big_endian32;
using clade::testing::gzip_of;
using clade::testing::message_of;
using clade::testing::TempDir;

// The four files of MNIST with `train` and `test` images of 1 x 2 pixels; image i is of digit i.
void write_mnist(const std::string& folder, int train, int test) {
  std::filesystem::create_directories(folder);
  for (auto [part, n] : {std::pair("train", train), std::pair("t10k", test)}) {
    std::string images{0, 0, 8, 3}, labels{0, 0, 8, 1};
    images += big_endian32(uint32_t(n)) + big_endian32(1) + big_endian32(2);
    labels += big_endian32(uint32_t(n));
    for (int i = 0; i < n; i++) {
      images.append({char(i), char(255)});
      labels.push_back(char(i));
    }
    write_file_atomically(text(folder, "/", part, "-images-idx3-ubyte.gz"), gzip_of(images));
    write_file_atomically(text(folder, "/", part, "-labels-idx1-ubyte"), labels);
  }
}

class Environment {  // $CLADE_DATA for the length of a scope
 public:
  explicit Environment(const std::string& folder) {
    const char* value = getenv("CLADE_DATA");
    if (value) before_ = value;
    setenv("CLADE_DATA", folder.c_str(), 1);
  }
  ~Environment() {
    before_.empty() ? unsetenv("CLADE_DATA") : setenv("CLADE_DATA", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

TEST(Catalog, SubsetsAndLimits) {
  TempDir dir;
  write_mnist(dir / "mnist", 4, 3);
  const std::string place = dir.path();
  auto ids = [&](LoadOptions options) {
    options.data_dir = place;
    const Dataset d = load("mnist", options);
    EXPECT_EQ(d.values.size(0), d.labels.size());
    return d.labels.ids().to_vector<int>();
  };
  EXPECT_EQ(ids({}), (std::vector<int>{0, 1, 2, 3, 0, 1, 2}));
  EXPECT_EQ(ids({.subset = Subset::train}), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(ids({.subset = Subset::test, .limit = 2}), (std::vector<int>{0, 1}));
  EXPECT_EQ(ids({.limit = 100}).size(), 7u);
  EXPECT_EQ(load("mnist", {.data_dir = place}).name, "mnist");
  EXPECT_EQ(load("mnist", {.data_dir = place}).values.at({6, 0, 0, 1}), 1);
}

TEST(Catalog, PlacesInTheirOrder) {
  TempDir first, second;
  write_mnist(first / "mnist", 1, 1);
  write_mnist(second / "MNIST/raw", 2, 2);
  Environment variable(second.path());
  EXPECT_EQ(load("mnist").size(), 4);
  EXPECT_EQ(load("mnist", {.data_dir = first.path()}).size(), 2);
  // A place may be the folder itself, but only where it bears the data set's name.
  EXPECT_EQ(load("mnist", {.data_dir = first / "mnist/"}).size(), 2);
  EXPECT_EQ(find_folder({second / "MNIST/raw"}, {"MNIST/raw"}, {"t10k-labels-idx1-ubyte"}),
            second / "MNIST/raw");
  EXPECT_EQ(find_folder({first / "mnist"}, {"fashion-mnist"}, {"t10k-labels-idx1-ubyte"}), "");
}

TEST(Catalog, DigitsComeWithClade) {
  const Dataset d = load("digits");
  EXPECT_EQ(d.values.shape(), Shape({1797, 1, 8, 8}));
  EXPECT_EQ(d.labels.counts(),
            (std::vector<int64_t>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
  double ink = 0;
  for (float v : d.values.to_vector<float>()) ink += double(v) * 16;
  EXPECT_EQ(ink, 561718);  // numpy.loadtxt(...)[:, :-1].sum()
  EXPECT_EQ(message_of([] { load("digits", {.subset = Subset::test}); }),
            "catalog: expected subset all: digits has no train and test parts; got test");
}

TEST(Catalog, ListsWhatIsFound) {
  TempDir dir;
  write_mnist(dir / "mnist", 1, 1);
  std::vector<std::string> found;
  for (const CatalogEntry& entry : catalog(dir.path())) {
    EXPECT_GT(entry.rows, 0);
    EXPECT_FALSE(entry.cure.empty() || entry.shape.empty() || entry.terms.empty()) << entry.name;
    if (entry.found.starts_with(dir.path())) found.push_back(entry.name);
    EXPECT_TRUE(entry.name != "digits" || !entry.found.empty());
  }
  EXPECT_EQ(found, std::vector<std::string>{"mnist"});
}

TEST(Catalog, WhatIsNotFoundIsExplained) {
  TempDir dir;
  Environment variable(dir / "empty");
  const std::string message = message_of([&] { load("har", {.data_dir = dir.path()}); });
  EXPECT_EQ(message,
            text("catalog: expected har ([train/X_train.txt, train/y_train.txt, test/X_test.txt, "
                 "test/y_test.txt], plain or .gz) in a folder named [har, UCI HAR Dataset]; got no "
                 "such folder in any of [",
                 dir.path(), ", ", dir / "empty",
                 ", /usr/share/datasets, ../shared/data]; fetch it from "
                 "https://archive.ics.uci.edu/dataset/240; say where such folders lie with "
                 "--data-dir or CLADE_DATA"));
  EXPECT_NE(message_of([&] {
              load("no such thing");
            }).find("expected a file, a folder or one of [digits, mnist, "),
            std::string::npos);
  EXPECT_EQ(message_of([&] { load("digits", {.limit = -1}); }),
            "catalog: expected a limit of 0 or more; got -1");
}

TEST(Catalog, PathsByTheirEnding) {
  TempDir dir;
  write_file_atomically(dir / "a.csv", "x,y,class\n1,2,b\n3,4,a\n");
  save_npy(dir / "b.npy", Tensor::from<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
  write_file_atomically(dir / "c.jf.gz", gzip_of("2 3\n1 1 2 3\n-1\n"));
  write_file_atomically(dir / "d.bin", std::string(2 * 3073, '\0'));
  write_file_atomically(dir / "e-ubyte", std::string("\0\0\x08\x02\0\0\0\1\0\0\0\2ab", 14));
  write_file_atomically(dir / "f.data.gz", gzip_of("1 2 ? 4\n"));
  write_file_atomically(dir / "g.doc", "words");
  write_mnist(dir / "like-mnist", 2, 1);
  std::filesystem::create_directory(dir / "pictures");
  write_file_atomically(dir / "pictures/1.png", clade::testing::png_of(2, 3, 1, "abcdef"));

  const Dataset csv = load(dir / "a.csv", {.csv = {.label_column = "class"}});
  EXPECT_EQ(csv.values.shape(), Shape({2, 2}));
  EXPECT_EQ(csv.labels.ids().to_vector<int>(), (std::vector<int>{1, 0}));
  EXPECT_EQ(load(dir / "b.npy", {.limit = 2}).values.shape(), Shape({2, 2}));
  EXPECT_EQ(load(dir / "c.jf.gz").values.shape(), Shape({1, 3}));
  EXPECT_EQ(load(dir / "d.bin").values.shape(), Shape({2, 3, 32, 32}));
  EXPECT_EQ(load(dir / "e-ubyte").values.at({0, 1}), 'b');
  EXPECT_EQ(missing_rate(load(dir / "f.data.gz")), 0.25);
  EXPECT_EQ(load(dir / "like-mnist").size(), 3);
  EXPECT_EQ(load(dir / "like-mnist/", {.subset = Subset::test}).size(), 1);
  EXPECT_EQ(load(dir / "pictures", {.images = {.height = 4, .width = 4}}).values.shape(),
            Shape({1, 1, 4, 4}));
  EXPECT_EQ(message_of([&] { load(dir / "g.doc"); }),
            text("catalog: expected a file .npy, .csv, .tsv, .txt, .dat, .data, .jf, .idx, *-ubyte "
                 "or .bin; got ",
                 dir / "g.doc", "; save the data as CSV or as NumPy's .npy"));
  EXPECT_EQ(message_of([&] { load(dir / "a.csv", {.subset = Subset::train}); }),
            text("catalog: expected subset all: ", dir / "a.csv",
                 " has no train and test parts; got train"));
}

TEST(Catalog, PartsThatDisagreeAreRefused) {
  TempDir dir;
  write_mnist(dir / "mnist", 3, 3);
  write_file_atomically(dir / "mnist/t10k-labels-idx1-ubyte",
                        std::string("\0\0\x08\x01\0\0\0\2\0\1", 10));
  EXPECT_EQ(message_of([&] { load("mnist", {.data_dir = dir.path()}); }),
            text("catalog: expected images, and a label for each, in ", dir / "mnist",
                 "; got f32 [3, 1, 1, 2] and 2 labels"));
  std::filesystem::create_directory(dir / "usps");
  write_file_atomically(dir / "usps/usps_train.jf", "10 4\n1 0 1 2 1\n-1\n");
  write_file_atomically(dir / "usps/usps_test.jf", "10 4\n1 0 1 2 1\n-1\n");
  EXPECT_EQ(message_of([&] { load("usps", {.data_dir = dir.path()}); }),
            text("catalog: expected 256 values a row in ", dir / "usps/usps_train.jf", "; got 4"));
}

}  // namespace
}  // namespace clade::data

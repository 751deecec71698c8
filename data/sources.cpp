#include "data/sources.h"

#include <algorithm>
#include <filesystem>

#include "data/natural_order.h"
#include "data/places.h"
#include "data/prepare.h"
#include "data/readers/cifar10.h"
#include "data/readers/gzip.h"
#include "data/readers/har.h"
#include "data/readers/idx.h"
#include "data/readers/image.h"
#include "data/readers/jf.h"
#include "data/readers/rcv1.h"
#include "data/readers/stl10.h"

namespace clade::data {
namespace {

const std::vector<std::string> kDigitNames = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
const std::vector<std::string> kIdxFiles = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                            "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

// part(train) for one subset, or both parts joined.
template <class Part>
Dataset join_parts(Subset subset, Part part) {
  if (subset != Subset::all) return part(subset == Subset::train);
  const Dataset train = part(true);
  return concat(train, part(false));
}

// A table as grey images (N, 1, side, side) of values divided by `full`, the value of full ink.
Dataset as_images(Dataset table, int64_t side, float full) {
  if (table.values.size(1) != side * side)
    fail("catalog", text(side * side, " values a row in ", table.name), text(table.values.size(1)));
  const int64_t n = table.size();
  Tensor images = Tensor::empty({n, 1, side, side}, DType::f32, Layout::channels_last);
  const float* from = table.values.data<float>();
  float* to = images.data<float>();
  for (int64_t i = 0; i < images.numel(); i++) {
    to[i] = from[i] / full;
    if (!(to[i] >= 0 && to[i] <= 1))
      fail("catalog", text("values in 0 .. ", double(full), " in ", table.name),
           text(double(from[i]), " in row ", i / (side * side)));
  }
  table.values = images;
  table.columns.clear();
  return table;
}

Dataset load_mnist(const std::string& folder, Subset subset) {
  return load_idx_folder(folder, subset, kDigitNames);
}

Dataset load_fashion(const std::string& folder, Subset subset) {
  return load_idx_folder(folder, subset,
                         {"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt",
                          "sneaker", "bag", "ankle boot"});
}

Dataset load_usps(const std::string& folder, Subset subset) {
  return join_parts(subset, [&](bool train) {
    const std::string file = find_file(folder, train ? "usps_train.jf" : "usps_test.jf");
    return as_images(load_jf(file), 16, 2);
  });
}

Dataset load_coil20(const std::string& folder, Subset) { return load_image_folder(folder); }

Dataset load_optdigits_file(const std::string& path) {
  const CsvOptions options{
      .separator = ',', .header = CsvOptions::Header::no, .label_column = "65"};
  return as_images(load_csv(path, options), 8, 16);
}

Dataset load_digits(const std::string& folder, Subset) {
  return load_optdigits_file(find_file(folder, "optdigits.tes"));
}

Dataset load_optdigits(const std::string& folder, Subset subset) {
  return join_parts(subset, [&](bool train) {
    return load_optdigits_file(find_file(folder, train ? "optdigits.tra" : "optdigits.tes"));
  });
}

Dataset load_cifar10_full(const std::string& folder, Subset subset) {
  return join_parts(subset, [&](bool train) {
    if (!train) return load_cifar10(find_file(folder, "test_batch.bin"));
    Dataset all = load_cifar10(find_file(folder, "data_batch_1.bin"));
    for (const char* name :
         {"data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"})
      all = concat(all, load_cifar10(find_file(folder, name)));
    return all;
  });
}

Dataset load_cifar10_subset(const std::string& folder, Subset subset) {
  return join_parts(subset, [&](bool train) {
    return load_cifar10(
        find_file(folder, train ? "data_batch_1_first4000.bin" : "test_batch_first1000.bin"));
  });
}

Dataset load_har_folder(const std::string& folder, Subset subset) {
  return join_parts(subset, [&](bool train) {
    const std::string part = train ? "train" : "test";
    return load_har(find_file(folder, part + "/X_" + part + ".txt"),
                    find_file(folder, part + "/y_" + part + ".txt"));
  });
}

// Crops of 28 x 28 in grey, side by side from the top left corner of each picture: P2 does not say
// how it cuts them.
Dataset load_bsds300(const std::string& folder, Subset subset) {
  constexpr int64_t kSide = 28;
  return join_parts(subset, [&](bool train) {
    std::vector<std::string> files;
    for (const auto& file :
         std::filesystem::directory_iterator(folder + (train ? "/images/train" : "/images/test")))
      if (file.path().extension() == ".jpg") files.push_back(file.path().string());
    std::sort(files.begin(), files.end(), natural_less);
    std::vector<Tensor> crops;
    for (const std::string& file : files) {
      const Tensor picture = load_image(file);
      const Tensor grey =
          to_grey(from_tensor(file, picture.permute({2, 0, 1}).unsqueeze(0).contiguous()).values);
      for (int64_t y = 0; y + kSide <= grey.size(2); y += kSide)
        for (int64_t x = 0; x + kSide <= grey.size(3); x += kSide)
          crops.push_back(grey.slice(2, y, y + kSide).slice(3, x, x + kSide));
    }
    if (crops.empty())
      fail("catalog", text("pictures of ", kSide, " x ", kSide, " or more in ", folder), "none");
    Dataset d;
    d.name = folder;
    d.values =
        Tensor::empty({int64_t(crops.size()), 1, kSide, kSide}, DType::f32, Layout::channels_last);
    for (size_t i = 0; i < crops.size(); i++)
      d.values.slice(0, int64_t(i), int64_t(i) + 1).copy_(crops[i]);
    return d;
  });
}

const std::vector<std::string> kRcv1Tokens = {
    "lyrl2004_tokens_train.dat", "lyrl2004_tokens_test_pt0.dat", "lyrl2004_tokens_test_pt1.dat",
    "lyrl2004_tokens_test_pt2.dat", "lyrl2004_tokens_test_pt3.dat"};

Dataset load_reuters10k(const std::string& folder, Subset) {
  std::vector<std::string> files;
  for (const std::string& name : kRcv1Tokens) files.push_back(find_file(folder, name));
  return load_rcv1(files, find_file(folder, "rcv1-v2.topics.qrels"));
}

Dataset load_stl10(const std::string& folder, Subset) { return load_stl10_features(folder); }

// Columns of the file named by hand: it has no header. `kept` are the names of those not dropped.
Dataset load_uci_table(const std::string& path, const CsvOptions& options,
                       std::vector<std::string> kept) {
  Dataset d = load_csv(path, options);
  if (d.columns.size() != kept.size())
    fail("catalog", text(kept.size(), " columns of data in ", path), text(d.columns.size()));
  d.columns = std::move(kept);
  return d;
}

Dataset load_breast_cancer(const std::string& folder, Subset) {
  CsvOptions options{.separator = ',', .header = CsvOptions::Header::no};
  options.drop_columns = {"1"};  // a number of the sample
  options.label_column = "11";
  Dataset d =
      load_uci_table(find_file(folder, "breast-cancer-wisconsin.data"), options,
                     {"clump thickness", "uniformity of cell size", "uniformity of cell shape",
                      "marginal adhesion", "single epithelial cell size", "bare nuclei",
                      "bland chromatin", "normal nucleoli", "mitoses"});
  d.labels = Labels(d.labels.ids(), {"benign", "malignant"});  // in the file 2 and 4
  return d;
}

Dataset load_horse_colic(const std::string& folder, Subset) {
  CsvOptions options{.separator = ' ', .header = CsvOptions::Header::no};
  // The hospital's number; then what was known only afterwards: the outcome and the lesion's codes.
  options.drop_columns = {"3", "23", "25", "26", "27", "28"};
  options.label_column = "24";
  Dataset d = load_uci_table(find_file(folder, "horse-colic.data"), options,
                             {"surgery",
                              "age",
                              "rectal temperature",
                              "pulse",
                              "respiratory rate",
                              "temperature of extremities",
                              "peripheral pulse",
                              "mucous membranes",
                              "capillary refill time",
                              "pain",
                              "peristalsis",
                              "abdominal distension",
                              "nasogastric tube",
                              "nasogastric reflux",
                              "nasogastric reflux pH",
                              "rectal examination",
                              "abdomen",
                              "packed cell volume",
                              "total protein",
                              "abdominocentesis appearance",
                              "abdominocentesis total protein"});
  d.labels = Labels(d.labels.ids(), {"surgical lesion", "no surgical lesion"});  // in the file 1, 2
  return d;
}

}  // namespace

Dataset load_idx_folder(const std::string& folder, Subset subset, std::vector<std::string> names) {
  return join_parts(subset, [&](bool train) {
    const std::string images = find_file(folder, kIdxFiles[train ? 0 : 2]);
    const std::string labels = find_file(folder, kIdxFiles[train ? 1 : 3]);
    Dataset d = from_tensor(images, load_idx(images));
    d.labels = Labels(load_idx(labels), names);
    if (!d.is_images() || d.labels.size() != d.size())
      fail("catalog", text("images, and a label for each, in ", folder),
           text(d.values, " and ", d.labels.size(), " labels"));
    return d;
  });
}

const std::vector<Source>& sources() {
  static const std::string kUci = "fetch it from https://archive.ics.uci.edu/dataset/";
  static const std::vector<Source> all = {
      {.entry = {"digits", "handwritten digits, the test part of optdigits", 1797, "8 x 8", 10,
                 "text, gzip", "CC BY 4.0", "it comes with Clade: install Clade again", ""},
       .folders = {"digits"},
       .files = {"optdigits.tes"},
       .has_subsets = false,
       .load = load_digits},
      {.entry = {"mnist", "handwritten digits", 70000, "28 x 28", 10, "IDX", "CC BY-SA 3.0",
                 "fetch its four files from http://yann.lecun.com/exdb/mnist/", ""},
       .folders = {"mnist", "MNIST/raw"},
       .files = kIdxFiles,
       .has_subsets = true,
       .load = load_mnist},
      {.entry = {"fashion-mnist", "pictures of clothes", 70000, "28 x 28", 10, "IDX", "MIT",
                 "apt-get install dataset-fashion-mnist, or fetch its four files from "
                 "https://github.com/zalandoresearch/fashion-mnist",
                 ""},
       .folders = {"fashion-mnist", "FashionMNIST/raw"},
       .files = kIdxFiles,
       .has_subsets = true,
       .load = load_fashion},
      {.entry = {"usps", "digits from envelopes", 9298, "16 x 16", 10, "JF text",
                 "no licence stated; research",
                 "fetch usps_train.jf and usps_test.jf from "
                 "https://www-i6.informatik.rwth-aachen.de/~keysers/usps.html",
                 ""},
       .folders = {"usps"},
       .files = {"usps_train.jf", "usps_test.jf"},
       .has_subsets = true,
       .load = load_usps},
      {.entry = {"coil20", "20 objects seen from 72 sides", 1440, "128 x 128", 20, "PNG folder",
                 "non-commercial research",
                 "fetch the processed images from "
                 "https://www.cs.columbia.edu/CAVE/software/softlib/coil-20.php",
                 ""},
       .folders = {"coil20/coil-20-proc", "coil-20-proc", "coil20"},
       .files = {"obj1__0.png", "obj20__71.png"},
       .has_subsets = false,
       .load = load_coil20},
      {.entry = {"optdigits", "handwritten digits, both parts", 5620, "8 x 8", 10, "text",
                 "CC BY 4.0", kUci + "80", ""},
       .folders = {"optdigits"},
       .files = {"optdigits.tra", "optdigits.tes"},
       .has_subsets = true,
       .load = load_optdigits},
      {.entry = {"cifar10", "photographs of ten things", 60000, "3 x 32 x 32", 10,
                 "CIFAR-10 binary", "no licence stated; cite the report",
                 "fetch the binary version from https://www.cs.toronto.edu/~kriz/cifar.html", ""},
       .folders = {"cifar10", "cifar-10-batches-bin"},
       .files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                 "data_batch_5.bin", "test_batch.bin"},
       .has_subsets = true,
       .load = load_cifar10_full},
      {.entry = {"cifar10-subset", "the first 4000 and 1000 of CIFAR-10", 5000, "3 x 32 x 32", 10,
                 "CIFAR-10 binary", "no licence stated; cite the report",
                 "cut data_batch_1.bin and test_batch.bin of CIFAR-10 to 4000 and 1000 records: "
                 "data_batch_1_first4000.bin, test_batch_first1000.bin",
                 ""},
       .folders = {"cifar10-subset"},
       .files = {"data_batch_1_first4000.bin", "test_batch_first1000.bin"},
       .has_subsets = true,
       .load = load_cifar10_subset},
      {.entry = {"breast-cancer-wisconsin", "cells under the microscope; 16 values missing", 699,
                 "9", 2, "text", "CC BY 4.0", kUci + "15", ""},
       .folders = {"breast-cancer-wisconsin"},
       .files = {"breast-cancer-wisconsin.data"},
       .has_subsets = false,
       .load = load_breast_cancer},
      {.entry = {"horse-colic", "sick horses; a quarter of the values missing", 300, "21", 2,
                 "text", "CC BY 4.0", kUci + "47", ""},
       .folders = {"horse-colic"},
       .files = {"horse-colic.data"},
       .has_subsets = false,
       .load = load_horse_colic},
      {.entry = {"har", "human activity by smartphone", 10299, "561", 6, "UCI HAR text",
                 "CC BY 4.0", kUci + "240", ""},
       .folders = {"har", "UCI HAR Dataset"},
       .files = {"train/X_train.txt", "train/y_train.txt", "test/X_test.txt", "test/y_test.txt"},
       .has_subsets = true,
       .load = load_har_folder},
      {.entry = {"bsds300", "grey crops of 300 photographs, no classes", 56100, "28 x 28", 0,
                 "JPEG folder", "non-commercial research and education",
                 "fetch the images from "
                 "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/",
                 ""},
       .folders = {"bsds300", "BSDS300"},
       .files = {"iids_train.txt", "iids_test.txt"},
       .has_subsets = true,
       .load = load_bsds300},
      {.entry = {"reuters10k", "news by their words, four topics", 10000, "2000", 4,
                 "RCV1-v2 tokens", "research, by agreement with NIST",
                 "fetch lyrl2004_tokens_*.dat and rcv1-v2.topics.qrels from the online appendices "
                 "of https://www.jmlr.org/papers/volume5/lewis04a/",
                 ""},
       .folders = {"reuters10k", "rcv1"},
       .files = {"lyrl2004_tokens_train.dat", "lyrl2004_tokens_test_pt0.dat",
                 "lyrl2004_tokens_test_pt1.dat", "lyrl2004_tokens_test_pt2.dat",
                 "lyrl2004_tokens_test_pt3.dat", "rcv1-v2.topics.qrels"},
       .has_subsets = false,
       .load = load_reuters10k},
      {.entry = {"stl10-features", "photographs by a network's features", 13000, "2048", 10,
                 "NPY and STL-10 labels", "no licence stated; cite the paper",
                 "save a ResNet-50's features as features.npy beside train_y.bin and test_y.bin of "
                 "https://cs.stanford.edu/~acoates/stl10/",
                 ""},
       .folders = {"stl10-features"},
       .files = {"features.npy", "train_y.bin", "test_y.bin"},
       .has_subsets = false,
       .load = load_stl10},
  };
  return all;
}

}  // namespace clade::data

// The data sets themselves, where this machine has them: $CLADE_DATA, /usr/share/datasets, or
// shared/data beside the source tree. Expected sums were computed with NumPy and Pillow.
#include <gtest/gtest.h>

#include <cstdio>

#include "data/catalog.h"
#include "data/prepare.h"

namespace clade::data {
namespace {

using Counts = std::vector<int64_t>;
using Ids = std::vector<int>;

const std::string kDataDir = CLADE_SOURCE_DIR "/../shared/data";

// The folder of a data set; empty where it is not.
std::string folder_of(const std::string& name) {
  for (const CatalogEntry& entry : catalog(kDataDir))
    if (entry.name == name) return entry.found;
  return "";
}

// Whether the data set is there; says so where it is not.
bool is_here(const std::string& name) {
  if (!folder_of(name).empty()) return true;
  std::printf("[  SKIPPED ] %s is not on this machine\n", name.c_str());
  return false;
}

Dataset load_real(const std::string& name, Subset subset = Subset::all) {
  return load(name, {.data_dir = kDataDir, .subset = subset});
}

double sum(const Tensor& t) {
  double total = 0;
  for (float v : t.to_vector<float>()) total += double(v);
  return total;
}

Ids first_labels(const Dataset& d) { return d.labels.slice(0, 10).ids().to_vector<int>(); }

TEST(RealData, Mnist) {
  if (!is_here("mnist")) GTEST_SKIP();
  const Dataset train = load_real("mnist", Subset::train), test = load_real("mnist", Subset::test);
  EXPECT_EQ(train.labels.counts(),
            (Counts{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(test.labels.counts(), (Counts{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_EQ(first_labels(train), (Ids{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}));
  EXPECT_EQ(first_labels(test), (Ids{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}));
  EXPECT_EQ(train.values.shape(), Shape({60000, 1, 28, 28}));
  EXPECT_NEAR(sum(train.values) * 255, 1567298545, 100);
  EXPECT_NEAR(sum(test.values) * 255, 264923200, 100);
  EXPECT_NEAR(sum(train.values.slice(0, 59999, 60000)) * 255, 20920, 0.01);
  EXPECT_EQ(train.values.at({0, 0, 14, 13}), 81 / 255.0f);

  const Dataset padded = pad_to_power_of_two(slice(train, 0, 100));
  EXPECT_EQ(padded.values.shape(), Shape({100, 1, 32, 32}));
  EXPECT_EQ(padded.values.at({0, 0, 16, 15}), 81 / 255.0f);
}

TEST(RealData, FashionMnist) {
  if (!is_here("fashion-mnist")) GTEST_SKIP();
  const Dataset d = load_real("fashion-mnist");
  EXPECT_EQ(d.size(), 70000);
  EXPECT_EQ(d.labels.counts(), Counts(10, 7000));
  EXPECT_EQ(first_labels(d), (Ids{9, 0, 0, 3, 0, 2, 7, 2, 5, 5}));
  EXPECT_NEAR(sum(d.values) * 255, 3431114169.0 + 573469082.0, 200);
  EXPECT_EQ(d.values.at({0, 0, 14, 25}), 1);
}

TEST(RealData, Usps) {
  if (!is_here("usps")) GTEST_SKIP();
  const Dataset d = load_real("usps");
  EXPECT_EQ(d.values.shape(), Shape({9298, 1, 16, 16}));
  EXPECT_EQ(d.labels.counts(), (Counts{1553, 1269, 929, 824, 852, 716, 834, 792, 708, 821}));
  EXPECT_EQ(load_real("usps", Subset::test).labels.counts(),
            (Counts{359, 264, 198, 166, 200, 160, 170, 147, 166, 177}));
  EXPECT_EQ(first_labels(d), (Ids{6, 5, 4, 7, 3, 6, 3, 1, 0, 1}));
  EXPECT_NEAR(sum(d.values) * 2, 949974.283 + 274990.842, 0.1);
  EXPECT_NEAR(sum(d.values.slice(0, 0, 1)) * 2, 174.639, 1e-4);
}

TEST(RealData, Coil20) {
  if (!is_here("coil20")) GTEST_SKIP();
  const Dataset d = load_real("coil20");
  EXPECT_EQ(d.values.shape(), Shape({1440, 1, 128, 128}));
  EXPECT_EQ(d.labels.counts(), Counts(20, 72));
  EXPECT_EQ(d.labels.names()[1], "obj2");
  EXPECT_NEAR(sum(d.values.slice(0, 0, 1)) * 255, 1474539, 0.1);
  EXPECT_NEAR(sum(d.values.slice(0, 72, 73)) * 255, 1103579, 0.1);
  EXPECT_NEAR(sum(d.values.slice(0, 1439, 1440)) * 255, 863386, 0.1);

  const Tensor half = resize(slice(d, 0, 1), 64, 64).values;  // row 30: means of 2 x 2 blocks
  const std::vector<double> expected = {4, 4, 4, 111.75, 162, 168, 163.75, 141.25, 163.75, 187.75};
  for (int64_t i = 0; i < 10; i++)
    EXPECT_NEAR(half.at({0, 0, 30, 4 * i}) * 255, expected[size_t(i)], 1e-4);
}

TEST(RealData, Cifar10Subset) {
  if (!is_here("cifar10-subset")) GTEST_SKIP();
  const Dataset train = load_real("cifar10-subset", Subset::train);
  EXPECT_EQ(train.labels.counts(), (Counts{396, 366, 420, 384, 422, 393, 414, 385, 407, 413}));
  EXPECT_EQ(load_real("cifar10-subset", Subset::test).labels.counts(),
            (Counts{103, 89, 100, 103, 90, 86, 112, 102, 106, 109}));
  EXPECT_EQ(first_labels(train), (Ids{6, 9, 9, 4, 1, 1, 2, 7, 8, 3}));
  EXPECT_NEAR(sum(train.values) * 255, 1481085868, 100);
  const double planes[] = {144594, 107622, 65574}, last[] = {123, 92, 72};
  for (int64_t c = 0; c < 3; c++) {
    EXPECT_NEAR(sum(train.values.select(0, 0).select(0, c)) * 255, planes[c], 0.01);
    EXPECT_FLOAT_EQ(float(train.values.at({0, c, 31, 31})), float(last[c]) / 255);
  }
}

TEST(RealData, Optdigits) {
  if (!is_here("optdigits")) GTEST_SKIP();
  const Dataset d = load_real("optdigits");
  EXPECT_EQ(d.size(), 5620);
  EXPECT_EQ(load_real("optdigits", Subset::train).labels.counts(),
            (Counts{376, 389, 380, 389, 387, 376, 377, 387, 380, 382}));
}

TEST(RealData, Bsds300) {
  if (!is_here("bsds300")) GTEST_SKIP();
  const Dataset d =
      load(folder_of("bsds300") + "/images/test", {.images = {.height = 32, .width = 48}});
  EXPECT_EQ(d.values.shape(), Shape({100, 3, 32, 48}));
  EXPECT_FALSE(d.labels.defined());
  // 3096.jpg comes first; means over 321 x 481 pixels by Pillow, whose decoder may differ by one.
  const double means[] = {17572287, 18277144, 19940933};
  for (int64_t c = 0; c < 3; c++)
    EXPECT_NEAR(sum(d.values.select(0, 0).select(0, c)) / (32 * 48) * 255, means[c] / (321 * 481),
                0.5);
}

// 481 x 321 pixels hold 17 x 11 crops of 28 x 28, standing or lying.
TEST(RealData, Bsds300InCrops) {
  if (!is_here("bsds300")) GTEST_SKIP();
  const Dataset d = load_real("bsds300", Subset::test), all = load_real("bsds300");
  EXPECT_EQ(d.values.shape(), Shape({100 * 187, 1, 28, 28}));
  EXPECT_EQ(all.values.shape(), Shape({300 * 187, 1, 28, 28}));
  EXPECT_FALSE(all.labels.defined());
  EXPECT_EQ(sum(d.values.slice(0, 0, 50)), sum(all.values.slice(0, 200 * 187, 200 * 187 + 50)));
}

TEST(RealData, BreastCancerWisconsin) {
  if (!is_here("breast-cancer-wisconsin")) GTEST_SKIP();
  const Dataset d = load_real("breast-cancer-wisconsin");
  EXPECT_EQ(d.values.shape(), Shape({699, 9}));
  EXPECT_EQ(d.labels.counts(), (Counts{458, 241}));
  EXPECT_EQ(d.labels.names()[1], "malignant");
  EXPECT_NEAR(missing_rate(d) * 699 * 9, 16, 1e-6);
  EXPECT_NEAR(sum(d.mask.select(1, 5)), 699 - 16, 1e-6);
  EXPECT_EQ(d.columns[5], "bare nuclei");
}

TEST(RealData, HorseColic) {
  if (!is_here("horse-colic")) GTEST_SKIP();
  const Dataset d = load_real("horse-colic");
  EXPECT_EQ(d.values.shape(), Shape({300, 21}));
  EXPECT_EQ(d.labels.counts(), (Counts{191, 109}));
  EXPECT_EQ(d.values.at({0, 2}), 38.5);
  EXPECT_EQ(d.mask.at({0, 7}), 0);
}

}  // namespace
}  // namespace clade::data

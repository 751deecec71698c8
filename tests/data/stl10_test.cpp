#include "data/readers/stl10.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "data/catalog.h"
#include "tensor/file.h"
#include "tensor/npy.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade::data {
namespace {

TEST(Stl10, ReadsFeaturesBesideTheOfficialLabels) {
  const clade::testing::TempDir dir;
  std::filesystem::create_directory(dir / "stl10-features");
  save_npy(dir / "stl10-features/features.npy", Tensor::from<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
  write_file_atomically(dir / "stl10-features/train_y.bin", "\x0a\x01");
  write_file_atomically(dir / "stl10-features/test_y.bin", "\x04");
  const Dataset d = load("stl10-features", {.data_dir = dir.path()});
  EXPECT_EQ(d.values.shape(), Shape({3, 2}));
  EXPECT_EQ(d.values.at({2, 1}), 6);
  EXPECT_EQ(d.labels.ids().to_vector<int>(), (std::vector<int>{9, 0, 3}));
  EXPECT_EQ(d.labels.names()[9], "truck");
}

TEST(Stl10, Malformed) {
  const Tensor two = Tensor::from<float>({1, 2}, {2, 1});
  auto message = [&](const Tensor& features, std::string_view train, std::string_view test) {
    return clade::testing::message_of([&] { stl10_features(features, train, test, "F"); });
  };
  EXPECT_EQ(
      message(two, "\x01", ""),
      "stl10: expected features (n, D) in F, a row for each of the 1 labels; got " + text(two));
  EXPECT_EQ(message(two, "\x01", "\x0b"), "stl10: expected labels 1 .. 10 in F; got 11 of row 1");
  EXPECT_EQ(message(Tensor::from<float>({1, NAN}, {2, 1}), "\x01", "\x02"),
            "stl10: expected finite features in F; got NaN");
}

}  // namespace
}  // namespace clade::data

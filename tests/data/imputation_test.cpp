#include "data/imputation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/missing.h"
#include "tensor/npy.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::data {
namespace {

using clade::testing::message_of;

Dataset table_of(const std::vector<float>& values, const std::vector<float>& mask,
                 int64_t columns) {
  Dataset d;
  const Shape shape{int64_t(values.size()) / columns, columns};
  d.values = Tensor::from(values, shape), d.mask = Tensor::from(mask, shape);
  return d;
}

TEST(Imputation, NearestPixelsByHand) {
  // 3 x 3; missing: the centre, the corner below right
  Dataset d;
  d.values = Tensor::from<float>({.1f, .2f, .3f, .4f, 0, .6f, .7f, .8f, 0}, {1, 1, 3, 3});
  d.mask = Tensor::from<float>({1, 1, 1, 1, 0, 1, 1, 1, 0}, {1, 1, 3, 3});
  const auto one = impute(d, Imputation::nearest, Random(1)).values.to_vector<float>();
  EXPECT_EQ(one[4], .2f);  // above, of four at distance 1
  EXPECT_EQ(one[8], .6f);  // above; the centre, missing itself, is no neighbour
  const auto two = impute(d, Imputation::two_nearest, Random(1)).values.to_vector<float>();
  EXPECT_FLOAT_EQ(two[4], (.2f + .4f) / 2);
  EXPECT_FLOAT_EQ(two[8], (.6f + .8f) / 2);
  for (size_t i : {0, 1, 2, 3, 5, 6, 7}) EXPECT_EQ(two[i], d.values.to_vector<float>()[i]);
}

TEST(Imputation, MeanZeroAndRandomOfATable) {
  const Dataset d = table_of({1, 10, 0, 30, 3, 0}, {1, 1, 0, 1, 1, 0}, 2);
  auto with = [&](Imputation how) { return impute(d, how, Random(4)).values.to_vector<float>(); };
  EXPECT_EQ(with(Imputation::mean), (std::vector<float>{1, 10, 2, 30, 3, 20}));
  EXPECT_EQ(with(Imputation::zero), (std::vector<float>{1, 10, 0, 30, 3, 0}));
  const auto drawn = with(Imputation::random);
  EXPECT_GE(drawn[2], 1);
  EXPECT_LE(drawn[2], 3);
  EXPECT_GE(drawn[5], 10);
  EXPECT_LE(drawn[5], 30);
  EXPECT_FALSE(impute(d, Imputation::mean, Random(1)).mask.defined());
  EXPECT_EQ(message_of([&] { impute(d, Imputation::nearest, Random(1)); }),
            "impute: expected images for nearest pixels; got a table [3, 2]; take mean, or the k "
            "nearest rows");
  EXPECT_EQ(message_of([] { imputation_of("median"); }),
            "imputation: expected zero, random, nearest, two-nearest or mean; got 'median'");
}

TEST(Imputation, SameBitsAtAnyThreadCount) {
  Dataset d;
  Random rng(2);
  d.values = rand({40, 2, 16, 16}, rng).to_layout(Layout::channels_last);
  d = hide_patches(d, PatchOptions::for_width(16), Random(3));
  for (Imputation how : {Imputation::random, Imputation::two_nearest, Imputation::mean})
    clade::testing::expect_same_at_any_thread_count(
        [&] { return impute(d, how, Random(5)).values.to_vector<float>(); });
}

TEST(Imputation, CompleteRowsAreThoseWithoutHoles) {
  Dataset d = table_of({1, 2, 3, 4, 5, 6}, {1, 1, 1, 0, 1, 1}, 2);
  d.labels = Labels::from_words({"a", "b", "b"});
  const CompleteRows kept = complete_rows(d);
  EXPECT_EQ(kept.rows.to_vector<int64_t>(), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(kept.data.values.to_vector<float>(), (std::vector<float>{1, 2, 5, 6}));
  EXPECT_EQ(kept.data.labels.ids().to_vector<int32_t>(), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(message_of([] {
              complete_rows(table_of({1, 2}, {0, 1}, 2));
            }),
            "complete_rows: expected a row of which nothing is missing; got none of 1; impute, or "
            "take a model with a mask");
}

TEST(Imputation, QualityCountsWhatWasRemovedAlone) {
  Dataset truth = table_of({1, 2, 3, 4}, {1, 1, 1, 0}, 2),
          hidden = table_of({1, 0, 0, 0}, {1, 0, 0, 0}, 2);
  const Tensor filled = Tensor::from<float>({9, 5, 7, 100}, {2, 2});
  EXPECT_NEAR(rmse_of_removed(truth, hidden, filled), std::sqrt((9.0 + 16.0) / 2), 1e-12);
  EXPECT_EQ(message_of([&] { rmse_of_removed(truth, truth, filled); }),
            "rmse_of_removed: expected values that were removed; got none");
}

TEST(Imputation, StructuralSimilarityIsScikitImages) {
  auto golden = [](const char* name) {
    return load_npy(text(CLADE_GOLDEN_DIR, "/formats/ssim_", name, ".npy"));
  };
  EXPECT_NEAR(structural_similarity(golden("a"), golden("b")), golden("value").at({0}), 1e-10);
  EXPECT_NEAR(structural_similarity(golden("a"), golden("a")), 1, 1e-12);
}

// Correlation of two lists of numbers.
double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); i++)
    ma += a[i] / double(a.size()), mb += b[i] / double(a.size());
  for (size_t i = 0; i < a.size(); i++)
    ab += (a[i] - ma) * (b[i] - mb), aa += (a[i] - ma) * (a[i] - ma),
        bb += (b[i] - mb) * (b[i] - mb);
  return ab / std::sqrt(aa * bb);
}

// Independent normal columns: only the mechanism can tie a mask to a value.
TEST(Missing, WhatHidesAValueIsWhatTheMechanismSays) {
  const int64_t n = 20000, columns = 5;
  Random rng(8);
  Dataset d;
  d.values = randn({n, columns}, rng);
  auto column = [&](const Tensor& t, int64_t j) { return t.select(1, j).to_vector<double>(); };
  for (double rate : {0.1, 0.5}) {
    const Dataset mar = hide_by_column(d, rate, Random(9));
    EXPECT_NEAR(missing_rate(mar), rate, 0.01);
    int64_t driver = -1;
    for (int64_t j = 0; j < columns; j++) {
      const auto m = column(mar.mask, j);
      if (*std::min_element(m.begin(), m.end()) == 1) driver = j;
    }
    ASSERT_GE(driver, 0);
    for (int64_t j = 0; j < columns; j++) {
      if (j == driver) continue;
      const auto m = column(mar.mask, j);
      EXPECT_GT(std::abs(correlation(m, column(d.values, driver))), 0.3);
      EXPECT_LT(std::abs(correlation(m, column(d.values, j))), 0.03);  // 4 standard deviations
    }
    const Dataset mnar = hide_by_value(d, rate, Random(9));
    EXPECT_NEAR(missing_rate(mnar), rate, 0.01);
    for (int64_t j = 0; j < columns; j++) {
      EXPECT_LT(correlation(column(mnar.mask, j), column(d.values, j)), -0.3);
      EXPECT_LT(std::abs(correlation(column(mnar.mask, j), column(d.values, (j + 1) % columns))),
                0.03);
    }
  }
}

TEST(Missing, MechanismsOnImagesAndEdges) {
  Dataset d;
  Random rng(8);
  d.values = rand({60, 2, 8, 8}, rng).to_layout(Layout::channels_last);
  for (auto hide : {hide_by_column, hide_by_value}) {
    const Dataset hidden = hide(d, 0.3, Random(2));
    EXPECT_NEAR(missing_rate(hidden), 0.3, 0.03);
    const auto v = hidden.values.to_vector<float>(), m = hidden.mask.to_vector<float>(),
               x = d.values.to_vector<float>();
    for (size_t i = 0; i < v.size(); i++) ASSERT_EQ(v[i], m[i] != 0 ? x[i] : 0.0f);
    EXPECT_EQ(missing_rate(hide(d, 0, Random(2))), 0);
    clade::testing::expect_same_at_any_thread_count(
        [&] { return hide(d, 0.3, Random(2)).mask.to_vector<float>(); });
  }
  EXPECT_EQ(message_of([&] { hide_by_value(d, 1, Random(1)); }),
            "hide_by_value: expected a rate in 0 .. 1, below 1; got 1");
  EXPECT_EQ(
      message_of([&] {
        hide_by_column(table_of({1, 2, 3, 4}, {1, 1, 1, 1}, 2), 0.5, Random(1));
      }),
      "hide_by_column: expected a rate of 0 or more, below 0.5, as one column stays; got 0.5");
}

}  // namespace
}  // namespace clade::data

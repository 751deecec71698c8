#include "data/batches.h"

#include <gtest/gtest.h>

#include <numeric>

#include "data/missing.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade::data {
namespace {

using clade::testing::message_of;
using Rows = std::vector<int64_t>;

// Row i of n holds 10 i and 10 i + 1.
Dataset table(int64_t n) {
  std::vector<float> values;
  for (int64_t i = 0; i < n; i++) {
    values.push_back(float(10 * i));
    values.push_back(float(10 * i + 1));
  }
  return from_tensor("t", Tensor::from(values, {n, 2}));
}

Rows epoch_rows(Batches& batches, int64_t epoch) {
  Rows rows;
  for (int64_t step = 0; step < batches.per_epoch(); step++)
    for (int64_t row : batches.at(epoch, step).rows.to_vector<int64_t>()) rows.push_back(row);
  return rows;
}

TEST(Batches, EachRowOnceAnEpoch) {
  Batches batches(table(103), {.size = 10, .seed = 4});
  EXPECT_EQ(batches.per_epoch(), 11);
  EXPECT_EQ(batches.at(0, 10).values.shape(), Shape({3, 2}));
  Rows all(103);
  std::iota(all.begin(), all.end(), 0);
  const Rows first = epoch_rows(batches, 0), second = epoch_rows(batches, 1);
  EXPECT_NE(first, second);
  EXPECT_NE(first, all);
  for (Rows rows : {first, second}) {
    std::sort(rows.begin(), rows.end());
    EXPECT_EQ(rows, all);
  }
}

TEST(Batches, PartialBatchDropped) {
  Batches batches(table(103), {.size = 10, .drop_partial = true});
  EXPECT_EQ(batches.per_epoch(), 10);
  EXPECT_EQ(epoch_rows(batches, 0).size(), 100u);
}

TEST(Batches, ASizeBeyondTheRowsGivesOneBatch) {
  for (int64_t size : {int64_t{6}, INT64_MAX}) {
    Batches batches(table(5), {.size = size, .shuffle = false});
    EXPECT_EQ(batches.per_epoch(), 1);
    EXPECT_EQ(epoch_rows(batches, 0), (Rows{0, 1, 2, 3, 4}));
  }
}

TEST(Batches, InOrder) {
  Batches batches(table(5), {.size = 2, .shuffle = false});
  EXPECT_EQ(epoch_rows(batches, 7), (Rows{0, 1, 2, 3, 4}));
}

TEST(Batches, AResumedRunSeesTheSame) {
  Batches unbroken(table(50), {.size = 8, .seed = 3});
  for (int64_t epoch = 0; epoch < 2; epoch++) epoch_rows(unbroken, epoch);
  Batches resumed(table(50), {.size = 8, .seed = 3});
  for (int64_t step : {4, 1, 6})
    EXPECT_EQ(resumed.at(2, step).rows.to_vector<int64_t>(),
              unbroken.at(2, step).rows.to_vector<int64_t>());
  Batches other(table(50), {.size = 8, .seed = 4});
  EXPECT_NE(epoch_rows(other, 2), epoch_rows(unbroken, 2));
}

TEST(Batches, ValuesAndMaskBelongToTheRows) {
  Dataset d = hide_at_random(table(40), 0.3, Random(1));
  Batches batches(d, {.size = 16});
  const Batch batch = batches.at(0, 1);
  const Rows rows = batch.rows.to_vector<int64_t>();
  for (int64_t i = 0; i < 16; i++)
    for (int64_t c = 0; c < 2; c++) {
      EXPECT_EQ(batch.values.at({i, c}), d.values.at({rows[size_t(i)], c}));
      EXPECT_EQ(batch.mask.at({i, c}), d.mask.at({rows[size_t(i)], c}));
    }
  Batches complete(table(4), {});
  EXPECT_FALSE(complete.at(0, 0).mask.defined());
}

TEST(Batches, ImagesStayChannelsLast) {
  Random rng(1);
  const Dataset d = from_tensor("i", rand({20, 3, 4, 5}, rng));
  Batches batches(d, {.size = 6});
  const Batch batch = batches.at(3, 0);
  EXPECT_TRUE(batch.values.is_channels_last());
  const int64_t row = batch.rows.to_vector<int64_t>()[2];
  EXPECT_EQ(batch.values.select(0, 2).to_vector<float>(),
            d.values.select(0, row).to_vector<float>());
}

TEST(GatherRows, SameBitsAtAnyThreadCountAndAnyStride) {
  Random rng(1);
  const Tensor from = rand({3, 500}, rng).transpose(0, 1);  // rows with gaps between them
  const Tensor rows = permutation(500, rng);
  clade::testing::expect_same_at_any_thread_count(
      [&] { return gather_rows(from, rows).to_vector<float>(); });
  EXPECT_EQ(gather_rows(from, rows).at({7, 2}), from.at({rows.to_vector<int64_t>()[7], 2}));
  EXPECT_EQ(gather_rows(from, Tensor::empty({0}, DType::i64)).shape(), Shape({0, 3}));
}

TEST(Batches, Refused) {
  EXPECT_EQ(message_of([] { Batches(table(3), {.size = 0}); }),
            "Batches: expected a size of 1 or more; got 0");
  EXPECT_EQ(message_of([] { Batches(table(3), {.size = 4, .drop_partial = true}); }),
            "Batches: expected a batch size in 1 .. 3; got 4");
  EXPECT_EQ(message_of([] { Batches(Dataset(), {}); }),
            "Batches: expected a data set with one row or more; got undefined tensor");
  Batches batches(table(3), {.size = 2});
  EXPECT_EQ(message_of([&] { batches.at(0, 2); }),
            "Batches: expected an epoch of 0 or more and a step in 0 .. 1; got epoch 0, step 2");
  EXPECT_EQ(message_of([] {
              gather_rows(Tensor::zeros({3, 2}), Tensor::from<int64_t>({0, 3}, {2}));
            }),
            "gather_rows: expected rows in 0 .. 2; got 3");
}

}  // namespace
}  // namespace clade::data

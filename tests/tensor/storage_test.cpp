#include "tensor/storage.h"

#include <gtest/gtest.h>

#include "tensor/random.h"

namespace clade {
namespace {

TEST(Storage, CountsItsOwners) {
  int64_t live = memory_stats().live;
  {
    StorageRef a(new Storage(100, Device::cpu()));
    EXPECT_EQ(a->owners(), 1);
    StorageRef b = a, c;
    EXPECT_EQ(a->owners(), 2);
    EXPECT_FALSE(bool(c));
    c = b;
    c = *&c;  // to itself
    EXPECT_EQ(a->owners(), 3);
    StorageRef d = static_cast<StorageRef&&>(c);
    EXPECT_FALSE(bool(c));
    EXPECT_EQ(a->owners(), 3);
    b = StorageRef();
    EXPECT_EQ(a->owners(), 2);
    EXPECT_EQ(a->bytes(), 100u);
    EXPECT_TRUE(a->device().is_cpu());
    EXPECT_EQ(memory_stats().live, live + 128);
  }
  EXPECT_EQ(memory_stats().live, live);
}

TEST(Storage, KnowsItsVersionAndItsLastWriter) {
  Tensor t = Tensor::zeros({4});
  EXPECT_EQ(t.storage().version(), 0);
  EXPECT_STREQ(t.storage().writer(), "");
  t.fill_(1);
  EXPECT_EQ(t.storage().version(), 1);
  EXPECT_STREQ(t.storage().writer(), "fill_");
  t.slice(0, 0, 2).copy_(Tensor::zeros({2}));  // a write through a view is a write
  EXPECT_EQ(t.storage().version(), 2);
  EXPECT_STREQ(t.storage().writer(), "copy_");
  Random rng(1);
  fill_normal(rng, t);
  EXPECT_EQ(t.storage().version(), 3);
  EXPECT_STREQ(t.storage().writer(), "fill_normal");
  t.written_by("sgd");
  EXPECT_EQ(t.storage().version(), 4);
  EXPECT_STREQ(t.storage().writer(), "sgd");
}

TEST(Storage, ReadingAndCopyingAreNoWrites) {
  Tensor t = Tensor::zeros({2, 2});
  t.clone().fill_(3);
  t.to(DType::f64).fill_(3);
  t.permute({1, 0}).contiguous().fill_(3);
  EXPECT_EQ(t.storage().version(), 0);
}

}  // namespace
}  // namespace clade

// Copies and conversions, over random views: each element is checked against at().
#include <gtest/gtest.h>

#include "tensor/random.h"
#include "tensor/tensor.h"
#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade {
namespace {

using testing::message_of;

// Calls body(index) for each index of the shape, in row-major order.
template <class Body>
void for_each_index(const Shape& shape, Body&& body) {
  std::vector<int64_t> index(size_t(shape.rank()), 0);
  for (int64_t i = 0; i < shape.numel(); i++) {
    int64_t rest = i;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      index[size_t(d)] = rest % shape[d];
      rest /= shape[d];
    }
    body(index);
  }
}

double value_at(const Tensor& t, const std::vector<int64_t>& index) {
  Tensor rest = t;
  for (int64_t i : index) rest = rest.select(0, i);
  return rest.item();
}

// A view of random rank, sizes (0 and 1 among them), order of axes, steps and repeated axes.
Tensor random_view(Random& rng) {
  int rank = int(rng.below(5));
  int64_t sizes[kMaxRank];
  for (int d = 0; d < rank; d++) sizes[d] = rng.below(12) == 0 ? 0 : 1 + rng.below(5);
  Tensor t = randn(Shape(sizes, rank), rng);
  for (int d = 0; d < rank; d++) {
    if (rng.below(3) == 0) t = t.transpose(d, int(rng.below(rank)));
    if (rng.below(3) == 0 && t.size(d) > 1) t = t.slice(d, 1, t.size(d), 1 + rng.below(2));
    if (t.size(d) == 1 && rng.below(2)) t = t.expand(t.shape().with(d, 3));
  }
  return t;
}

TEST(Copy, EveryViewKeepsItsElements) {
  const uint64_t seed = 20240501;
  Random rng(seed);
  for (int trial = 0; trial < 300; trial++) {
    Tensor t = random_view(rng);
    SCOPED_TRACE(text("seed ", seed, ", trial ", trial, ", ", t));
    std::vector<float> values = t.to_vector<float>();
    size_t at = 0;
    for_each_index(t.shape(), [&](const std::vector<int64_t>& index) {
      EXPECT_EQ(values[at++], value_at(t, index));
    });
    EXPECT_EQ(t.clone().to_vector<float>(), values);
    EXPECT_EQ(t.contiguous().to_vector<float>(), values);
    EXPECT_EQ(t.to_layout(Layout::channels_last).to_vector<float>(), values);
    EXPECT_EQ(t.to(DType::f64).to_vector<float>(), values);
    EXPECT_TRUE(t.contiguous().is_contiguous());
    EXPECT_TRUE(t.clone().is_dense());
  }
}

TEST(Copy, IntoEveryView) {
  const uint64_t seed = 77;
  Random rng(seed);
  for (int trial = 0; trial < 100; trial++) {
    Tensor base = Tensor::zeros({6, 5, 4}, DType::f64);
    Tensor target =
        base.transpose(0, int(rng.below(3))).slice(1, rng.below(3), 4, 1 + rng.below(2));
    Tensor source = randn(target.shape(), rng);
    target.copy_(source);
    SCOPED_TRACE(text("seed ", seed, ", trial ", trial, ", ", target));
    EXPECT_EQ(target.to_vector<float>(), source.to_vector<float>());
    double written = 0, all = 0;
    for (double v : source.to_vector<double>()) written += v;
    for (double v : base.to_vector<double>()) all += v;
    EXPECT_NEAR(all, written, 1e-12) << "elements beside the view were written";
  }
}

TEST(Copy, KeepsADenseLayoutAndDropsGaps) {
  Random rng(5);
  Tensor image = randn({2, 3, 4, 5}, rng).to_layout(Layout::channels_last);
  EXPECT_TRUE(image.clone().is_channels_last());
  EXPECT_TRUE(image.to(DType::f64).is_channels_last());
  EXPECT_TRUE(image.slice(3, 0, 2).clone().is_contiguous());
  EXPECT_TRUE(image.to_layout(Layout::channels_last).shares_storage_with(image));
  EXPECT_TRUE(image.to(DType::f32).shares_storage_with(image));
  EXPECT_FALSE(image.contiguous().shares_storage_with(image));
  Tensor matrix = randn({3, 4}, rng);
  EXPECT_TRUE(matrix.to_layout(Layout::channels_last).shares_storage_with(matrix));
}

TEST(Copy, ConvertsBetweenAllDTypes) {
  const DType all[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};
  const std::vector<double> values = {0, 1, 100, 255};
  for (DType from : all)
    for (DType to : all) {
      Tensor t = Tensor::from(values, {2, 2}).to(from).to(to);
      EXPECT_EQ(t.dtype(), to);
      EXPECT_EQ(t.to_vector<double>(), values) << name_of(from) << " to " << name_of(to);
    }
  Tensor odd = Tensor::from({-1.5, 2.9, 300.0, 0.0 / 0.0}, {4});
  EXPECT_EQ(odd.to(DType::i32).to_vector<int>(), (std::vector<int>{-1, 2, 300, 0}));
  EXPECT_EQ(odd.to(DType::u8).to_vector<int>(), (std::vector<int>{0, 2, 255, 0}));
}

TEST(Copy, BroadcastsIntoItsTarget) {
  Tensor t = Tensor::zeros({2, 3});
  t.copy_(Tensor::from({1, 2, 3}, {3}));
  EXPECT_EQ(t.to_vector<int>(), (std::vector<int>{1, 2, 3, 1, 2, 3}));
  t.slice(1, 0, 1).fill_(9);
  EXPECT_EQ(t.to_vector<int>(), (std::vector<int>{9, 2, 3, 9, 2, 3}));
  t.copy_(Tensor::scalar(4));
  EXPECT_EQ(t.to_vector<int>(), (std::vector<int>(6, 4)));
}

TEST(Copy, ATargetMayOverlapItsSource) {
  Tensor m = Tensor::from({1, 2, 3, 4}, {2, 2});
  m.copy_(m.transpose(0, 1));
  EXPECT_EQ(m.to_vector<int>(), (std::vector<int>{1, 3, 2, 4}));
  m.copy_(m.slice(0, 1, 2));  // broadcast over itself
  EXPECT_EQ(m.to_vector<int>(), (std::vector<int>{2, 4, 2, 4}));

  const uint64_t seed = 31;
  Random rng(seed);
  for (int trial = 0; trial < 100; trial++) {
    SCOPED_TRACE(text("seed ", seed, ", trial ", trial));
    Tensor base = randn({40}, rng);
    const int64_t n = 1 + rng.below(10);
    auto part = [&] {
      const int64_t step = 1 + rng.below(3), begin = rng.below(40 - (n - 1) * step);
      return base.slice(0, begin, begin + (n - 1) * step + 1, step);
    };
    const Tensor source = part();
    Tensor target = part();
    const std::vector<float> expected = source.to_vector<float>();
    target.copy_(source);
    EXPECT_EQ(target.to_vector<float>(), expected);
  }
}

TEST(Copy, BigCopiesAreTheSameAtAnyThreadCount) {
  Random rng(6);
  Tensor t = randn({3, 50, 41, 43}, rng);
  testing::expect_same_at_any_thread_count([&] {
    return t.to_layout(Layout::channels_last).to(DType::f64).contiguous().to_vector<double>();
  });
  EXPECT_EQ(t.to_layout(Layout::channels_last).to_vector<float>(), t.to_vector<float>());
}

TEST(Copy, MessagesOfWrongCopies) {
  Tensor t = Tensor::zeros({2, 3});
  EXPECT_EQ(message_of([&] { t.copy_(Tensor::zeros({2})); }),
            "expand: expected sizes equal to the target's, or 1; got f32 [2] to [2, 3]");
  EXPECT_EQ(message_of([&] {
              copy_elements(t.view(), Tensor::zeros({3, 2}).view());
            }),
            "copy: expected sizes [3, 2]; got [2, 3]");
  Tensor wide = t.slice(0, 0, 1).expand({2, 3});
  EXPECT_EQ(message_of([&] { wide.copy_(t); }),
            "copy_: expected a target whose elements each have their own place; got f32 [2, 3], "
            "expanded; write to its clone()");
  EXPECT_EQ(message_of([&] { wide.fill_(1); }),
            "fill_: expected a target whose elements each have their own place; got f32 [2, 3], "
            "expanded; write to its clone()");
}

}  // namespace
}  // namespace clade

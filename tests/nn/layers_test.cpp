// What the layers refuse, and what a refusal leaves as it was.
#include "nn/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/sequential.h"
#include "tests/support/errors.h"

namespace clade::nn {
namespace {

using clade::testing::message_of;

TEST(Layers, BadOptionsAreRefusedByTheConstructor) {
  Random rng(1);
  for (double p : {-1.0, 1.0, 1.5, double(NAN)})
    EXPECT_EQ(message_of([&] { Dropout(p, rng); }),
              text("Dropout: expected a probability in [0, 1); got ", p));
  for (double momentum : {-0.1, 1.1, double(NAN)})
    EXPECT_EQ(message_of([&] { BatchNorm1d(2, momentum); }),
              text("BatchNorm: expected momentum in [0, 1]; got ", momentum));
  for (double eps : {0.0, -1e-5, double(NAN), double(INFINITY)})
    EXPECT_EQ(message_of([&] { BatchNorm2d(2, 0.1, eps); }),
              text("BatchNorm: expected a finite eps above 0; got ", eps));
}

TEST(Layers, BatchNormNeedsTwoValuesAChannelToTrain) {
  BatchNorm1d rows(3);
  EXPECT_EQ(message_of([&] {
              rows(Tensor::zeros({1, 3}));
            }),
            "BatchNorm: expected more than 1 value a channel in training: of one the output is 0 "
            "for any x; got f32 [1, 3]; use batches of 2 rows or more "
            "(BatchOptions::drop_partial)");
  rows(Tensor::zeros({2, 3}));
  set_training(rows, false);
  rows(Tensor::zeros({1, 3}));
  BatchNorm2d images(3);
  EXPECT_NE(message_of([&] { images(Tensor::zeros({1, 3, 1, 1})); }), "no error");
  images(Tensor::zeros({1, 3, 1, 2}));
}

TEST(Layers, BatchNormCountsNoBatchThatItRefused) {
  BatchNorm1d rows(3);
  EXPECT_THROW(rows(Tensor::zeros({1, 3})), Error);
  EXPECT_THROW(rows(Tensor::zeros({4, 2})), Error);
  EXPECT_EQ(rows.num_batches_tracked.item(), 0);
  rows(Tensor::zeros({4, 3}));
  EXPECT_EQ(rows.num_batches_tracked.item(), 1);
}

// Sequential hands the activation to the layer before it: same numbers, same gradients.
void expect_joined(const Shape& shape, Sequential (*make)(Random&)) {
  for (bool training : {true, false})
    for (double slope : {0.0, 0.2}) {
      Random rng(4);
      Tensor x = Tensor::empty(shape);
      fill_normal(rng, x, 0.5, 2);
      auto gradients = [&](bool joined) {
        Random init(5);
        Sequential net = make(init);
        if (joined) slope == 0 ? net.add(ReLU{}) : net.add(LeakyReLU{slope});
        set_training(net, training);
        Var input = Var::parameter(x.clone()), y = net(input);
        if (!joined) y = slope == 0 ? relu(y) : leaky_relu(y, slope);
        backward(sum(y * y));
        return std::pair{y.value().to_vector<float>(), input.grad().to_vector<float>()};
      };
      const auto joined = gradients(true), apart = gradients(false);
      EXPECT_EQ(joined.first, apart.first) << training << slope;
      EXPECT_EQ(joined.second, apart.second) << training << slope;
    }
}
TEST(Layers, SequentialJoinsNormAndActivation) {
  expect_joined({6, 3, 5, 5},
                [](Random& rng) { return Sequential(Conv2d(3, 4, 3, {}, rng), BatchNorm2d(4)); });
}
TEST(Layers, SequentialJoinsLinearAndActivation) {
  expect_joined({6, 5}, [](Random& rng) { return Sequential(Linear(5, 4, rng)); });
  expect_joined({150, 150}, [](Random& rng) { return Sequential(Linear(150, 150, rng)); });
}
TEST(Layers, SequentialJoinsConvolutionAndActivation) {
  expect_joined({6, 3, 9, 9}, [](Random& rng) {  // a picture, then one channel alone
    return Sequential(Conv2d(3, 20, 5, {.stride = 2}, rng), ReLU{}, Conv2d(20, 1, 3, {}, rng));
  });
  expect_joined({3, 16, 8, 8}, [](Random& rng) {  // by Winograd's method
    return Sequential(Conv2d(16, 24, 3, {.padding = 1}, rng));
  });
  expect_joined({2, 4, 6, 6}, [](Random& rng) {  // by patches
    return Sequential(Conv2d(4, 6, 3, {.groups = 2}, rng));
  });
  expect_joined({3, 6, 5, 5}, [](Random& rng) {
    return Sequential(ConvTranspose2d(6, 4, 3, {.stride = 2}, 1, rng));
  });
}
TEST(Layers, SequentialLeavesANegativeSlopeAlone) {
  Random rng(1);
  Sequential net(Linear(5, 4, rng), LeakyReLU{-0.5});
  const Tensor y = net(Tensor::full({3, 5}, 1)).value();
  EXPECT_GE(y.to_vector<float>()[0], 0);  // |z| of one sign or half the other: never below 0
}

}  // namespace
}  // namespace clade::nn

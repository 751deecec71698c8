// The graph itself: accumulation, freeing, versions, depth.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "autograd/functions.h"
#include "tensor/memory.h"
#include "tensor/random.h"

namespace clade {
namespace {

std::string message_of(void (*f)()) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Graph, GradientsOfAllUsesAddUp) {
  Var x = Var::parameter(Tensor::from({2.0, 3.0}, {2}));
  Var y = x * x + 3 * x;  // 2 x + 3
  backward(sum(y));
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{7, 9}));
  backward(sum(2 * x));  // a second loss adds to it
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{9, 11}));
  x.zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(Graph, GradientsAccumulateIntoAGivenView) {
  Tensor grads = Tensor::zeros({4});
  Var x = Var::parameter(Tensor::from({1.0f, 2.0f}, {2}), grads.slice(0, 1, 3));
  backward(sum(square(x)));
  EXPECT_EQ(grads.to_vector<float>(), (std::vector<float>{0, 2, 4, 0}));
  x.zero_grad();
  EXPECT_EQ(grads.to_vector<float>(), (std::vector<float>(4, 0)));
}

TEST(Graph, DiscardedGradientsAreReplacedNotAddedTo) {
  Tensor grads = Tensor::full({4}, 7);
  Var x = Var::parameter(Tensor::full({2}, 3), grads.slice(0, 0, 2));
  Var unused = Var::parameter(Tensor::full({2}, 3), grads.slice(0, 2, 4));
  x.discard_grad(), unused.discard_grad();
  backward(sum(x * x));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{6, 6}));
  backward(sum(x * x));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{12, 12}));
  EXPECT_EQ(unused.grad().to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(grads.to_vector<float>(), (std::vector<float>{12, 12, 0, 0}));
}

// A product writes a weight's gradient where it belongs: once into the place of the last, then on
// top.
TEST(Graph, ProductsAddIntoAGivenView) {
  Random rng(3);
  const Tensor x = randn({7, 5}, rng), w = randn({4, 5}, rng);
  Var own = Var::parameter(w.clone());
  Tensor place = Tensor::full({4, 5}, 7);
  Var given = Var::parameter(w.clone(), place);
  given.discard_grad();
  for (int times = 1; times <= 2; times++) {
    for (const Var& v : {own, given}) backward(sum(square(linear(x, v))));
    const auto expected = own.grad().to_vector<float>(), got = place.to_vector<float>();
    for (size_t i = 0; i < got.size(); i++) EXPECT_NEAR(got[i], expected[i], 1e-4) << times;
  }
}

TEST(Graph, AParametersGradientIsItsOwn) {
  Var a = Var::parameter(Tensor::zeros({2})), b = Var::parameter(Tensor::zeros({2}));
  Var c = Var::parameter(Tensor::zeros({2}));
  Tensor seed = Tensor::full({2}, 1);
  backward(a + b, seed);  // the same dy for both
  seed.fill_(7);
  Tensor(a.grad()).fill_(5);
  EXPECT_EQ(b.grad().to_vector<float>(), (std::vector<float>{1, 1}));
  backward(sum(c));  // dy repeated, with a stride of 0
  EXPECT_TRUE(c.grad().is_dense());
}

TEST(Graph, MaximumAndMinimumSendTheGradientToTheWinner) {
  auto gradients = [](Var (*f)(const Var&, const Var&), double left, double right) {
    Var a = Var::parameter(Tensor::scalar(left)), b = Var::parameter(Tensor::scalar(right));
    backward(f(a, b));
    return std::pair(a.grad().item(), b.grad().item());
  };
  const std::pair<double, double> first{1, 0}, second{0, 1};
  for (double same : {2.0, double(INFINITY), -double(INFINITY)}) {
    EXPECT_EQ(gradients(maximum, same, same), first) << same;
    EXPECT_EQ(gradients(minimum, same, same), first) << same;
  }
  EXPECT_EQ(gradients(maximum, NAN, 1), first);
  EXPECT_EQ(gradients(maximum, 1, NAN), second);
  EXPECT_EQ(gradients(minimum, 1, 2), first);
  EXPECT_EQ(gradients(maximum, 1, 2), second);
}

TEST(Graph, AGraphBegunOnOneThreadGoesOnInAnother) {
  Var x = Var::parameter(Tensor::scalar(3));
  Var y = square(x);
  std::thread([&] { backward(y * 2); }).join();
  EXPECT_EQ(x.grad().item(), 12);
}

TEST(Graph, AnInputUsedTwiceInOneOp) {
  Var x = Var::parameter(Tensor::from({3.0}, {1}));
  backward(x * x);
  EXPECT_EQ(x.grad().item(), 6);
}

TEST(Graph, DiamondsRunEachNodeOnce) {
  Var x = Var::parameter(Tensor::scalar(1.01, DType::f64));
  Var y = x;
  for (int i = 0; i < 40; i++) y = 0.5 * (y + y);  // 2^40 paths
  backward(y);
  EXPECT_NEAR(x.grad().item(), 1, 1e-12);
}

TEST(Graph, AMillionNodesNeedNoStack) {
  Var x = Var::parameter(Tensor::scalar(0.0, DType::f64));
  {
    Var y = x;
    for (int i = 0; i < 1000000; i++) y = y + 1.0;
    backward(y);
    EXPECT_EQ(x.grad().item(), 1);
    Var unused = x;
    for (int i = 0; i < 1000000; i++) unused = unused + 1.0;  // taken down without backward
  }
  EXPECT_EQ(x.value().item(), 0);
}

TEST(Graph, SavedTensorsAreFreedAsSoonAsTheirNodeHasRun) {
  Var x = Var::parameter(Tensor::full({1 << 16}, 0.5, DType::f32));
  Var y = square(square(square(x)));
  Var loss = sum(y);
  y = Var();
  int64_t before = memory_stats().live;
  backward(loss);
  // two intermediate results went, one gradient came
  EXPECT_LT(memory_stats().live, before);
}

TEST(Graph, NoGradRecordsNothing) {
  Var x = Var::parameter(Tensor::from({1.0f}, {1}));
  NoGrad no_grad;
  EXPECT_FALSE((x * 2).requires_grad());
}

TEST(Graph, MistakesAreNamed) {
  EXPECT_EQ(message_of([] {
              Var x = Var::parameter(Tensor::from({1.0f, 2.0f}, {2}));
              backward(2 * x);
            }),
            "backward: expected a loss with one element; got f32 [2]; sum() or mean() it first");
  EXPECT_EQ(
      message_of([] { backward(Var(Tensor::scalar(1))); }),
      "backward: expected a loss that depends on a parameter; got a constant; make the weights "
      "with Var::parameter and leave NoGrad");
  EXPECT_EQ(
      message_of([] {
        Var x = Var::parameter(Tensor::scalar(1));
        Var loss = square(x);
        backward(loss);
        backward(loss);
      }),
      "backward: expected a graph that was not walked before (square); got a second backward() "
      "through it; compute the loss again");
  EXPECT_EQ(
      message_of([] {
        Var x = Var::parameter(Tensor::from({1.0f, 2.0f}, {2}));
        Var loss = sum(square(x));
        Tensor(x.value()).fill_(5);
        backward(loss);
      }),
      "square: expected the tensor that was saved in the forward pass to be unchanged; got a "
      "tensor changed in place by fill_; call backward() before that step, or change a clone()");
  EXPECT_EQ(message_of([] { Var::parameter(Tensor::zeros({2}, DType::i32)); }),
            "parameter: expected an f32 or f64 tensor; got i32 [2]");
  EXPECT_EQ(message_of([] { square(Var::parameter(Tensor::scalar(1))).grad(); }),
            "grad: expected a parameter (Var::parameter); got the result of square");
}

TEST(Graph, ValuesChangedAfterAnOpThatDoesNotNeedThemAreFine) {
  Var x = Var::parameter(Tensor::from({1.0f, 2.0f}, {2}));
  Var loss = sum(x + x);
  Tensor(x.value()).fill_(5);
  backward(loss);
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{2, 2}));
}

TEST(Graph, ImagesStayChannelsLast) {
  Random rng(1);
  Tensor x = randn({2, 3, 4, 4}, rng).to_layout(Layout::channels_last);
  Var w = Var::parameter(randn({5, 3, 3, 3}, rng));
  Var y = leaky_relu(conv2d(x, w, {}, {{1, 1}, {1, 1}}));
  EXPECT_TRUE(y.value().is_channels_last());
  EXPECT_TRUE((y * 2 + y).value().is_channels_last());
}

}  // namespace
}  // namespace clade

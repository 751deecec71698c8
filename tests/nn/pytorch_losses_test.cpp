// Every loss against PyTorch: values and gradients.
#include "nn/losses.h"
#include "tests/support/golden.h"

namespace clade::nn {
namespace {

using Vars = std::vector<Var>;
using Tensors = std::vector<Tensor>;

struct Case {
  const char* name;
  Var (*f)(const Vars& x, const Tensors& c);
};

const Case kCases[] = {
    {"mse_mean", [](const Vars& x, const Tensors& c) { return mse_loss(x[0], c[0]); }},
    {"mse_sum",
     [](const Vars& x, const Tensors& c) { return mse_loss(x[0], c[0], Reduction::sum); }},
    {"mse_none",
     [](const Vars& x, const Tensors& c) { return mse_loss(x[0], c[0], Reduction::none); }},
    {"l1_mean", [](const Vars& x, const Tensors& c) { return l1_loss(x[0], c[0]); }},
    {"l1_sum", [](const Vars& x, const Tensors& c) { return l1_loss(x[0], c[0], Reduction::sum); }},
    {"l1_none",
     [](const Vars& x, const Tensors& c) { return l1_loss(x[0], c[0], Reduction::none); }},
    {"bce_with_logits_mean",
     [](const Vars& x, const Tensors& c) { return bce_with_logits_loss(x[0], c[0]); }},
    {"bce_with_logits_sum",
     [](const Vars& x, const Tensors& c) {
       return bce_with_logits_loss(x[0], c[0], Reduction::sum);
     }},
    {"bce_with_logits_none",
     [](const Vars& x, const Tensors& c) {
       return bce_with_logits_loss(x[0], c[0], Reduction::none);
     }},
    {"cross_entropy_mean",
     [](const Vars& x, const Tensors& c) { return cross_entropy_loss(x[0], c[0]); }},
    {"cross_entropy_sum",
     [](const Vars& x, const Tensors& c) {
       return cross_entropy_loss(x[0], c[0], Reduction::sum);
     }},
    {"cross_entropy_none",
     [](const Vars& x, const Tensors& c) {
       return cross_entropy_loss(x[0], c[0], Reduction::none);
     }},
    {"kl_div_mean", [](const Vars& x, const Tensors& c) { return kl_div_loss(x[0], c[0]); }},
    {"masked_squared_error",
     [](const Vars& x, const Tensors& c) { return squared_error(x[0], c[0], c[1]); }},
    {"masked_bce",
     [](const Vars& x, const Tensors& c) { return bce_with_logits(x[0], c[0], c[1]); }},
    {"gaussian_log_likelihood",
     [](const Vars& x, const Tensors& c) {
       return gaussian_log_likelihood(x[0], x[1], x[2], c[0]);
     }},
    {"kl_standard_normal",
     [](const Vars& x, const Tensors&) { return kl_standard_normal(x[0], x[1]); }},
    {"importance_weighted_bound",
     [](const Vars& x, const Tensors&) { return importance_weighted_bound(x[0]).bound; }},
    {"reparameterize",  // with the noise given
     [](const Vars& x, const Tensors& c) { return x[0] + exp(0.5 * x[1]) * Var(c[0]); }},
};

TEST(PyTorchLosses, AgreeForwardAndBackward) {
  const SafeTensors golden = test::load_golden("losses");
  for (const Case& c : kCases) {
    const std::string name = c.name;
    Vars x;
    Tensors constants;
    while (const Tensor* t = golden.find(text(name, ".x", x.size())))
      x.push_back(Var::parameter(*t));
    while (const Tensor* t = golden.find(text(name, ".c", constants.size())))
      constants.push_back(*t);
    ASSERT_FALSE(x.empty()) << name;
    Var y = c.f(x, constants);
    test::expect_close(y.value(), golden.at(name + ".y"), 1e-5, name + " value");
    backward(y, golden.at(name + ".dy"));
    for (size_t i = 0; i < x.size(); i++)
      test::expect_close(x[i].grad(), golden.at(text(name, ".dx", i)), 1e-5,
                         text(name, " gradient ", i));
  }
}

TEST(Losses, MaskedPlacesGetExactlyNoGradientAndAreNeverUsed) {
  Var xhat = Var::parameter(Tensor::from({0.5f, 0.25f, 0.75f, 0.1f}, {2, 2}));
  Tensor x = Tensor::from({1.0f, NAN, NAN, 0.0f}, {2, 2});
  Tensor mask = Tensor::from({1.0f, 0.0f, 0.0f, 1.0f}, {2, 2});
  Var loss = squared_error(xhat, x, mask);
  EXPECT_EQ(loss.value().to_vector<float>()[0], 0.25f);
  backward(sum(loss));
  std::vector<float> g = xhat.grad().to_vector<float>();
  EXPECT_EQ(g[0], -1.0f);
  EXPECT_EQ(g[1], 0.0f);
  EXPECT_EQ(g[2], 0.0f);
}

TEST(Losses, BadArgumentsAreNamed) {
  Var logits(Tensor::zeros({2, 3}));
  try {
    cross_entropy_loss(logits, Tensor::from({0, 3}, {2}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "cross_entropy_loss: expected class ids in 0 .. 2; got 3 at 1");
  }
}

}  // namespace
}  // namespace clade::nn

#include "kernels/loss/loss.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

// Arguments of equal sizes and one dense memory order. Under the mask the target holds NaN.
struct LossCase {
  explicit LossCase(Trial& trial) : trial(trial), t(trial.floating()) {
    sizes = trial.sizes(1 + int(trial.below(4)), trial.elements());
    first = trial.input(sizes, t, trial.dense_memory(), -4, 4);
    target = like(0, 1);
    if (trial.chance(0.5)) {
      mask = like(0, 1);
      auto observe = [&](auto zero) {
        using T = decltype(zero);
        reference::for_each_index(mask, [&](const int64_t* i) {
          T& m = reference::element<T>(mask, i);
          m = T(m < T(0.6) ? 1 : 0);
          if (m == 0) reference::element<T>(target, i) = T(NAN);
        });
      };
      dispatch_floating(t, observe);
    }
    out = trial.output({sizes[0]}, t);
    dout = trial.input({sizes[0]}, t, Memory::row_major, -1, 1);
  }
  View like(double low, double high) { return trial.input_like(first, low, high); }
  View grad() { return trial.output_like(first); }
  double tolerance() const { return testing::tolerance(t, 2e-5, 1e-11); }

  Trial& trial;
  DType t;
  Shape sizes;
  View first, target, mask, out, dout;
};

TEST(Loss, SquaredErrorMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LossCase c(trial);
    View d = c.grad();
    trial.compare(
        [&](auto on) {
          squared_error(on, c.first, c.target, c.mask, c.out);
          squared_error_backward(on, c.first, c.target, c.mask, c.dout, d);
        },
        [&] {
          reference::squared_error(c.first, c.target, c.mask, c.out);
          reference::squared_error_backward(c.first, c.target, c.mask, c.dout, d);
        },
        c.tolerance());
  }
}

TEST(Loss, BceWithLogitsMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LossCase c(trial);
    View d = c.grad();
    trial.compare(
        [&](auto on) {
          bce_with_logits(on, c.first, c.target, c.mask, c.out);
          bce_with_logits_backward(on, c.first, c.target, c.mask, c.dout, d);
        },
        [&] {
          reference::bce_with_logits(c.first, c.target, c.mask, c.out);
          reference::bce_with_logits_backward(c.first, c.target, c.mask, c.dout, d);
        },
        c.tolerance());
  }
}

TEST(Loss, GaussianLogLikelihoodMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LossCase c(trial);
    View logvar = c.like(-2, 2), dx = c.grad(), dmean = c.grad(), dlogvar = c.grad();
    trial.compare(
        [&](auto on) {
          gaussian_log_likelihood(on, c.target, c.first, logvar, c.mask, c.out);
          gaussian_log_likelihood_backward(on, c.target, c.first, logvar, c.mask, c.dout, dx, dmean,
                                           dlogvar);
        },
        [&] {
          reference::gaussian_log_likelihood(c.target, c.first, logvar, c.mask, c.out);
          reference::gaussian_log_likelihood_backward(c.target, c.first, logvar, c.mask, c.dout, dx,
                                                      dmean, dlogvar);
        },
        c.tolerance());
  }
}

TEST(Loss, StudentTMatchesReference) {
  for (uint64_t seed : testing::seeds(300)) {
    Trial trial(seed);
    LossCase c(trial);
    View scale = c.like(0.1, 3), df = trial.chance(0.2) ? c.like(50, 5000) : c.like(0.2, 50);
    View dmean = c.grad(), dscale = c.grad(), ddf = c.grad();
    trial.compare(
        [&](auto on) {
          student_t_log_likelihood(on, c.target, c.first, scale, df, c.mask, c.out);
          student_t_log_likelihood_backward(on, c.target, c.first, scale, df, c.mask, c.dout, dmean,
                                            dscale, ddf);
        },
        [&] {
          reference::student_t_log_likelihood(c.target, c.first, scale, df, c.mask, c.out);
          reference::student_t_log_likelihood_backward(c.target, c.first, scale, df, c.mask, c.dout,
                                                       dmean, dscale, ddf);
        },
        c.tolerance());
  }
}

TEST(Loss, KlStandardNormalMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LossCase c(trial);
    View logvar = c.like(-3, 3), dmean = c.grad(), dlogvar = c.grad();
    trial.compare(
        [&](auto on) {
          kl_standard_normal(on, c.first, logvar, c.out);
          kl_standard_normal_backward(on, c.first, logvar, c.dout, dmean, dlogvar);
        },
        [&] {
          reference::kl_standard_normal(c.first, logvar, c.out);
          reference::kl_standard_normal_backward(c.first, logvar, c.dout, dmean, dlogvar);
        },
        c.tolerance());
  }
}

// NaN in a missing place of the target reaches neither the loss nor any gradient.
TEST(Loss, MissingTargetsAreNeverUsed) {
  const float nan = NAN;
  Tensor xhat = Tensor::from<float>({1, 2, 3, 4}, {2, 2});
  Tensor x = Tensor::from<float>({0, nan, nan, 2}, {2, 2});
  Tensor mask = Tensor::from<float>({1, 0, 0, 1}, {2, 2});
  Tensor out = Tensor::empty({2}), dout = Tensor::full({2}, 1), d = Tensor::empty_like(xhat);
  squared_error(Cpu{}, xhat.view(), x.view(), mask.view(), out.view());
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{1, 4}));
  squared_error_backward(Cpu{}, xhat.view(), x.view(), mask.view(), dout.view(), d.view());
  EXPECT_EQ(d.to_vector<float>(), (std::vector<float>{2, 0, 0, 4}));
  bce_with_logits_backward(Cpu{}, xhat.view(), x.view(), mask.view(), dout.view(), d.view());
  EXPECT_EQ(d.at({0, 1}), 0);
  EXPECT_EQ(d.at({1, 0}), 0);
}

TEST(Loss, BceIsFiniteForAnyLogit) {
  Tensor a = Tensor::from<float>({-3e38f, 3e38f, -100, 100}, {4, 1});
  Tensor x = Tensor::from<float>({0, 1, 0, 1}, {4, 1}), out = Tensor::empty({4});
  bce_with_logits(Cpu{}, a.view(), x.view(), View{}, out.view());
  for (float l : out.to_vector<float>()) EXPECT_NEAR(l, 0, 1e-30);
}

}  // namespace
}  // namespace clade::kernels

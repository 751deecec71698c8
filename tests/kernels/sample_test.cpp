#include "kernels/sample/sample.h"

#include <limits>

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

Draw random_draw(Trial& trial) {
  return {uint64_t(trial.below(1000)), uint64_t(trial.below(1000)),
          4 * uint64_t(trial.below(1000))};
}

// (N, D) and (K, N, D), or (N, D) again for a single sample.
struct LatentCase {
  explicit LatentCase(Trial& trial) : t(trial.floating()), draw(random_draw(trial)) {
    table = trial.sizes(2, trial.elements());
    const int64_t k = 1 + trial.below(4);
    samples = k == 1 && trial.chance(0.5) ? table : Shape{k, table[0], table[1]};
    logvar = trial.input(table, t, Memory::row_major, -2, 2);
  }
  DType t;
  Draw draw;
  Shape table, samples;
  View logvar;
};

TEST(Sample, ReparameterizeMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LatentCase c(trial);
    View mean = trial.input(c.table, c.t, Memory::row_major, -1, 1);
    View z = trial.output(c.samples, c.t);
    trial.compare([&](auto on) { reparameterize(on, mean, c.logvar, c.draw, z); },
                  [&] { reference::reparameterize(mean, c.logvar, c.draw, z); },
                  testing::tolerance(c.t, 1e-6));
  }
}

TEST(Sample, ReparameterizeBackwardMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    LatentCase c(trial);
    View dz = trial.input(c.samples, c.t, Memory::row_major, -1, 1);
    View dmean = trial.output(c.table, c.t), dlogvar = trial.output(c.table, c.t);
    trial.compare(
        [&](auto on) { reparameterize_backward(on, c.logvar, c.draw, dz, dmean, dlogvar); },
        [&] { reference::reparameterize_backward(c.logvar, c.draw, dz, dmean, dlogvar); },
        testing::tolerance(c.t, 1e-6));
  }
}

TEST(Sample, DropoutMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    DType t = trial.floating();
    View x = trial.input(trial.sizes(int(trial.below(5)), trial.elements()), t,
                         trial.dense_memory(), -1, 1);
    View y = trial.output_like(x);
    Draw draw = random_draw(trial);
    double p = trial.chance(0.2) ? 0 : trial.between(0, 0.999);
    trial.compare([&](auto on) { dropout(on, x, p, draw, y); },
                  [&] { reference::dropout(x, p, draw, y); }, testing::tolerance(t, 1e-6));
  }
}

TEST(Sample, DropoutKeepsTheMean) {
  Tensor x = Tensor::full({200000}, 1), y = Tensor::empty_like(x);
  dropout(Cpu{}, x.view(), 0.3, {1, 2, 0}, y.view());
  double mean = 0, kept = 0;
  for (float v : y.to_vector<float>()) mean += double(v) / 200000, kept += (v != 0) / 200000.0;
  EXPECT_NEAR(mean, 1, 0.01);
  EXPECT_NEAR(kept, 0.7, 0.01);
}

TEST(Sample, ImportanceWeightsMatchReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    DType t = trial.floating();
    const int64_t k = trial.size(40), n = trial.below(20) ? trial.size(trial.elements() / k) : 0;
    const double reach = trial.chance(0.3) ? 3000 : 5;
    View log_w = trial.input({k, n}, t, Memory::row_major, -reach, reach);
    if (trial.chance(0.3))
      trial.sprinkle(log_w, -std::numeric_limits<double>::infinity(), trial.chance(0.2) ? 1 : 0.3);
    if (trial.chance(0.1)) trial.sprinkle(log_w, NAN, 0.01);
    View bound = trial.output({n}, t), weight = trial.output({k, n}, t),
         effective = trial.output({n}, t);
    trial.compare([&](auto on) { importance_weights(on, log_w, bound, weight, effective); },
                  [&] { reference::importance_weights(log_w, bound, weight, effective); },
                  testing::tolerance(t, 2e-6));
  }
}

TEST(Sample, LogPriorRatioMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    DType t = trial.floating();
    const int64_t k = trial.size(9), d = trial.size(trial.chance(0.1) ? 700 : 40);
    const int64_t n =
        trial.below(20) ? trial.size(std::max<int64_t>(1, trial.elements() / k / d)) : 0;
    View z = trial.input({k, n, d}, t, Memory::row_major, -3, 3);
    View mean = trial.input({n, d}, t, Memory::row_major, -2, 2);
    View logvar = trial.input({n, d}, t, Memory::row_major, -2, 2);
    View dout = trial.input({k, n}, t, Memory::row_major, -1, 1);
    View out = trial.output({k, n}, t), dz = trial.output({k, n, d}, t);
    View dmean = trial.output({n, d}, t), dlogvar = trial.output({n, d}, t);
    trial.compare(
        [&](auto on) {
          log_prior_ratio(on, z, mean, logvar, out);
          log_prior_ratio_backward(on, z, mean, logvar, dout, dz, dmean, dlogvar);
        },
        [&] {
          reference::log_prior_ratio(z, mean, logvar, out);
          reference::log_prior_ratio_backward(z, mean, logvar, dout, dz, dmean, dlogvar);
        },
        testing::tolerance(t, 2e-5, 1e-11));
  }
}

TEST(Sample, OneSampleIsItsOwnBound) {
  Tensor log_w = Tensor::from<float>({-3.25f}, {1, 1}), weight = Tensor::empty({1, 1});
  Tensor bound = Tensor::empty({1}), effective = Tensor::empty({1});
  importance_weights(Cpu{}, log_w.view(), bound.view(), weight.view(), effective.view());
  EXPECT_EQ(bound.item(), -3.25);
  EXPECT_EQ(weight.item(), 1);
  EXPECT_EQ(effective.item(), 1);
}

}  // namespace
}  // namespace clade::kernels

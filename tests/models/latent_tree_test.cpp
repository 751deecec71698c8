// The latent tree of LTVAE's prior: the tree it finds, its density and that density's gradient.
#include "models/latent_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/functions.h"
#include "autograd/gradient_check.h"
#include "tests/support/errors.h"

namespace clade::models {
namespace {

using testing::message_of;

TEST(LatentTree, TheDensityHasTheGradientOfItsDifferences) {
  Random rng(4);
  const Tensor codes = randn({60, 5}, rng), z = randn({4, 5}, rng, DType::f64);
  for (int64_t facets : {1, 3}) {
    LatentTree tree(5, facets, 2);
    tree.start(codes, 1, {});
    const GradientCheck check = check_gradient(
        {z.clone()}, {true}, [&](const std::vector<Var>& v) { return tree.log_density(v[0]); });
    EXPECT_LT(check.error, 1e-6) << check.worst;
  }
}

// Three facets of one chain a - b - c: the tree must be that chain, and its density what the sum
// over all 8 combinations is.
TEST(LatentTree, FindsAChainAndSumsOverIt) {
  Random rng(5);
  const int64_t n = 1500;
  Tensor codes = Tensor::empty({n, 3});
  for (int64_t i = 0; i < n; i++) {
    const int b = rng.uniform() < 0.5, a = rng.uniform() < 0.85 ? b : 1 - b,
              c = rng.uniform() < 0.85 ? b : 1 - b;
    const int values[] = {a, b, c};
    for (int64_t j = 0; j < 3; j++)
      codes.data<float>()[i * 3 + j] = float(3 * values[j] + 0.3 * rng.normal());
  }
  LatentTree tree(3, 3, 2);
  tree.start(codes, 1, {});
  std::vector<double> facet_of, parent;
  for (const auto& e : nn::state_dict(tree)) {
    if (e.name == "facet_of") facet_of = e.tensor.to_vector<double>();
    if (e.name == "parent") parent = e.tensor.to_vector<double>();
  }
  const auto middle = int64_t(facet_of[1]);
  EXPECT_EQ(tree.chief(), middle);
  for (int64_t f = 0; f < 3; f++)
    EXPECT_EQ(parent[size_t(f)], f == middle ? -1 : double(middle)) << f;

  // Posteriors are a distribution, and agree with the values that made the codes.
  const auto posterior = tree.posteriors(codes);
  double right = 0;
  for (int64_t i = 0; i < n; i++) {
    const Tensor& p = posterior[size_t(facet_of[0])];
    EXPECT_NEAR(p.at({i, 0}) + p.at({i, 1}), 1, 1e-5);
    right += (p.at({i, 1}) > 0.5) == (codes.at({i, 0}) > 1.5);
  }
  EXPECT_GT(std::max(right, double(n) - right) / double(n), 0.99);

  // A density: over a fine grid it sums to 1.
  const int64_t side = 40;
  Tensor grid = Tensor::empty({side * side * side, 3});
  for (int64_t i = 0; i < grid.size(0); i++) {
    const int64_t at[] = {i / (side * side), i / side % side, i % side};
    for (int64_t j = 0; j < 3; j++)
      grid.data<float>()[i * 3 + j] = float(-2 + 7 * (double(at[j]) + 0.5) / double(side));
  }
  const double cell = std::pow(7.0 / double(side), 3);
  EXPECT_NEAR(sum(exp(tree.log_density(Var(grid)))).item() * cell, 1, 0.02);
}

TEST(LatentTree, StepwiseEmRaisesTheDensity) {
  Random rng(6);
  Tensor codes = randn({400, 2}, rng);
  for (int64_t i = 0; i < 400; i++) codes.data<float>()[i * 2] += i % 2 ? 2.0f : -2.0f;
  LatentTree tree(2, 1, 2);
  tree.start(codes, 1, {});
  Tensor moved = codes.clone();
  for (int64_t i = 0; i < moved.numel(); i++) moved.data<float>()[i] += 1;
  const double before = mean(tree.log_density(Var(moved))).item();
  for (int step = 0; step < 300; step++) tree.step(moved, 0.05);
  EXPECT_GT(mean(tree.log_density(Var(moved))).item(), before + 0.2);
}

TEST(LatentTree, BadOptionsAreNamed) {
  EXPECT_EQ(message_of([] { LatentTree(4, 5, 2); }),
            "latent tree: expected 1 to 4 facets, a latent dimension or more each; got 5");
}

}  // namespace
}  // namespace clade::models

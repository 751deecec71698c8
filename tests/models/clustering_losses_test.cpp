// The losses of deep clustering, in f64: gradients against central differences and against the
// closed forms of the papers; the target against sums written out; images that are moved.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/functions.h"
#include "autograd/gradient_check.h"
#include "models/augment.h"
#include "models/soft_assignment.h"
#include "tests/support/threads.h"

namespace clade::models {
namespace {

struct Case {
  Tensor z, centres, p;  // (7, 3), (4, 3), (7, 4)
  Case() {
    Random rng(2);
    z = randn({7, 3}, rng, DType::f64), centres = randn({4, 3}, rng, DType::f64);
    const Var other = randn({7, 4}, rng, DType::f64);
    p = softmax(other, 1).value();
  }
};

TEST(ClusteringLoss, GradientsAgreeWithDifferences) {
  const Case c;
  const GradientCheck check = check_gradient({c.z, c.centres}, {true, true}, [&](const auto& v) {
    return clustering_loss(log_soft_assignment(v[0], v[1]), c.p);
  });
  EXPECT_LT(check.error, 1e-8) << check.worst;
}

// dL/dz_i = 2/N sum_j (1 + |z_i - m_j|^2)^-1 (p_ij - q_ij)(z_i - m_j), dL/dm_j = -2/N sum_i ...
// (DEC eqs. 4 and 5, of the mean over rows).
TEST(ClusteringLoss, GradientsAreThoseOfThePaper) {
  const Case c;
  const Var z = Var::parameter(c.z.clone()), m = Var::parameter(c.centres.clone());
  const Var log_q = log_soft_assignment(z, m);
  const Tensor q = exp(log_q.detach()).value();
  backward(clustering_loss(log_q, c.p));
  std::vector<double> dz(21, 0.0), dm(12, 0.0);
  for (int64_t i = 0; i < 7; i++)
    for (int64_t j = 0; j < 4; j++) {
      double square = 1;
      for (int64_t d = 0; d < 3; d++) square += std::pow(c.z.at({i, d}) - c.centres.at({j, d}), 2);
      for (int64_t d = 0; d < 3; d++) {
        const double g = 2.0 / 7 / square * (c.p.at({i, j}) - q.at({i, j})) *
                         (c.z.at({i, d}) - c.centres.at({j, d}));
        dz[size_t(i * 3 + d)] += g;
        dm[size_t(j * 3 + d)] -= g;
      }
    }
  for (int64_t i = 0; i < 21; i++) EXPECT_NEAR(z.grad().data<double>()[i], dz[size_t(i)], 1e-12);
  for (int64_t i = 0; i < 12; i++) EXPECT_NEAR(m.grad().data<double>()[i], dm[size_t(i)], 1e-12);
}

// IDEC's and DCEC's sum, and DCN's distance to held centres.
TEST(ClusteringLoss, JointLossesAgreeWithDifferences) {
  const Case c;
  Random rng(3);
  const Tensor x = randn({7, 5}, rng, DType::f64), w = randn({3, 5}, rng, DType::f64);
  const Tensor held = randn({7, 3}, rng, DType::f64);
  const GradientCheck idec =
      check_gradient({c.z, c.centres, w}, {true, true, true}, [&](const auto& v) {
        return sum(squared_error(matmul(v[0], v[2]), x)) / 35.0 +
               0.1 * clustering_loss(log_soft_assignment(v[0], v[1]), c.p);
      });
  EXPECT_LT(idec.error, 1e-8) << idec.worst;
  const GradientCheck dcn = check_gradient({c.z, w}, {true, true}, [&](const auto& v) {
    return sum(squared_error(matmul(v[0], v[1]), x)) / 7.0 +
           (0.5 * 0.7 / 7) * sum(squared_error(v[0], held));
  });
  EXPECT_LT(dcn.error, 1e-8) << dcn.worst;
}

TEST(TargetDistribution, IsOverAllRows) {
  const Case c;
  const Tensor q = c.p, p = target_distribution(q);
  for (int64_t i = 0; i < 7; i++) {
    double row = 0;
    std::vector<double> weight;
    for (int64_t j = 0; j < 4; j++) {
      double f = 0;
      for (int64_t r = 0; r < 7; r++) f += q.at({r, j});
      weight.push_back(q.at({i, j}) * q.at({i, j}) / f);
      row += weight.back();
    }
    for (int64_t j = 0; j < 4; j++) EXPECT_NEAR(p.at({i, j}), weight[size_t(j)] / row, 1e-15);
  }
  // Of the first three rows alone it would be another.
  const Tensor part = target_distribution(q.slice(0, 0, 3));
  EXPECT_GT(std::abs(part.at({0, 0}) - p.at({0, 0})), 1e-3);
}

TEST(TargetDistribution, AnEmptyClusterStaysEmpty) {
  const Tensor q = Tensor::from<double>({1, 0, 0.5, 0.5, 1, 0}, {2, 3});
  const Tensor p = target_distribution(q);
  for (double v : p.to_vector<double>()) EXPECT_TRUE(std::isfinite(v));
  EXPECT_EQ(p.at({0, 1}), 0);
}

TEST(SoftAssignment, IsFiniteFarAway) {
  const Var z = Tensor::from<float>({1e6f, -1e6f, 0, 0}, {2, 2});
  const Var m = Tensor::from<float>({0, 0, 1e6f, 1e6f}, {2, 2});
  for (double v : log_soft_assignment(z, m).value().to_vector<double>())
    EXPECT_TRUE(std::isfinite(v));
  EXPECT_EQ(hardened(log_soft_assignment(z, m).value()).to_vector<int32_t>(),
            (std::vector<int32_t>{0, 0}));
}

TEST(Moved, NothingAndWholePixels) {
  Random rng(4);
  const Tensor x = rand({3, 2, 6, 7}, rng).to_layout(Layout::channels_last);
  EXPECT_EQ(moved(x, 0, 0, Random(1)).to_vector<float>(), x.to_vector<float>());
  const Tensor y = moved(x, 0.3, 20, Random(1));
  EXPECT_NE(y.to_vector<float>(), x.to_vector<float>());
  for (float v : y.to_vector<float>()) EXPECT_TRUE(v >= 0 && v <= 1);
  // An image moves as its own number says, whatever comes after it.
  EXPECT_EQ(moved(x.slice(0, 0, 2), 0.3, 20, Random(1)).to_vector<float>(),
            y.slice(0, 0, 2).to_vector<float>());
  testing::expect_same_at_any_thread_count(
      [&] { return moved(x, 0.3, 20, Random(1)).to_vector<float>(); });
}

// A bright disc that is off the centre turns about the centre: its mass stays, within the rim.
TEST(Moved, KeepsTheMassOfWhatStaysInside) {
  Tensor x = Tensor::zeros({8, 1, 28, 28}, DType::f32, Layout::channels_last);
  for (int64_t i = 0; i < 8; i++)
    for (int64_t h = 10; h < 16; h++)
      for (int64_t w = 12; w < 18; w++) x.data<float>()[(i * 28 + h) * 28 + w] = 1;
  const Tensor y = moved(x, 0.1, 10, Random(9));
  for (int64_t i = 0; i < 8; i++)
    EXPECT_NEAR(sum(Var(y.slice(0, i, i + 1).contiguous())).item(), 36, 0.8);
}

TEST(Noisy, HasItsDeviation) {
  const Tensor x = Tensor::full({100, 50}, 0.5);
  const Tensor y = noisy(x, 2, Random(3));
  const double centre = mean(Var(y)).item();
  EXPECT_NEAR(centre, 0.5, 0.1);
  EXPECT_NEAR(std::sqrt(mean(square(Var(y) - centre)).item()), 2, 0.05);
}

}  // namespace
}  // namespace clade::models

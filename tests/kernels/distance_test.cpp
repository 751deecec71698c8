#include "kernels/distance/distance.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

TEST(Distance, MatchesReference) {
  for (uint64_t seed = 0; seed < 300; seed++) {
    Trial trial(seed);
    DType t = trial.floating();
    auto count = [&](int64_t most) { return trial.chance(0.03) ? 0 : trial.size(most); };
    const int64_t most = trial.chance(0.1) ? 600 : 60;
    const int64_t n = count(most), m = count(most), d = count(100);
    View x = trial.input({n, d}, t, Memory::row_major, -1, 1);
    View c = trial.input({m, d}, t, Memory::row_major, -1, 1);
    View out = trial.output({n, m}, t);
    trial.compare([&] { squared_distances(Cpu{}, x, c, out); },
                  [&] { reference::squared_distances(x, c, out); }, testing::tolerance(t));
  }
}

// A point and itself, far from the origin: rounding must not give less than 0.
TEST(Distance, IsNeverNegative) {
  Random rng(3);
  Tensor x = Tensor::empty({40, 7}), out = Tensor::empty({40, 40});
  fill_normal(rng, x, 100, 0.01);
  squared_distances(Cpu{}, x.view(), x.view(), out.view());
  for (float v : out.to_vector<float>()) EXPECT_GE(v, 0.0f);
}

TEST(Distance, NanPropagates) {
  Tensor x = Tensor::from<float>({1, NAN}, {2, 1}), c = Tensor::from<float>({3}, {1, 1});
  Tensor out = Tensor::empty({2, 1});
  squared_distances(Cpu{}, x.view(), c.view(), out.view());
  EXPECT_EQ(out.at({0, 0}), 4);
  EXPECT_TRUE(std::isnan(out.at({1, 0})));
}

}  // namespace
}  // namespace clade::kernels

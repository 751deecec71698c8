#include "kernels/sample/sample.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

Draw draw(Trial& trial) {
  return {uint64_t(trial.below(1000)), uint64_t(trial.below(1000)), 4 * uint64_t(trial.below(99))};
}

TEST(Sample, ReparameterizeMatchesReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    DType t = trial.floating();
    Shape sizes = trial.sizes(2, trial.elements());
    int64_t samples = 1 + trial.below(5);
    Shape wide = trial.chance(0.5) ? sizes : Shape{samples, sizes[0], sizes[1]};
    Draw d = draw(trial);
    View mean = trial.input(sizes, t, Memory::row_major, -2, 2);
    View logvar = trial.input(sizes, t, Memory::row_major, -4, 3);
    View z = trial.output(wide, t);
    trial.compare([&] { reparameterize(Cpu{}, mean, logvar, d, z); },
                  [&] { reference::reparameterize(mean, logvar, d, z); },
                  testing::tolerance(t, 1e-6));
    Trial back(seed + 1000);
    View dz = back.input(wide, t, Memory::row_major, -2, 2);
    View v = back.input(sizes, t, Memory::row_major, -4, 3);
    View dmean = back.output(sizes, t), dlogvar = back.output(sizes, t);
    back.compare([&] { reparameterize_backward(Cpu{}, v, d, dz, dmean, dlogvar); },
                 [&] { reference::reparameterize_backward(v, d, dz, dmean, dlogvar); },
                 testing::tolerance(t, 4e-6));
  }
}

TEST(Sample, DropoutMatchesReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    DType t = trial.floating();
    Shape sizes = trial.sizes(1 + int(trial.below(3)), trial.elements());
    Draw d = draw(trial);
    double p = trial.chance(0.2) ? 0 : trial.between(0, 0.95);
    View x = trial.input(sizes, t, Memory::row_major, -2, 2), y = trial.output(sizes, t);
    trial.compare([&] { dropout(Cpu{}, x, p, d, y); }, [&] { reference::dropout(x, p, d, y); },
                  testing::tolerance(t, 1e-6));
  }
}

TEST(Sample, DropoutKeepsTheMean) {
  std::vector<float> x(200000, 1.0f), y(x.size());
  View in{x.data(), DType::f32, 1, {int64_t(x.size())}, {1}}, out = in;
  out.data = y.data();
  dropout(Cpu{}, in, 0.3, {1, 2, 0}, out);
  double sum = 0, kept = 0;
  for (float v : y) sum += double(v), kept += v != 0;
  EXPECT_NEAR(sum / double(x.size()), 1, 0.01);
  EXPECT_NEAR(kept / double(x.size()), 0.7, 0.01);
}

TEST(Sample, ImportanceWeightsMatchReference) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Trial trial(seed);
    DType t = trial.floating();
    Shape sizes{1 + trial.below(60), trial.size(700)};
    double centre = trial.between(-900, 300);
    View log_w = trial.input(sizes, t, Memory::row_major, centre - 20, centre);
    View bound = trial.output({sizes[1]}, t), weight = trial.output(sizes, t),
         effective = trial.output({sizes[1]}, t);
    trial.compare([&] { importance_weights(Cpu{}, log_w, bound, weight, effective); },
                  [&] { reference::importance_weights(log_w, bound, weight, effective); },
                  testing::tolerance(t, 4e-6));
  }
}

TEST(Sample, OneSampleIsItsOwnBound) {
  float w = -3.25f, bound, weight, effective;
  View in{&w, DType::f32, 2, {1, 1}, {1, 1}}, one{&bound, DType::f32, 1, {1}, {1}};
  View share = in, count = one;
  share.data = &weight, count.data = &effective;
  importance_weights(Cpu{}, in, one, share, count);
  EXPECT_EQ(bound, w);
  EXPECT_EQ(weight, 1.0f);
  EXPECT_EQ(effective, 1.0f);
}

}  // namespace
}  // namespace clade::kernels

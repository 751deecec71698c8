// nearest and sums_by_label on the device. Coordinates are small whole numbers: distances are exact
// and many are equal, so that the order of equals is tested too.
#include "kernels/distance/distance.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

View whole_numbers(Trial& trial, const Shape& sizes, DType t, double reach) {
  const View whole = trial.input(sizes, DType::i32, Memory::row_major, -reach, reach);
  const View x = trial.input(sizes, t, Memory::row_major, 0, 1);
  copy_elements(whole, x);
  return x;
}

TEST(CudaDistance, NearestMatchesReference) {
  for (uint64_t seed : testing::seeds(100)) {
    Trial trial(seed);
    const DType t = trial.floating();
    const int64_t n = trial.below(150), m = 1 + trial.below(trial.chance(0.3) ? 400 : 90);
    const int64_t d = trial.below(20);
    const int64_t k = trial.chance(0.3) ? 1 : 1 + trial.below(std::min(m, kMostNearest));
    const View x = whole_numbers(trial, {n, d}, t, 4), c = whole_numbers(trial, {m, d}, t, 4);
    const View index = trial.output({n, k}, DType::i64), distance = trial.output({n, k}, t);
    trial.compare([&](auto on) { nearest(on, x, c, index, distance); },
                  [&] { reference::nearest(x, c, index, distance); }, 0);
  }
}

TEST(CudaDistance, SumsByLabelMatchReference) {
  for (uint64_t seed : testing::seeds(300)) {
    Trial trial(seed);
    const DType t = trial.floating();
    const int64_t n = trial.below(400), d = trial.below(300) / (trial.chance(0.8) ? 10 : 1);
    const int64_t k = 1 + trial.below(12);
    const View x = trial.input({n, d}, t, Memory::row_major, -1, 1);
    const View label = trial.input({n}, DType::i64, Memory::row_major, 0, double(k) - 1e-9);
    const View sums = trial.output({k, d}, t), count = trial.output({k}, DType::i64);
    trial.compare([&](auto on) { sums_by_label(on, x, label, sums, count); },
                  [&] { reference::sums_by_label(x, label, sums, count); },
                  testing::tolerance(t, 1e-6, 1e-12));
  }
}

}  // namespace
}  // namespace clade::kernels

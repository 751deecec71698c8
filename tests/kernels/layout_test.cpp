#include "kernels/layout/layout.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

TEST(GatherRows, MatchesReference) {
  const DType types[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};
  for (uint64_t seed = 0; seed < 300; seed++) {
    Trial trial(seed);
    const DType t = types[seed % 5];
    const Memory memory = trial.chance(0.5) ? Memory::channels_last : Memory::row_major;
    const Shape sizes = trial.sizes(1 + int(trial.below(4)), trial.elements());
    const int64_t rows = sizes[0] && trial.below(20) ? trial.size(1 + 2 * sizes[0]) : 0;
    View x = trial.input(sizes, t, memory, 0, 200);
    View index = trial.input({rows}, DType::i64, Memory::row_major, 0, double(sizes[0]));
    View out = trial.output(sizes.with(0, rows), t, memory);
    trial.compare([&] { gather_rows(Cpu{}, x, index, out); },
                  [&] { reference::gather_rows(x, index, out); }, 0);
  }
}

// Every second row of a larger array: rows dense, the array not.
TEST(GatherRows, RowsMayLieApart) {
  Tensor all = Tensor::from<float>({0, 1, 9, 9, 2, 3, 9, 9, 4, 5}, {5, 2});
  Tensor x = all.slice(0, 0, 5, 2), out = Tensor::empty({4, 2});
  Tensor index = Tensor::from<int64_t>({2, 0, 0, 1}, {4});
  gather_rows(Cpu{}, x.view(), index.view(), out.view());
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{4, 5, 0, 1, 0, 1, 2, 3}));
}

}  // namespace
}  // namespace clade::kernels

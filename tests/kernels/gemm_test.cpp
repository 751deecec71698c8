#include "kernels/gemm/gemm.h"

#include <cmath>
#include <cstring>

#include "tensor/random.h"
#include "tensor/vectors.h"
#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

View transposed(View v) {
  std::swap(v.shape[0], v.shape[1]);
  std::swap(v.stride[0], v.stride[1]);
  return v;
}

// rows x columns: row-major, the transpose of such a matrix, or with gaps.
View operand(Trial& trial, int64_t rows, int64_t columns, DType t) {
  const Memory memory = trial.chance(0.2) ? Memory::gaps : Memory::row_major;
  if (trial.chance(0.5)) return transposed(trial.input({columns, rows}, t, memory, -1, 1));
  return trial.input({rows, columns}, t, memory, -1, 1);
}

void compare(Trial& trial, int64_t m, int64_t n, int64_t k) {
  const DType t = trial.floating();
  View a = operand(trial, m, k, t), b = operand(trial, k, n, t);
  const double alpha = trial.chance(0.5) ? 1 : trial.between(-2, 2);
  const double beta = trial.chance(0.5) ? 0 : trial.between(-2, 2);
  auto result = [&](const Shape& sizes) {  // beta = 0 must not read C
    return beta == 0 ? trial.output(sizes, t) : trial.in_place(sizes, t, Memory::row_major, -1, 1);
  };
  View c = trial.chance(0.3) ? transposed(result({n, m})) : result({m, n});
  trial.compare([&](auto on) { gemm(on, a, b, c, alpha, beta); },
                [&] { reference::gemm(a, b, c, alpha, beta); },
                testing::tolerance(t, 3e-6 * std::sqrt(double(k) + 1)),
                Trial::Sets::round_differently);
}

int64_t count(Trial& trial, int64_t most) { return trial.chance(0.03) ? 0 : trial.size(most); }

TEST(Gemm, SmallMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    const int64_t m = count(trial, 70), n = count(trial, 70);
    compare(trial, m, n, count(trial, 70));
  }
}

TEST(Gemm, SeveralTilesMatchReference) {  // more than 256 rows or columns
  for (uint64_t seed : testing::seeds(20)) {
    Trial trial(seed);
    compare(trial, 200 + trial.below(400), 200 + trial.below(400), trial.size(40));
  }
}

TEST(Gemm, LargeProductsMatchReference) {  // packed kernels: 2 million multiplications and more
  for (uint64_t seed : testing::seeds(20)) {
    Trial trial(seed);
    const int64_t m = 24 + trial.below(300), n = 32 + trial.below(300);
    compare(trial, m, n, 2'000'000 / (m * n) + trial.below(100));
  }
}

TEST(Gemm, RowsOfLargeProductsDoNotDependOnTheOthers) {
  Random rng(1);
  const Tensor a = randn({300, 700}, rng), b = randn({700, 200}, rng);
  Tensor whole = Tensor::empty({300, 200}), part = Tensor::empty({100, 200});
  gemm(Cpu{}, a.view(), b.view(), whole.view());
  gemm(Cpu{}, a.slice(0, 131, 231).view(), b.view(), part.view());
  EXPECT_EQ(0, std::memcmp(part.data<float>(), whole.data<float>() + 131 * 200,
                           100 * 200 * sizeof(float)));
}

TEST(Gemm, LongSumsMatchReference) {  // K is cut into chunks of 4096
  for (uint64_t seed : testing::seeds(20)) {
    Trial trial(seed);
    compare(trial, trial.size(20), trial.size(20), 4000 + trial.below(10000));
  }
}

TEST(Gemm, SerialMatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    const int64_t m = trial.size(40), n = trial.size(40), k = count(trial, 40);
    const bool ta = trial.chance(0.5), tb = trial.chance(0.5);
    View a = trial.input(ta ? Shape{k, m} : Shape{m, k}, DType::f32, Memory::row_major, -1, 1);
    View b = trial.input(tb ? Shape{n, k} : Shape{k, n}, DType::f32, Memory::row_major, -1, 1);
    View c = trial.in_place({m, n}, DType::f32, Memory::row_major, -1, 1);
    trial.compare(
        [&] {
          gemm_serial<float>(ta, tb, m, n, k, 2, a.as<float>(), std::max<int64_t>(a.shape[1], 1),
                             b.as<float>(), std::max<int64_t>(b.shape[1], 1), 0.5, c.as<float>(),
                             n);
        },
        [&] { reference::gemm(ta ? transposed(a) : a, tb ? transposed(b) : b, c, 2, 0.5); }, 1e-5);
  }
}

TEST(Gemm, GramMatchesSums) {
  const Vectors best = vectors();
  for (Vectors set : {Vectors::baseline, Vectors::avx2, Vectors::avx512}) {
    if (!use_vectors(set)) continue;
    for (uint64_t seed : testing::seeds(30)) {
      Random rng(seed);
      const int64_t n = 1 + rng.below(1200), d = 1 + rng.below(seed % 2 ? 20 : 150);
      const Tensor x = randn({n, d}, rng);
      Tensor c = Tensor::full({d, d}, NAN);
      gram(x.data<float>(), n, d, c.data<float>());
      for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++) {
          double sum = 0, size = 0;
          for (int64_t r = 0; r < n; r++) {
            const double term = double(x.at({r, i})) * double(x.at({r, j}));
            sum += term, size += std::abs(term);
          }
          ASSERT_NEAR(c.at({i, j}), sum, 4e-6 * size) << n << " x " << d;
        }
    }
  }
  use_vectors(best);
}

}  // namespace
}  // namespace clade::kernels

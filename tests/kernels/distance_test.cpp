#include "kernels/distance/distance.h"

#include <limits>

#include "kernels/distance/tiles.h"
#include "tensor/random.h"
#include "tests/support/every_set.h"

#include "tests/support/trial.h"

namespace clade::kernels {
namespace {

using testing::Memory;
using testing::Trial;

TEST(Distance, MatchesReference) {
  for (uint64_t seed : testing::seeds(1000)) {
    Trial trial(seed);
    DType t = trial.floating();
    auto count = [&](int64_t most) { return trial.chance(0.03) ? 0 : trial.size(most); };
    const int64_t most = trial.chance(0.1) ? 600 : 60;
    const int64_t n = count(most), m = count(most), d = count(100);
    View x = trial.input({n, d}, t, Memory::row_major, -1, 1);
    View c = trial.input({m, d}, t, Memory::row_major, -1, 1);
    View out = trial.output({n, m}, t);
    trial.compare([&](auto on) { squared_distances(on, x, c, out); },
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

TEST(Distance, LongRowsAreSummedToTheLastDigits) {
  Random rng(5);
  for (int64_t d : {32, 33, 63, 64, 65, 100, 784}) {
    Tensor x = randn({2, d}, rng);
    const float* a = x.data<float>();
    double want = 0;
    for (int64_t j = 0; j < d; j++) want += std::pow(double(a[j]) - double(a[d + j]), 2);
    EXPECT_NEAR(direct_squared_distance(a, a + d, d), want, 1e-13 * want);
    EXPECT_NEAR(double(rough_squared_distance(a, a + d, d)), want, 1e-4 * want);
    EXPECT_EQ(direct_squared_distance(a, a, d), 0);
    const double direct = direct_squared_distance(a, a + d, d);
    const float rough = rough_squared_distance(a, a + d, d);
    testing::for_every_set([&] {
      EXPECT_EQ(direct_squared_distance(a, a + d, d), direct);
      EXPECT_EQ(rough_squared_distance(a, a + d, d), rough);
    });
  }
}

TEST(Distance, RoughDistancesOfListedRows) {
  Random rng(7);
  for (DType dtype : {DType::f32, DType::f64})
    for (int64_t d : {1, 7, 8, 9, 15, 16, 17, 24, 50, 64, 65, 100}) {
      const Tensor x = randn({30, d}, rng, dtype), y = randn({4, d}, rng, dtype);
      const std::vector<int32_t> rows{0, 29, 3, 4, 17, 3, 8, 9, 11, 20, 21},
          others{3, 3, 0, 1, 2, 2, 0, 1, 3, 0, 0};
      dispatch_floating(dtype, [&](auto zero) {
        using T = decltype(zero);
        std::vector<T> first;
        testing::for_every_set([&] {
          std::vector<T> got(rows.size());
          rough_squared_distances(x.data<T>(), rows.data(), y.data<T>(), others.data(),
                                  int64_t(rows.size()), d, got.data());
          if (first.empty()) first = got;
          EXPECT_EQ(got, first);
        });
        const double error = double(d + 8) * double(std::numeric_limits<T>::epsilon()) / 2;
        for (size_t i = 0; i < rows.size(); i++) {
          const double want =
              direct_squared_distance(x.data<T>() + rows[i] * d, y.data<T>() + others[i] * d, d);
          EXPECT_NEAR(double(first[i]), want, error * want) << d;
        }
      });
    }
}

// Every key, at every length, against a plain loop; NaN counts as small.
TEST(Tiles, ReadersFindWhatALoopFinds) {
  Random rng(6);
  for (int64_t count : {0, 1, 15, 16, 63, 64, 65, 200, 512}) {
    Tensor keys = randn({count + 1}, rng), bounds = randn({count + 1}, rng);
    float* k = keys.data<float>();
    const float* b = bounds.data<float>();
    if (count > 70) k[70] = k[3] = NAN;
    for (float bound : {-4.0f, -1.5f, 0.0f, k[0], 9.0f}) {
      std::vector<int32_t> below, either, found(512);
      float least = std::numeric_limits<float>::infinity();
      for (int64_t j = 0; j < count; j++) {
        if (!(k[j] > bound)) below.push_back(int32_t(j));
        if (!(k[j] + 1.5f > std::max(bound, b[j]))) either.push_back(int32_t(j));
        if (k[j] < least) least = k[j];
      }
      std::vector<int32_t> doubtful;  // b * b: a margin is not negative
      std::vector<float> margin(size_t(count), 0.f);
      for (int64_t j = 0; j < count; j++) {
        margin[size_t(j)] = b[j] * b[j];
        if (!(k[j] > bound) && !(k[j] + margin[size_t(j)] <= bound - 0.5f))
          doubtful.push_back(int32_t(j));
      }
      const KeyCounts counts = count_keys(k, count, margin.data(), bound, bound - 0.5f);
      EXPECT_EQ(counts.at_most, int64_t(below.size()));
      EXPECT_EQ(counts.in_doubt, int64_t(doubtful.size()));
      found.resize(
          size_t(find_in_doubt(k, count, margin.data(), bound, bound - 0.5f, found.data())));
      EXPECT_EQ(found, doubtful);
      found.resize(512);
      found.resize(size_t(find_at_most(k, count, bound, found.data())));
      EXPECT_EQ(found, below);
      found.resize(512);
      found.resize(size_t(find_at_most_either(k, count, 1.5f, bound, b, found.data())));
      EXPECT_EQ(found, either);
      EXPECT_EQ(smallest_key(k, count), least);
    }
  }
}

template <class T>
void expect_transposed_tiles() {
  Random rng(8);
  for (int64_t d : {1, 31, 127, 128, 150, 784})
    for (int64_t count : {1, 3, 4, 7, 16, 17}) {
      const int64_t rows = 1 + rng.below(150);
      const Tensor x = randn({rows, d}, rng, dtype_of<T>), y = randn({count, d}, rng, dtype_of<T>);
      const Tensor h = randn({count}, rng, dtype_of<T>);
      std::vector<T> products(size_t(rows * count), T(0)), least(size_t(rows), T(0));
      std::vector<T> second(size_t(rows), T(0));
      std::vector<int32_t> number(size_t(rows), 0);
      transposed_products(x.data<T>(), rows, y.data<T>(), count, d, products.data());
      for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < count; c++) {
          double want = 0, size = 0;
          for (int64_t j = 0; j < d; j++) {
            const double term = double(x.at({i, j})) * double(y.at({c, j}));
            want += term, size += std::abs(term);
          }
          const double u = double(std::numeric_limits<T>::epsilon());
          ASSERT_NEAR(double(products[size_t(c * rows + i)]), want, double(d) * u * size);
        }
      // The readers are exact: what a loop finds, two centres after the first equal.
      for (int64_t i = 0; i < rows && count > 2; i++)
        products[size_t(2 * rows + i)] = products[size_t(rows + i)];
      std::vector<T> hs = h.to_vector<T>();
      if (count > 2) hs[2] = hs[1];
      const T infinity = std::numeric_limits<T>::infinity();
      testing::for_every_set([&] {
        std::fill(least.begin(), least.end(), infinity);
        std::fill(second.begin(), second.end(), infinity);
        least_two(products.data(), rows, count, hs.data(), 100, least.data(), number.data(),
                  second.data());
        for (int64_t i = 0; i < rows; i++) {
          T best = infinity, next = infinity;
          int32_t at = 0;
          for (int64_t c = 0; c < count; c++) {
            const T key = hs[size_t(c)] - products[size_t(c * rows + i)];
            if (key < best)
              next = best, best = key, at = int32_t(100 + c);
            else if (key < next)
              next = key;
          }
          ASSERT_EQ(least[size_t(i)], best);
          ASSERT_EQ(number[size_t(i)], at);
          ASSERT_EQ(second[size_t(i)], next);
        }
      });
    }
}

TEST(TransposedTiles, F32) { expect_transposed_tiles<float>(); }
TEST(TransposedTiles, F64) { expect_transposed_tiles<double>(); }

}  // namespace
}  // namespace clade::kernels

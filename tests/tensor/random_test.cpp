#include "tensor/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/support/errors.h"
#include "tests/support/threads.h"

namespace clade {
namespace {

using testing::message_of;

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0, n = double(a.size());
  for (size_t i = 0; i < a.size(); i++) ma += a[i] / n, mb += b[i] / n;
  for (size_t i = 0; i < a.size(); i++) {
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
    ab += (a[i] - ma) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

TEST(Philox, KnownAnswers) {  // kat_vectors of Random123
  auto words = [](uint64_t low, uint64_t high, uint64_t key) {
    PhiloxBlock b = philox(low, high, key);
    return std::vector<uint32_t>(b.word, b.word + 4);
  };
  EXPECT_EQ(words(0, 0, 0),
            (std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(words(UINT64_MAX, UINT64_MAX, UINT64_MAX),
            (std::vector<uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(words(0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822),
            (std::vector<uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, LogAndSineAreAsExactAsTheySay) {
  for (int i = 1; i <= 1 << 16; i++) {
    float x = float(i) * 0x1p-16f;
    double exact = std::log(double(x));
    EXPECT_NEAR(detail::exact_log(x), exact, 2e-7 * std::abs(exact) + 1e-12) << x;
    float u = float(i - 1) * 0x1p-16f, s, c;
    detail::exact_sincos_turns(u, &s, &c);
    EXPECT_NEAR(s, std::sin(2 * M_PI * double(u)), 1.5e-7) << u;
    EXPECT_NEAR(c, std::cos(2 * M_PI * double(u)), 1.5e-7) << u;
  }
}

TEST(Random, NormalMoments) {
  Random rng(7);
  std::vector<double> z = randn({200000}, rng).to_vector<double>();
  double mean = 0, var = 0, fourth = 0;
  for (double v : z) mean += v / double(z.size());
  for (double v : z) var += (v - mean) * (v - mean) / double(z.size());
  for (double v : z) fourth += v * v * v * v / double(z.size());
  EXPECT_NEAR(mean, 0, 0.01);
  EXPECT_NEAR(var, 1, 0.015);
  EXPECT_NEAR(fourth, 3, 0.1);
}

TEST(Random, UniformFillsItsRangeEvenly) {
  Random rng(8);
  Tensor t = Tensor::empty({160000});
  fill_uniform(rng, t, -2, 6);
  std::vector<int> counts(16);
  for (float v : t.to_vector<float>()) {
    ASSERT_GE(v, -2);
    ASSERT_LT(v, 6);
    counts[size_t((v + 2) * 2)]++;
  }
  for (int count : counts) EXPECT_NEAR(count, 10000, 500);  // 5 standard deviations
}

TEST(Random, SingleDrawsFillTheirRangeEvenly) {
  Random rng(9);
  std::vector<int> uniform(10), below(10);
  for (int i = 0; i < 100000; i++) {
    uniform[size_t(rng.uniform() * 10)]++;
    below[size_t(rng.below(10))]++;
  }
  for (int count : uniform) EXPECT_NEAR(count, 10000, 480);
  for (int count : below) EXPECT_NEAR(count, 10000, 480);
  EXPECT_EQ(Random(1).below(1), 0);
  EXPECT_EQ(message_of([] { Random(1).below(0); }),
            "Random::below: expected n of 1 or more; got 0");
}

TEST(Random, SameBitsAtAnyThreadCount) {
  testing::expect_same_at_any_thread_count([] {
    Random rng(3);
    return randn({100003}, rng).to_vector<float>();
  });
}

TEST(Random, ADrawIsAFunctionOfSeedStreamAndIndex) {
  Random rng(4, 2);
  std::vector<float> z = randn({11}, rng).to_vector<float>();
  for (int64_t i = 0; i < 11; i++)
    EXPECT_EQ(z[size_t(i)], float(Random(4, 2).normal_at(uint64_t(i))));
  EXPECT_EQ(rng.position(), 11u);
  // The next fill starts at a whole block of four; a saved position goes on from there.
  Random saved(4, 2, rng.position());
  EXPECT_EQ(randn({5}, rng).to_vector<float>(), randn({5}, saved).to_vector<float>());
  EXPECT_EQ(rng.position(), 17u);
  EXPECT_EQ(rng.normal(), Random(4, 2).normal_at(17));
}

TEST(Random, TheLayoutDoesNotChangeTheDraw) {
  Random a(5), b(5), c(5), d(5);
  Tensor rows = randn({2, 3, 4, 5}, a);
  Tensor image = Tensor::empty({2, 3, 4, 5}, DType::f32, Layout::channels_last);
  fill_normal(b, image);
  EXPECT_EQ(image.to_vector<float>(), rows.to_vector<float>());
  Tensor gaps = Tensor::zeros({2, 3, 4, 10}).slice(3, 0, 10, 2);
  fill_normal(c, gaps);
  EXPECT_EQ(gaps.to_vector<float>(), rows.to_vector<float>());
  EXPECT_EQ(randn({2, 3, 4, 5}, d, DType::f64).to_vector<float>(), rows.to_vector<float>());
}

TEST(Random, StreamsSeedsAndUsesAreIndependent) {
  auto draws = [](auto&& at) {
    std::vector<double> values(20000);
    for (size_t i = 0; i < values.size(); i++) values[i] = at(uint64_t(i));
    return values;
  };
  std::vector<std::vector<double>> all;
  std::vector<Random> sources = {Random(1, 0),
                                 Random(1, 1),
                                 Random(1, 2),
                                 Random(2, 0),
                                 Random(1).fork("init"),
                                 Random(1).fork("mask"),
                                 Random(1).fork(0),
                                 Random(1).fork(1),
                                 Random(1).fork("init").fork("mask"),
                                 Random(1).fork("mask").fork("init")};
  for (const Random& r : sources) {
    all.push_back(draws([&](uint64_t i) { return double(r.bits_at(i)); }));
    all.push_back(draws([&](uint64_t i) { return r.uniform_at(i); }));
    all.push_back(draws([&](uint64_t i) { return double(r.below_at(i, 1000000)); }));
  }
  for (size_t a = 0; a < all.size(); a++)
    for (size_t b = 0; b < a; b++)
      EXPECT_LT(std::abs(correlation(all[a], all[b])), 0.04) << a << " and " << b;
}

TEST(Random, ForksDependOnSeedAndNameAlone) {
  Random a(1), b(1);
  b.normal();  // where the parent stands does not matter
  EXPECT_EQ(a.fork("x").stream(), b.fork("x").stream());
  EXPECT_NE(a.fork("x").stream(), a.fork("y").stream());
  EXPECT_EQ(a.fork("x").seed(), 1u);
  EXPECT_EQ(a.fork("x").position(), 0u);
}

TEST(Random, PermutationsAreUniform) {
  Random rng(10);
  std::vector<int64_t> big = permutation(1000, rng).to_vector<int64_t>();
  std::sort(big.begin(), big.end());
  for (int64_t i = 0; i < 1000; i++) EXPECT_EQ(big[size_t(i)], i);
  EXPECT_EQ(permutation(0, rng).numel(), 0);

  std::vector<int> counts(24);
  std::vector<int64_t> order = {0, 1, 2, 3};
  std::set<std::vector<int64_t>> all;
  do all.insert(order);
  while (std::next_permutation(order.begin(), order.end()));
  for (int i = 0; i < 24000; i++) {
    auto found = all.find(permutation(4, rng).to_vector<int64_t>());
    counts[size_t(std::distance(all.begin(), found))]++;
  }
  for (int count : counts) EXPECT_NEAR(count, 1000, 160);  // 5 standard deviations
}

TEST(Random, OnlyFloatsAreFilled) {
  Random rng(1);
  Tensor t = Tensor::zeros({2}, DType::i32);
  EXPECT_EQ(message_of([&] { fill_normal(rng, t); }),
            "fill_normal: expected an f32 or f64 tensor; got i32 [2]");
  EXPECT_EQ(message_of([&] { fill_uniform(rng, t); }),
            "fill_uniform: expected an f32 or f64 tensor; got i32 [2]");
}

}  // namespace
}  // namespace clade

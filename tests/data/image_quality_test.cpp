// MSE, PSNR and SSIM against scikit-image 0.26 (gaussian_weights, sigma 1.5, data_range 1).
#include "data/image_quality.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/threads.h"

namespace clade::data {
namespace {

// ((7 i + 13 j) mod 17) / 16 and the like: 16 x 20.
float wave(int64_t i, int64_t j, int64_t a, int64_t b, int64_t m) {
  return float((i * a + j * b) % m) / float(m - 1);
}

struct Pair {
  Tensor x = Tensor::empty({2, 1, 16, 20}), y = Tensor::empty({2, 1, 16, 20});
  Pair() {
    float *a = x.data<float>(), *b = y.data<float>();
    for (int64_t i = 0; i < 16; i++)
      for (int64_t j = 0; j < 20; j++) {
        const int64_t at = i * 20 + j;
        a[at] = wave(i, j, 7, 13, 17), a[at + 320] = wave(i, j, 3, 5, 23);
        b[at] = std::clamp(0.8f * a[at] + 0.1f * wave(i, j, 1, 2, 5), 0.0f, 1.0f);
        b[at + 320] = wave(i, j, 3, 5, 29);
      }
  }
};

TEST(ImageQuality, AgreesWithScikitImage) {
  const Pair p;
  const ImageQuality first = image_quality(p.x.slice(0, 0, 1), p.y.slice(0, 0, 1));
  EXPECT_NEAR(first.ssim, 0.9552172998209457, 1e-6);
  EXPECT_NEAR(first.psnr, 20.884055305262056, 1e-5);
  EXPECT_NEAR(first.mse, 0.008158202283142882, 1e-8);
  const ImageQuality both = image_quality(p.x, p.y);
  EXPECT_NEAR(both.ssim, (0.9552172998209457 - 0.24704934248943802) / 2, 1e-6);
  EXPECT_NEAR(both.psnr, (20.884055305262056 + 7.3453555159944885) / 2, 1e-5);
}

TEST(ImageQuality, LimitsAndThreads) {
  const Pair p;
  const ImageQuality same = image_quality(p.x, p.x);
  EXPECT_EQ(same.mse, 0);
  EXPECT_EQ(same.psnr, 100);
  EXPECT_NEAR(same.ssim, 1, 1e-12);
  EXPECT_TRUE(
      std::isnan(image_quality(Tensor::zeros({1, 1, 8, 8}), Tensor::zeros({1, 1, 8, 8})).ssim));
  EXPECT_THROW(image_quality(p.x, p.x.slice(0, 0, 1)), Error);
  testing::expect_same_at_any_thread_count([&] { return image_quality(p.x, p.y).ssim; });
}

}  // namespace
}  // namespace clade::data

// That the work of the kernels is cut finely enough for more threads than there are here: the
// speed-up that the chunks' own CPU times allow (tensor/scaling.h).
#include "tensor/scaling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "kernels/conv/conv.h"
#include "kernels/gemm/gemm.h"
#include "kernels/norm/norm.h"
#include "kernels/update/update.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::kernels {
namespace {

// The best of some runs: what disturbs one chunk makes all threads wait for it.
double speed_up(int threads, const std::function<void()>& work) {
  double best = 0;
  for (int i = 0; i < 5; i++) {
    const Scaling s = record_scaling(threads, work);
    best = std::max(best, s.seconds(1) / s.seconds(threads));
  }
  return best;
}

void expect_scales(const std::string& what, const std::function<void()>& work) {
  EXPECT_GT(speed_up(2, work), 1.8) << what;
  EXPECT_GT(speed_up(8, work), 5) << what;
}

Tensor random_tensor(const Shape& shape, Layout layout = Layout::row_major) {
  Random rng(1);
  return randn(shape, rng).to_layout(layout);
}

TEST(Scaling, OfLoopsIsThatOfTheirChunks) {
  Scaling s;
  s.outside = 1;
  s.loops = {{1, 1, 1, 1}, {3, 1, 1, 1}, {2}};
  EXPECT_EQ(s.seconds(1), 1 + 4 + 6 + 2);
  EXPECT_EQ(s.seconds(2), 1 + 2 + 3 + 2);
  EXPECT_EQ(s.seconds(4), 1 + 1 + 3 + 2);
  EXPECT_EQ(s.seconds(9), s.seconds(4));

  double sum = 0;
  const Scaling recorded = record_scaling(3, [&] {
    EXPECT_EQ(threads(), 3);
    parallel_for(10, 1, [&](int64_t i, int64_t) { sum += double(i); });  // one after another
    parallel_for(1, 1, [&](int64_t, int64_t) { sum += 1; });
  });
  EXPECT_EQ(sum, 46);
  ASSERT_EQ(recorded.loops.size(), 1u);  // a loop of one chunk is not divided
  EXPECT_EQ(recorded.loops[0].size(), 10u);
}

// A loop that gives one chunk nearly all of the work is found out.
TEST(Scaling, ShowsWorkThatIsCutUnevenly) {
  volatile double sink = 0;
  auto spin = [&](int64_t n) {
    for (int64_t i = 0; i < n; i++) sink = sink + 1;
  };
  EXPECT_LT(speed_up(8,
                     [&] {
                       parallel_for(8, 1,
                                    [&](int64_t i, int64_t) { spin(i == 0 ? 1'000'000 : 10'000); });
                     }),
            1.3);
  EXPECT_LT(speed_up(8, [&] { spin(1'000'000); }), 1.1);
}

TEST(Scaling, OfConvolutions) {
  struct Layer {
    int64_t channels, size, outputs, stride;
  };
  for (const Layer l : {Layer{1, 32, 32, 1}, Layer{32, 32, 32, 2}, Layer{32, 16, 64, 1},
                        Layer{128, 8, 128, 1}, Layer{256, 4, 256, 2}}) {
    const int64_t out = (l.size + l.stride - 1) / l.stride;
    const Tensor x = random_tensor({64, l.channels, l.size, l.size}, Layout::channels_last);
    const Tensor y = random_tensor({64, l.outputs, out, out}, Layout::channels_last);
    const Tensor w = random_tensor({l.outputs, l.channels, 3, 3});
    const ConvParams p{{l.stride, l.stride}, {1, 1}};
    const std::string name = text(l.channels, " x ", l.size, ", stride ", l.stride, ": ");
    expect_scales(name + "forward",
                  [&] { conv2d_forward(Cpu{}, x.view(), w.view(), View{}, y.view(), p); });
    expect_scales(name + "grad_input",
                  [&] { conv2d_grad_input(Cpu{}, y.view(), w.view(), View{}, x.view(), p); });
    expect_scales(name + "grad_weight",
                  [&] { conv2d_grad_weight(Cpu{}, x.view(), y.view(), w.view(), p); });
  }
}

TEST(Scaling, OfProductsNormsAndSteps) {
  const Tensor a = random_tensor({1024, 500}), b = random_tensor({500, 2000});
  const Tensor c = random_tensor({1024, 2000});
  expect_scales("gemm", [&] { gemm(Cpu{}, a.view(), b.view(), c.view(), 1, 0); });

  const Tensor x = random_tensor({64, 32, 32, 32}, Layout::channels_last), y = x.clone(),
               dy = x.clone();
  const Tensor gamma = random_tensor({32}), beta = gamma.clone(), mean = gamma.clone(),
               inv_std = gamma.clone(), offset = gamma.clone(), dgamma = gamma.clone(),
               dbeta = gamma.clone();
  expect_scales("batch norm", [&] {
    batch_norm_training(Cpu{}, x.view(), gamma.view(), beta.view(), 1e-5, 0.1, View{}, View{}, 0,
                        y.view(), mean.view(), inv_std.view(), offset.view());
  });
  expect_scales("batch norm, backward", [&] {
    batch_norm_training_backward(Cpu{}, x.view(), dy.view(), gamma.view(), mean.view(),
                                 inv_std.view(), offset.view(), 0, y.view(), dgamma.view(),
                                 dbeta.view());
  });
  const Tensor p = random_tensor({2'000'000}), g = p.clone(), m = p.clone();
  const Tensor v = Tensor::full({2'000'000}, 0.1);
  expect_scales("Adam", [&] {
    adam_step(Cpu{}, p.view(), g.view(), m.view(), v.view(), AdamStep{.lr = 1e-3});
  });
}

}  // namespace
}  // namespace clade::kernels

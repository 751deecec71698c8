// What the op table does not reach gives the same bits with every instruction set, too: optimizer
// steps and the noise of fill_normal and fill_uniform.
#include <gtest/gtest.h>

#include <bit>

#include "kernels/update/update.h"
#include "tensor/random.h"
#include "tests/support/every_set.h"

namespace clade::kernels {
namespace {

std::vector<std::vector<uint64_t>> steps_and_noise(DType dtype) {
  const Cpu cpu;
  Random rng(5);
  const Shape shape{999};
  Tensor p = randn(shape, rng, dtype), g = randn(shape, rng, dtype), m = randn(shape, rng, dtype),
         v = rand(shape, rng, dtype);
  std::vector<std::vector<uint64_t>> out;
  auto keep = [&] {
    for (const Tensor& t : {p, m, v}) {
      out.emplace_back();
      for (double x : t.to_vector<double>()) out.back().push_back(std::bit_cast<uint64_t>(x));
    }
  };
  keep();
  adam_step(cpu, p.view(), g.view(), m.view(), v.view(), AdamStep{.lr = 0.01, .weight_decay = 0.1});
  keep();
  sgd_step(cpu, p.view(), g.view(), m.view(), SgdStep{.lr = 0.01, .momentum = 0.9});
  keep();
  rmsprop_step(cpu, p.view(), g.view(), v.view(), m.view(),
               RmspropStep{.lr = 0.01, .momentum = 0.9});
  keep();
  Tensor u = rand(shape, rng, dtype);
  adadelta_step(cpu, p.view(), g.view(), v.view(), u.view(), AdadeltaStep{.lr = 0.01});
  keep();
  return out;
}

TEST(Vectors, StepsAndNoiseAreTheSameBitsWithEverySet) {
  for (DType dtype : {DType::f32, DType::f64}) {
    std::vector<std::vector<uint64_t>> first;
    const int sets = testing::for_every_set([&] {
      const auto results = steps_and_noise(dtype);
      if (first.empty()) first = results;
      EXPECT_EQ(first, results) << name_of(dtype);
    });
    if (sets < 2) GTEST_SKIP() << "only one instruction set runs here";
  }
}

}  // namespace
}  // namespace clade::kernels

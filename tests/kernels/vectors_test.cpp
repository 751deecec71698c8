// The kernels give the same bits with every instruction set that runs here.
#include "tensor/vectors.h"

#include <gtest/gtest.h>

#include "kernels/elementwise/elementwise.h"
#include "kernels/loss/loss.h"
#include "kernels/norm/norm.h"
#include "kernels/reduce/reduce.h"
#include "kernels/sample/sample.h"
#include "kernels/update/update.h"
#include "tensor/random.h"

namespace clade::kernels {
namespace {

using Results = std::vector<std::vector<float>>;

// One call of every family, on sizes with remainders; extreme values among them.
Results run_kernels() {
  const Cpu cpu;
  Random rng(5);
  Tensor a = randn({37, 53}, rng), b = randn({37, 53}, rng), y = Tensor::empty({37, 53});
  a.data<float>()[3] = 1e30f, a.data<float>()[700] = -90.0f, a.data<float>()[701] = 1e-42f;
  Results out;
  auto keep = [&](const Tensor& t) { out.push_back(t.to_vector<float>()); };
  for (int op = 0; op <= int(Unary::silu); op++) {
    if (Unary(op) == Unary::log || Unary(op) == Unary::sqrt || Unary(op) == Unary::power) continue;
    unary(cpu, Unary(op), a.view(), y.view(), 0.3, 0.9);
    keep(y);
    unary_backward(cpu, Unary(op), a.view(), y.view(), b.view(), y.view(), 0.3, 0.9);
    keep(y);
  }
  for (int op = 0; op <= int(Binary::equal); op++) {
    binary(cpu, Binary(op), a.view(), b.view(), y.view());
    keep(y);
  }
  Tensor rows = Tensor::empty({37, 1}), columns = Tensor::empty({1, 53}), n = Tensor::empty({37});
  for (Reduce op : {Reduce::sum, Reduce::mean, Reduce::max, Reduce::min}) {
    reduce(cpu, op, b.view(), rows.view());
    keep(rows);
    reduce(cpu, op, b.view(), columns.view());
    keep(columns);
  }
  softmax(cpu, b.view(), y.view(), 1);
  keep(y);
  squared_error(cpu, a.view(), b.view(), {}, n.view());
  keep(n);
  kl_standard_normal(cpu, b.view(), b.view(), n.view());
  keep(n);
  reparameterize(cpu, b.view(), b.view(), Draw{1, 2, 3}, y.view());
  keep(y);
  dropout(cpu, b.view(), 0.3, Draw{1, 2, 3}, y.view());
  keep(y);
  Tensor gamma = randn({53}, rng), beta = randn({53}, rng), mean = Tensor::zeros({53}),
         inv = Tensor::zeros({53});
  batch_norm_training(cpu, b.view(), gamma.view(), beta.view(), 1e-5, 0.1, {}, {}, y.view(),
                      mean.view(), inv.view());
  keep(y);
  Tensor p = randn({999}, rng), g = randn({999}, rng), m = randn({999}, rng), v = rand({999}, rng);
  adam_step(cpu, p.view(), g.view(), m.view(), v.view(), AdamStep{.lr = 0.01});
  keep(p);
  keep(v);
  keep(randn({1001}, rng));
  return out;
}

TEST(Vectors, EverySetGivesTheSameBits) {
  const Vectors best = vectors();
  Results first;
  int sets = 0;
  for (Vectors set : {Vectors::baseline, Vectors::avx2, Vectors::avx512}) {
    if (!use_vectors(set)) continue;
    Results results = run_kernels();
    if (sets++ == 0) first = results;
    ASSERT_EQ(first.size(), results.size());
    for (size_t i = 0; i < first.size(); i++)
      for (size_t j = 0; j < first[i].size(); j++)
        ASSERT_TRUE(first[i][j] == results[i][j] ||
                    (first[i][j] != first[i][j] && results[i][j] != results[i][j]))
            << "set " << int(set) << ", result " << i << " at " << j << ": " << first[i][j]
            << " and " << results[i][j];
  }
  use_vectors(best);
}

}  // namespace
}  // namespace clade::kernels

#include <algorithm>
#include <chrono>

#include "kernels/ceiling/ceiling.h"
#include "kernels/ceiling/ceiling_kernels.h"
#include "tensor/memory.h"
#include "tensor/parallel.h"
#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

const ceiling::Loop& best_loop() {
  const Vectors set = vectors();
  if (set == Vectors::avx512 && ceiling::avx512_loop) return *ceiling::avx512_loop;
  if (set >= Vectors::avx2 && ceiling::avx2_loop) return *ceiling::avx2_loop;
  return *ceiling::baseline_loop;
}

template <class Body>
double fastest(int rounds, Body body) {  // seconds
  double best = 1e30;
  for (int i = 0; i < rounds; i++) {
    auto begin = std::chrono::steady_clock::now();
    body();
    std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::min(best, taken.count());
  }
  return best;
}

}  // namespace

Ceiling measure_ceiling(const Cpu&) {
  Ceiling out;
  const ceiling::Loop& loop = best_loop();
  constexpr int64_t kRounds = 1 << 19, kLanes = 16;
  const int64_t pieces = threads();
  Scratch<float> sums(pieces * kLanes);
  std::fill(sums.data(), sums.data() + pieces * kLanes, 0.25f);
  double seconds = fastest(12, [&] {
    parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) loop.run(kRounds, sums.data() + i * kLanes);
    });
  });
  out.flops = double(pieces) * double(kRounds) * double(loop.flops) / seconds;

  constexpr int64_t kElements = 16 << 20;  // 64 MB an array
  Scratch<float> a(kElements), b(kElements), y(kElements);
  auto each = [&](auto body) {
    parallel_for(kElements, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) body(i);
    });
  };
  float *as = a.data(), *bs = b.data(), *ys = y.data();
  each([=](int64_t i) { as[i] = bs[i] = ys[i] = 1; });
  seconds = fastest(8, [&] { each([=](int64_t i) { ys[i] = as[i] + 0.5f * bs[i]; }); });
  out.bytes = 12.0 * kElements / seconds;
  return out;
}

}  // namespace clade::kernels

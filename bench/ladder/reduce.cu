#include "kernels/reduce/reduce.h"

#include "bench/ladder/ladder.h"
#include "kernels/cuda/team.cuh"

namespace clade::ladder {
namespace {

using namespace kernels;

// x (rows, n), y (rows, 1)
__global__ void sum_by_threads(const float* x, int64_t rows, int64_t n, float* y) {
  const int64_t r = cuda::thread_index();
  if (r >= rows) return;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += double(x[r * n + i]);
  y[r] = float(sum);
}

__global__ void sum_by_warps(const float* x, int64_t rows, int64_t n, float* y) {
  const cuda::Team<32> team;
  if (team.line >= rows) return;
  double sum = 0;
  for (int64_t i = team.lane; i < n; i += 32) sum += double(x[team.line * n + i]);
  sum = cuda::join_team<Sum, 32>(sum);
  if (team.lane == 0) y[team.line] = float(sum);
}

__global__ void logsumexp_by_threads(const float* x, int64_t rows, int64_t n, float* y) {
  const int64_t r = cuda::thread_index();
  if (r >= rows) return;
  float largest = -INFINITY;
  for (int64_t i = 0; i < n; i++) largest = std::fmax(largest, x[r * n + i]);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += double(std::exp(x[r * n + i] - largest));
  y[r] = float(double(largest) + std::log(sum));
}

__global__ void logsumexp_by_warps(const float* x, int64_t rows, int64_t n, float* y) {
  const cuda::Team<32> team;
  if (team.line >= rows) return;
  double largest = -INFINITY;
  for (int64_t i = team.lane; i < n; i += 32)
    largest = Largest::join(largest, double(x[team.line * n + i]));
  largest = cuda::join_team<Largest, 32>(largest);
  double sum = 0;
  for (int64_t i = team.lane; i < n; i += 32)
    sum += double(std::exp(x[team.line * n + i] - float(largest)));
  sum = cuda::join_team<Sum, 32>(sum);
  if (team.lane == 0) y[team.line] = float(largest + std::log(sum));
}

template <auto Kernel, int Lanes>
void by_rows(const Cuda& ctx, const View* v) {
  const int64_t rows = v[0].shape[0], n = v[0].shape[1];
  launch<Kernel>(ctx.stream, cuda::grid_of_teams<Lanes>(rows), v[0].as<float>(), rows, n,
                 v[1].as<float>());
}

}  // namespace

Ladder reduction_ladder() {
  constexpr int64_t kRows = 64, kTerms = 1 << 20;
  return {"reduction",
          "y[r] = sum of x[r, i] over i",
          [](bool large) -> std::vector<Argument> {
            if (large) return {{{kRows, kTerms}}, {{kRows, 1}, true}};
            return {{{9, 700}}, {{9, 1}, true}};
          },
          [](const View* v) { reference::reduce(Reduce::sum, v[0], v[1]); },
          1e-6,
          double(kRows * kTerms),
          double(kRows * kTerms) * 4,
          {{"a thread a row", "64 threads, and neighbours in a warp read a megabyte apart",
            by_rows<sum_by_threads, 1>},
           {"a warp a row", "a warp reads 32 neighbours: one line of memory",
            by_rows<sum_by_warps, 32>},
           {"production: rows cut into chunks",
            "chunks enough to fill the machine, joined in order by a second kernel",
            [](const Cuda& ctx, const View* v) { reduce(ctx, Reduce::sum, v[0], v[1]); }}}};
}

Ladder logsumexp_ladder() {
  constexpr int64_t kRows = 1 << 18, kTerms = 64;
  return {"logsumexp",
          "y[r] = log of the sum of exp(x[r, i]) over i",
          [](bool large) -> std::vector<Argument> {
            if (large) return {{{kRows, kTerms}}, {{kRows, 1}, true}};
            return {{{300, 50}, false, DType::f32, -9, 9}, {{300, 1}, true}};
          },
          [](const View* v) { reference::logsumexp(v[0], v[1], 1); },
          1e-6,
          6.0 * kRows* kTerms,
          double(kRows * (kTerms + 1)) * 4,
          {{"a thread a row", "neighbours in a warp read 256 bytes apart, twice",
            by_rows<logsumexp_by_threads, 1>},
           {"a warp a row", "a warp reads 32 neighbours", by_rows<logsumexp_by_warps, 32>},
           {"production", "an exp of 20 plain instructions, with the CPU's bits",
            [](const Cuda& ctx, const View* v) { logsumexp(ctx, v[0], v[1], 1); }}}};
}

}  // namespace clade::ladder

// reduce and argmax on the GPU: outputs by terms, cut so that a warp reads neighbours.
//
//     rows     a warp an output, its lanes along the terms        (terms are neighbours in memory)
//     columns  a thread an output, along the terms                (outputs are neighbours)
//
// The terms of an output are cut into chunks where there are too few outputs to fill the machine;
// each chunk leaves an f64 number in scratch, and a second kernel joins an output's numbers in
// order. No atomics: the bits depend on the sizes alone.
#include "kernels/reduce/reduce.h"

#include "kernels/cuda/team.cuh"
#include "kernels/elementwise/walk.h"
#include "tensor/device_memory.h"

namespace clade::kernels {
namespace {

using namespace cuda;

constexpr int64_t kEnough = 132 * 2048;  // threads that fill an H100
constexpr int64_t kLeastTerms = 64;      // of a chunk, for each thread

// As much of x as keeps (or loses) the axes that are marked; sizes of the others become 1.
View only_axes(View v, const bool* keep) {
  for (int d = 0; d < v.rank; d++)
    if (!keep[d]) v.shape[d] = 1;
  return v;
}

template <class T, class Op, int Lanes>
__global__ void reduce_chunks(const T* x, Walk<2> outputs, Walk<1> terms, int64_t chunk,
                              double* partial) {
  const Team<Lanes> team;
  if (team.line >= outputs.numel()) return;
  int64_t output[2];
  outputs.locate(team.line, output);
  const int64_t begin = int64_t(blockIdx.y) * chunk;
  const int64_t end = min(begin + chunk, terms.numel());
  double sum = Op::kStart;
  for (int64_t t = begin + team.lane; t < end; t += Lanes) {
    int64_t term[1];
    terms.locate(t, term);
    sum = Op::join(sum, double(x[output[0] + term[0]]));
  }
  sum = join_team<Op, Lanes>(sum);
  if (team.lane == 0) partial[int64_t(blockIdx.y) * outputs.numel() + team.line] = sum;
}

template <class T, class Op>
__global__ void join_chunks(const double* partial, int64_t chunks, Walk<2> outputs, double divisor,
                            T* y) {
  const int64_t o = thread_index();
  if (o >= outputs.numel()) return;
  double sum = Op::kStart;
  for (int64_t c = 0; c < chunks; c++) sum = Op::join(sum, partial[c * outputs.numel() + o]);
  int64_t at[2];
  outputs.locate(o, at);
  y[at[1]] = T(sum / divisor);
}

template <class T, class Op>
void reduce_typed(const Cuda& ctx, const View& x, const View& y, double divisor) {
  bool kept[kMaxRank] = {}, gone[kMaxRank] = {};
  for (int d = 0; d < x.rank; d++) kept[d] = x.shape[d] == y.shape[d], gone[d] = !kept[d];
  const Walk<2> outputs({only_axes(x, kept), only_axes(y, kept)});
  const Walk<1> terms({only_axes(x, gone)});
  const int64_t m = outputs.numel(), n = terms.numel();
  const bool by_columns = m >= 32 && outputs.step(0) < terms.step(0);
  const int64_t lanes = by_columns ? 1 : 32;
  // Chunks enough to fill the machine, but each with work enough; a grid has 65535 along y.
  const int64_t wanted = std::min<int64_t>(ceil_div(kEnough, m * lanes), 65535);
  const int64_t chunk = std::max(ceil_div(n, wanted), kLeastTerms * lanes);
  const int64_t chunks = std::max<int64_t>(1, ceil_div(n, chunk));
  DeviceScratch<double> partial(chunks * m, ctx.stream);
  auto run = [&](auto constant) {
    constexpr int kLanes = decltype(constant)::value;
    Grid grid = grid_of_teams<kLanes>(m);
    grid.blocks.y = unsigned(chunks);
    launch<reduce_chunks<T, Op, kLanes>>(ctx.stream, grid, x.as<const T>(), outputs, terms, chunk,
                                         partial.data());
  };
  by_columns ? run(std::integral_constant<int, 1>{}) : run(std::integral_constant<int, 32>{});
  launch<join_chunks<T, Op>>(ctx.stream, grid_of(m), partial.data(), chunks, outputs, divisor,
                             y.as<T>());
}

// The better of two candidates: NaN beats all, then the larger, then the one that comes first.
template <class T>
struct Candidate {
  T value;
  int64_t index;
  __device__ bool beats(const Candidate& other) const {
    const bool nan = value != value, other_nan = other.value != other.value;
    if (nan != other_nan) return nan;
    if (!nan && value != other.value) return value > other.value;
    return index < other.index;
  }
};

template <class T, int Lanes>
__global__ void argmax_lines(const T* x, Walk<2> lines, int64_t n, int64_t step, int64_t* index) {
  const Team<Lanes> team;
  if (team.line >= lines.numel()) return;
  int64_t at[2];
  lines.locate(team.line, at);
  // A lane without an element holds the first one.
  Candidate<T> best{x[at[0]], 0};
  for (int64_t i = team.lane; i < n; i += Lanes) {
    const Candidate<T> next{x[at[0] + i * step], i};
    if (next.beats(best)) best = next;
  }
  for (int apart = Lanes / 2; apart > 0; apart /= 2) {
    const Candidate<T> other{__shfl_xor_sync(~0u, best.value, apart),
                             __shfl_xor_sync(~0u, best.index, apart)};
    if (other.beats(best)) best = other;
  }
  if (team.lane == 0) index[at[1]] = best.index;
}

}  // namespace

void reduce(const Cuda& ctx, Reduce op, const View& x, const View& y) {
  if (y.numel() == 0) return;
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    switch (op) {
      case Reduce::sum: return reduce_typed<T, Sum>(ctx, x, y, 1);
      case Reduce::mean:
        return reduce_typed<T, Sum>(ctx, x, y, double(x.numel()) / double(y.numel()));
      case Reduce::max: return reduce_typed<T, Largest>(ctx, x, y, 1);
      case Reduce::min: return reduce_typed<T, Smallest>(ctx, x, y, 1);
    }
  });
}

void argmax(const Cuda& ctx, const View& x, const View& index, int axis) {
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Walk<2> lines({without_axis(x, axis), without_axis(index, axis)});
    with_team(x.stride[axis] == 1, lines.numel(), [&](auto constant) {
      constexpr int kLanes = decltype(constant)::value;
      launch<argmax_lines<T, kLanes>>(ctx.stream, grid_of_teams<kLanes>(lines.numel()),
                                      x.as<const T>(), lines, x.shape[axis], x.stride[axis],
                                      index.as<int64_t>());
    });
  });
}

}  // namespace clade::kernels

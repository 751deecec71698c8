// nearest on the GPU: tiles of distances, each read off as soon as it stands in registers.
//
// A block has 64 rows of x and goes through all of c, 64 rows at a time; the (n, m) matrix of
// distances is never written. What is kept of a tile:
//
//   k = 1   each row's best of four columns, then of the 16 threads that share the row, by shuffles
//   else    the tile goes into shared memory, and each warp reads off 8 of its rows: the k best so
//           far lie sorted in the lanes' registers (element e in lane e % 32), the 32 lanes look at
//           32 new distances at once, and those below the worst are inserted one by one. Once the
//           list is warm that is seldom: about k ln(m / k) times a row.
//
// Equal distances are ordered by index, and rows of c come in order, so a later equal never enters.
// (The warp's list is FAISS's WarpSelect, Johnson et al. 2017, without its thread queues.)
#include <limits>

#include "kernels/distance/distance.h"
#include "kernels/distance/distance_tile.cuh"

namespace clade::kernels {
namespace {

using namespace cuda;
using namespace distance;

constexpr int kWarps = kTileThreads / 32, kRowsOfWarp = kTile / kWarps;

template <class T>
struct Found {
  T distance;
  int32_t index;
  __device__ bool beats(const Found& other) const {
    return distance < other.distance || (distance == other.distance && index < other.index);
  }
};

template <class T>
__device__ Found<T> nothing() {
  return {T(INFINITY), std::numeric_limits<int32_t>::max()};
}
template <class T>
__device__ Found<T> from_lane(const Found<T>& f, int lane) {
  return {__shfl_sync(~0u, f.distance, lane), __shfl_sync(~0u, f.index, lane)};
}

template <class T>
__global__ void __launch_bounds__(kTileThreads)
    nearest_one(Rows<T> x, Rows<T> c, int64_t* index, T* distance) {
  __shared__ TileSlices<T> slices;
  const int64_t x0 = int64_t(blockIdx.x) * kTile;
  Found<T> best[4];
  for (Found<T>& b : best) b = nothing<T>();
  for (int64_t c0 = 0; c0 < c.rows; c0 += kTile) {
    T sum[4][4];
    distance_tile(x, x0, c, c0, slices, sum);
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) {
        const int64_t column = c0 + tile_column() + j;
        const Found<T> next{sum[i][j], int32_t(column)};
        if (column < c.rows && next.beats(best[i])) best[i] = next;
      }
  }
  for (int i = 0; i < 4; i++) {
    for (int apart = 8; apart > 0; apart /= 2) {
      const Found<T> other{__shfl_xor_sync(~0u, best[i].distance, apart),
                           __shfl_xor_sync(~0u, best[i].index, apart)};
      if (other.beats(best[i])) best[i] = other;
    }
    const int64_t row = x0 + tile_row() + i;
    if (tile_column() == 0 && row < x.rows) {
      index[row] = best[i].index;
      distance[row] = best[i].distance;
    }
  }
}

// The Slots * 32 best, sorted, over the lanes of a warp.
template <class T, int Slots>
struct SortedList {
  Found<T> at[Slots];

  __device__ void clear() {
    for (Found<T>& f : at) f = nothing<T>();
  }
  // Element k - 1, in every lane.
  __device__ Found<T> last(int k) const {
    Found<T> out = nothing<T>();
    for (int s = 0; s < Slots; s++)
      if (s == (k - 1) / 32) out = from_lane(at[s], (k - 1) % 32);
    return out;
  }
  // All lanes have the same `next`: what it beats moves one place up.
  __device__ void insert(const Found<T>& next) {
    const int lane = int(threadIdx.x) % 32;
    Found<T> carried = next;  // what enters the next slot at lane 0
    for (int s = 0; s < Slots; s++) {
      const bool stays = !next.beats(at[s]);
      const int place = __popc(__ballot_sync(~0u, stays));
      const Found<T> leaving = from_lane(at[s], 31);
      Found<T> before{__shfl_up_sync(~0u, at[s].distance, 1), __shfl_up_sync(~0u, at[s].index, 1)};
      if (lane == 0) before = carried;
      if (lane >= place) at[s] = lane == place && place > 0 ? next : before;
      carried = place < 32 ? leaving : next;
    }
  }
};

template <class T>
struct NearestShared {
  TileSlices<T> slices;
  T tile[kTile][kTile + 1];
};

template <class T, int Slots>
__global__ void __launch_bounds__(kTileThreads)
    nearest_many(Rows<T> x, Rows<T> c, int k, int64_t* index, T* distance) {
  auto& shared = *dynamic_shared<NearestShared<T>>();
  const int64_t x0 = int64_t(blockIdx.x) * kTile;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  SortedList<T, Slots> lists[kRowsOfWarp];
  for (auto& list : lists) list.clear();
  for (int64_t c0 = 0; c0 < c.rows; c0 += kTile) {
    T sum[4][4];
    distance_tile(x, x0, c, c0, shared.slices, sum);
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) shared.tile[tile_row() + i][tile_column() + j] = sum[i][j];
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kRowsOfWarp; r++) {
      Found<T> worst = lists[r].last(k);
      for (int half = 0; half < kTile; half += 32) {
        const int64_t column = c0 + half + lane;
        Found<T> mine{shared.tile[warp * kRowsOfWarp + r][half + lane], int32_t(column)};
        if (column >= c.rows) mine = nothing<T>();
        unsigned better = __ballot_sync(~0u, mine.beats(worst));
        while (better) {  // from the lowest lane: in the order of c
          const Found<T> next = from_lane(mine, __ffs(int(better)) - 1);
          better &= better - 1;
          if (!next.beats(worst)) continue;  // the list has become better since
          lists[r].insert(next);
          worst = lists[r].last(k);
        }
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < kRowsOfWarp; r++) {
    const int64_t row = x0 + warp * kRowsOfWarp + r;
    for (int s = 0; s < Slots; s++) {
      const int e = 32 * s + lane;
      if (row >= x.rows || e >= k) continue;
      index[row * k + e] = lists[r].at[s].index;
      distance[row * k + e] = lists[r].at[s].distance;
    }
  }
}

}  // namespace

void nearest(const Cuda& ctx, const View& x, const View& c, const View& index,
             const View& distance) {
  const int64_t k = index.shape[1];
  dispatch_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Rows<T> from{x.as<T>(), x.shape[0], x.shape[1]}, to{c.as<T>(), c.shape[0], c.shape[1]};
    Grid grid{{unsigned(ceil_div(x.shape[0], kTile))}, {unsigned(kTileThreads)}};
    if (k == 1)
      return launch<nearest_one<T>>(ctx.stream, grid, from, to, index.as<int64_t>(),
                                    distance.as<T>());
    grid.shared_bytes = sizeof(NearestShared<T>);
    auto run = [&](auto slots) {
      launch<nearest_many<T, decltype(slots)::value>>(ctx.stream, grid, from, to, int(k),
                                                      index.as<int64_t>(), distance.as<T>());
    };
    if (k <= 32) return run(std::integral_constant<int, 1>{});
    run(std::integral_constant<int, 4>{});
  });
}

}  // namespace clade::kernels

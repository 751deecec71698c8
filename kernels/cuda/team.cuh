// team: the lanes that share one line, 32 (a warp) or 1, and how they join what each has found.
//
// Lane l of a team of L takes elements l, l + L, ... of the line; the lanes are then joined in a
// butterfly, which gives every lane the same bits. Lines whose elements are neighbours in memory
// want a warp; lines that lie beside each other (a reduction over rows) want a thread each, so that
// a warp reads neighbours.
#pragma once

#include <type_traits>

#include "kernels/cuda/grid.cuh"
#include "kernels/reduce/lanes.h"

namespace clade::kernels::cuda {

template <class Op, int Lanes>
__device__ double join_team(double value) {
  for (int apart = Lanes / 2; apart > 0; apart /= 2)
    value = Op::join(value, __shfl_xor_sync(~0u, value, apart));
  return value;
}

template <int Lanes>
struct Team {
  int lane;
  int64_t line;  // which line this team has; whole warps share the answer to line < n

  __device__ Team() : lane(int(threadIdx.x) % Lanes), line(thread_index() / Lanes) {}
};

// Teams of `Lanes` for `lines` lines.
template <int Lanes>
Grid grid_of_teams(int64_t lines) {
  return grid_of(lines * Lanes);
}

// Calls body(integral constant 32 or 1): the lanes of a team for lines of n elements.
template <class Body>
void with_team(bool neighbours, int64_t lines, Body body) {
  // A thread a line fills the machine only where there are many lines.
  if (neighbours || lines < 4096) return body(std::integral_constant<int, 32>{});
  body(std::integral_constant<int, 1>{});
}

}  // namespace clade::kernels::cuda

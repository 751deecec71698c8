// ceiling: what the processor can do at most, measured. The two roofs of the roofline (Williams,
// Waterman, Patterson 2009): no kernel that computes f FLOPs and moves b bytes takes less time than
//
//     max(f / flops, b / bytes)
//
//     flops   multiply-adds on registers, two FLOPs each, on every lane of the widest vectors
//     bytes   y = a + s b over arrays far larger than every cache: two reads and a write, 12 bytes
//             an element (a cache may read y first; what a kernel must move does not count that)
#pragma once

#include "kernels/context.h"

namespace clade::kernels {

struct Ceiling {
  double flops = 0;  // a second, f32, all threads() together
  double bytes = 0;  // a second
};

// The best of several rounds, about a quarter of a second in all. Takes 192 MB, which the allocator
// keeps for reuse.
Ceiling measure_ceiling(const Cpu&);

}  // namespace clade::kernels

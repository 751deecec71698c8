// The two instructions that matrix kernels of sm_80 and later are made of, on the CPU.
#pragma once

#include <cstdint>

#include "tensor/cuda_on_cpu/block.h"

namespace clade::cuda_on_cpu {

// mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32: d = a b + c for the warp, with a (16, 8),
// b (8, 8), c and d (16, 8) spread over the lanes. Lane l holds, with g = l / 4 and t = l % 4,
//     a[0] = A[g][t], a[1] = A[g + 8][t], a[2] = A[g][t + 4], a[3] = A[g + 8][t + 4]
//     b[0] = B[t][g], b[1] = B[t + 4][g]
//     c[0], c[1] = C[g][2 t], C[g][2 t + 1];  c[2], c[3] = the same of row g + 8
// As on the device, the 13 low bits of a factor do not count.
void mma_m16n8k8_tf32(float d[4], const uint32_t a[4], const uint32_t b[2], const float c[4],
                      Place place);

// cp.async: `bytes` (4, 8 or 16) from global to shared memory, of which the first `valid` are read
// and the rest become 0. The copy is made when the thread waits for its group; until then the
// destination holds NaN, so that a missing wait shows.
void async_copy(void* shared, const void* global, int bytes, int valid, Place place);
void async_commit();
void async_wait(int groups_in_flight);  // until at most so many of the latest groups are on the way

}  // namespace clade::cuda_on_cpu

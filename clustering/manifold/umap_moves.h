// One step of the layout for a batch of edges, compiled once for each instruction set.
//
// The sources umap_moves_<set>.cpp hold umap_moves_body.h compiled for that set and nothing that
// another source could be linked to: an inline function of the library, compiled here for AVX-512,
// might else be the copy that a processor without it runs. The set does not change the bits.
#pragma once

#include <cstdint>

#include "tensor/vectors.h"

namespace clade::cluster {

constexpr int kForces = 8;  // on one vertex, computed together: the first is the neighbour's

struct Moves {
  // The vertices as they are, (n, dimensions), and as they were when the epoch began.
  float* position;
  const float* before;
  int64_t dimensions;
  float a, b, attraction, repulsion;  // -2ab and 2 gamma b, see umap_layout.h
  float alpha;
  int first, last;     // the forces that count, of 0 .. kForces - 1
  const float* extra;  // added to what the neighbour's gap is multiplied by, one an edge; or null
  float* workspace;    // 64-byte aligned, 32 * dimensions
};

// count edges, head[e] and met[kForces e]; met[kForces e + l], l > 0, are the random vertices. Four
// edges are done together, from the same positions; head, met and extra hold a multiple of four
// edges.
using MoveEdges = void (*)(const Moves& moves, const int32_t* head, const int32_t* met, int count);

// Null where the compiler does not know the set.
extern const MoveEdges baseline_moves, avx2_moves, avx512_moves;

inline MoveEdges moves_for(Vectors set) {
  if (set == Vectors::avx512 && avx512_moves) return avx512_moves;
  if (set != Vectors::baseline && avx2_moves) return avx2_moves;
  return baseline_moves;
}

}  // namespace clade::cluster

// noise: runs of the Philox draws that a Draw names. Draw i of the run is draw first + i of the
// stream.
#pragma once

#include "kernels/sample/sample.h"
#include "tensor/draws.h"

namespace clade::kernels {

// out[i] = normal number begin + i, i < count.
inline void fill_normals(const Draw& draw, int64_t begin, int64_t count, float* out) {
  draw_normals(draw.seed, draw.stream, draw.first + uint64_t(begin), count, out);
}

// out[i] = word number begin + i, i < count.
inline void fill_words(const Draw& draw, int64_t begin, int64_t count, uint32_t* out) {
  draw_words(draw.seed, draw.stream, draw.first + uint64_t(begin), count, out);
}

}  // namespace clade::kernels

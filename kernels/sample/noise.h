// noise: runs of the Philox draws that a Draw names. Draw i of the run is draw first + i of the
// stream.
#pragma once

#include "kernels/sample/sample.h"
#include "tensor/philox.h"

namespace clade::kernels {

// Calls block(b, lane, from, n) for the blocks of four that hold elements begin .. begin + count -
// 1: elements from .. from + n - 1 of the run (counted from begin) are lanes lane .. lane + n - 1
// of b.
template <class Block>
void each_block(const Draw& draw, int64_t begin, int64_t count, Block block) {
  for (int64_t from = 0; from < count;) {
    const uint64_t at = draw.first + uint64_t(begin + from);
    const int64_t lane = int64_t(at % 4), room = 4 - lane, left = count - from;
    const int64_t n = room < left ? room : left;
    block(philox(at / 4, draw.stream, draw.seed), lane, from, n);
    from += n;
  }
}

// out[i] = normal number begin + i, i < count.
inline void fill_normals(const Draw& draw, int64_t begin, int64_t count, float* out) {
  each_block(draw, begin, count, [=](const PhiloxBlock& b, int64_t lane, int64_t from, int64_t n) {
    float z[4];
    normal_block(b, z);
    for (int64_t i = 0; i < n; i++) out[from + i] = z[lane + i];
  });
}

// out[i] = word number begin + i, i < count.
inline void fill_words(const Draw& draw, int64_t begin, int64_t count, uint32_t* out) {
  each_block(draw, begin, count, [=](const PhiloxBlock& b, int64_t lane, int64_t from, int64_t n) {
    for (int64_t i = 0; i < n; i++) out[from + i] = b.word[lane + i];
  });
}

}  // namespace clade::kernels

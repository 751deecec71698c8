// How much work makes a chunk: the grain of parallel loops over rows.
#pragma once

#include <algorithm>
#include <cstdint>

namespace clade::cluster {

// Rows of one chunk, when a row costs about `operations`: 2^18 operations, some 100 microseconds.
// Much smaller chunks cost more to hand out than to compute; loops that fit in one run serially.
// It depends on the problem alone, so sums over chunks have the same bits at any number of threads.
inline int64_t rows_per_chunk(int64_t operations, int64_t least = 1) {
  return std::max(least, (int64_t{1} << 18) / std::max<int64_t>(1, operations));
}

}  // namespace clade::cluster

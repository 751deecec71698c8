// A tree of random hyperplanes: leaves of rows that are likely near each other.
//
// A node draws two of its rows; the plane halfway between them sends each row to the side of the
// nearer one. (Dasgupta & Freund, "Random projection trees and low dimensional manifolds", STOC
// 2008, with planes as in Spotify's Annoy.) Where that puts nearly all rows on one side - copies of
// one row, say - the node is cut in the middle of its order, so depth stays logarithmic.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/random.h"

namespace clade::cluster {

struct RandomTree {
  std::vector<int32_t> rows;    // (n): leaf after leaf
  std::vector<int64_t> leaves;  // where each begins, and n
};

// rows (n, width) f32. Leaves hold at most `leaf` >= 2 rows, and at least leaf / 8 of them where
// n does. On the calling thread; the draws depend on rng and on the place in the tree alone.
RandomTree random_tree(const float* rows, int64_t n, int64_t width, int64_t leaf,
                       const Random& rng);

}  // namespace clade::cluster

// Four clusters in the plane, seen through a random network: the synthetic data of P4 (4.3).
//
//   h ~ N(c, sigma^2 I) in R^2, 2,500 points of each of four centres c
//   x = s(U s(W h)) in R^100, s the logistic function; W (10, 2), U (100, 10), entries N(0, 1)
//
// P4 prints neither centres nor sigma. These are of the paper that it follows (Yang et al.,
// "Towards K-means-friendly Spaces", ICML 2017, as its program has them): 10 (0 or 1, 0 or 1),
// sigma 1.5.
#pragma once

#include <cstdint>

#include "data/dataset.h"

namespace clade::data {

inline constexpr const char* kFourClusters = "synthetic-4x2500";

// A table (10,000, 100) with four classes. h, W and U are drawn by the seed.
Dataset four_clusters(uint64_t seed);

}  // namespace clade::data

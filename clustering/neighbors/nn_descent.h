// NN-descent: approximate k nearest neighbours for more rows than all pairs can be looked at.
//
// A neighbour of a neighbour is likely a neighbour. From lists that a forest of random trees fills
// (rp_forest.h), each round lets the neighbours of every row, and the rows whose neighbour it is,
// meet each other, and keeps whoever is nearer, until hardly any list changes. (Dong, Moses & Li,
// "Efficient k-nearest neighbor graph construction for generic similarity measures", WWW 2011.)
//
// Rows meet as products of small panels, and as images (image.h) where these are shorter; the lists
// are longer by a margin, and what is returned is ordered by direct differences over the rows
// themselves. What was found is compared with an exact search for a sample of the rows: the recall
// is measured, and below what was asked the descent goes on from further trees.
#pragma once

#include "clustering/neighbors/knn.h"

namespace clade::cluster {

struct NnDescentOptions {
  int trees = 0;         // of the forest; 0: from 6 for few rows to 12
  int64_t sample = 0;    // neighbours that a row introduces in a round at most; 0: by k
  int iterations = 0;    // rounds of a descent at most; 0: log2 n, at least 5
  double least = 0.001;  // a descent ends when fewer than this share of the lists' entries change
  double recall = 0.95;  // below it on the sample another descent follows, up to two more
  uint64_t seed = 0;
};

struct Approximation {
  Neighbors neighbors;  // as exact_knn gives them; distances are exact for those that were found
  double recall = 0;    // share of the neighbours of 256 rows (or n) that are as near as the exact
  int descents = 0;     // how many it took
};

// Euclidean neighbours of each row of x (n, d) f32 or f64 among the others: 1 <= k <= n, or n - 1
// without the self neighbour. Throws Error as exact_knn. Same bits for the same seed at any number
// of threads. Memory: about n (min(d, 257) + 3 k + 40) elements beside the result.
Approximation nn_descent(const Tensor& x, int64_t k, bool include_self,
                         const NnDescentOptions& options = {}, const Progress& progress = {});

// What does not need every last neighbour - UMAP - asks here: exact_knn where that is faster, which
// it is up to many rows, else nn_descent. `descents` is 0, and recall 1, where it was exact.
Approximation find_neighbors(const Tensor& x, int64_t k, bool include_self, uint64_t seed = 0,
                             const Progress& progress = {});

// From how many rows of d columns on find_neighbors descends: 2^17, but never where a k-d tree is
// quick. Exact tiles take 1.4 times as long at 20,000 rows of 50 columns, 3 times at 70,000, and
// their share grows with the rows: up to 2^17 they are worth their certainty.
int64_t rows_for_descent(int64_t d);

}  // namespace clade::cluster

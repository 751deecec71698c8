// Pair counting: agreement of two labellings over all pairs of points.
//
// A pair is together or apart in each labelling. TP: together in both, TN: apart in both, FN:
// together in the truth alone, FP: together in the clustering alone.
//
//   RI  = (TP + TN) / all pairs                                        (Rand, JASA 66, 1971)
//   ARI = 2 (TP TN - FN FP) / ((TP+FN)(FN+TN) + (TP+FP)(FP+TN))        (Hubert & Arabie, 1985)
//   FMI = TP / sqrt((TP + FP)(TP + FN))                                (Fowlkes & Mallows, 1983)
//
// ARI is 0 on average for labels drawn at random and 1 for equal partitions; it may be negative.
#pragma once

#include "clustering/metrics/contingency.h"

namespace clade::cluster {

// From a table, or of labels as contingency() takes them, n < 2^31; noise (-1) is a label like any
// other. Values in the limit cases are scikit-learn's: 1 where both labellings agree on every pair,
// also for n = 1 (fowlkes_mallows: 0 where no pair is together in both).
double rand_index(const Contingency& table);
double adjusted_rand(const Contingency& table);
double fowlkes_mallows(const Contingency& table);

inline double rand_index(const Tensor& truth, const Tensor& predicted) {
  return rand_index(contingency("rand_index", truth, predicted));
}
inline double adjusted_rand(const Tensor& truth, const Tensor& predicted) {
  return adjusted_rand(contingency("adjusted_rand", truth, predicted));
}
inline double fowlkes_mallows(const Tensor& truth, const Tensor& predicted) {
  return fowlkes_mallows(contingency("fowlkes_mallows", truth, predicted));
}

}  // namespace clade::cluster

// Information-theoretic agreement of two labellings U (truth) and V (clustering), in nats.
//
//   H(U) = -sum_i p_i ln p_i          I(U; V) = sum_ij p_ij ln (p_ij / (p_i p_j))
//   NMI  = I / mean(H(U), H(V))       AMI = (I - E[I]) / (mean(H(U), H(V)) - E[I])
//   homogeneity = I / H(U)            completeness = I / H(V)          V = their harmonic mean
//
// E[I] is the mean over all pairs of labellings with these cluster sizes (Vinh, Epps & Bailey,
// "Information theoretic measures for clusterings comparison", JMLR 11, 2010). Papers differ in
// `mean`: geometric up to 2018 (scikit-learn < 0.22), arithmetic since.
#pragma once

#include "clustering/metrics/contingency.h"

namespace clade::cluster {

enum class Mean : uint8_t { arithmetic, geometric, min, max };

// From a table, or of labels as contingency() takes them; noise (-1) is a label like any other.
// Limit cases as in scikit-learn: two single clusters agree (1), a single cluster tells nothing of
// two classes (0).
double mutual_information(const Contingency& table);
double normalized_mutual_information(const Contingency& table, Mean mean = Mean::arithmetic);
double adjusted_mutual_information(const Contingency& table, Mean mean = Mean::arithmetic);

inline double mutual_information(const Tensor& truth, const Tensor& predicted) {
  return mutual_information(contingency("mutual_information", truth, predicted));
}
inline double normalized_mutual_information(const Tensor& truth, const Tensor& predicted,
                                            Mean mean = Mean::arithmetic) {
  return normalized_mutual_information(
      contingency("normalized_mutual_information", truth, predicted), mean);
}
inline double adjusted_mutual_information(const Tensor& truth, const Tensor& predicted,
                                          Mean mean = Mean::arithmetic) {
  return adjusted_mutual_information(contingency("adjusted_mutual_information", truth, predicted),
                                     mean);
}

struct VMeasure {
  double homogeneity;   // 1: each cluster holds points of one class
  double completeness;  // 1: each class lies in one cluster
  double v;             // harmonic mean (Rosenberg & Hirschberg, EMNLP 2007), beta = 1
};
VMeasure v_measure(const Contingency& table);
inline VMeasure v_measure(const Tensor& truth, const Tensor& predicted) {
  return v_measure(contingency("v_measure", truth, predicted));
}

// E[I] of the table's row and column sums.
double expected_mutual_information(const Contingency& table);

}  // namespace clade::cluster

// Clustering accuracy: the share of points whose cluster stands for their class.
//
//   ACC = max over one-to-one matchings m of clusters with classes  (1 / n) sum_i [y_i = m(c_i)]
//
// (Yang et al., "Image clustering using local discriminant models and global integration", IEEE TIP
// 19, 2010; the measure of DEC and its descendants). The best matching is an assignment problem.
//
// Clusterers that leave points out as noise (label -1) get different accuracies from different
// readings of it, and papers seldom say which they print. All are given here.
#pragma once

#include "clustering/metrics/contingency.h"

namespace clade::cluster {

// ACC with every predicted label a cluster, -1 too. From a table, or of labels as contingency()
// takes them.
double accuracy(const Contingency& table);
inline double accuracy(const Tensor& truth, const Tensor& predicted) {
  return accuracy(contingency("accuracy", truth, predicted));
}

struct NoiseAccuracy {
  double labelled_fraction;  // share of points with a label >= 0
  double labelled;           // ACC among those alone; 0 when there are none
  double strict;             // noise is always wrong: matched labelled points / n
  double as_cluster;         // noise is one more cluster, which may win a class
  double soft;               // ACC of `soft`, labels that give every point a cluster
};

// `soft`: (n) i32, e.g. the most probable cluster of each point; without it soft = strict.
// Negative labels in `predicted` are noise.
NoiseAccuracy noise_accuracy(const Tensor& truth, const Tensor& predicted, const Tensor& soft = {});

// Share of points that belong to the largest class of their cluster. Many clusters may stand for
// one class, so more clusters never lower it. (Some papers print this as accuracy.)
double purity(const Contingency& table);
inline double purity(const Tensor& truth, const Tensor& predicted) {
  return purity(contingency("purity", truth, predicted));
}

// One class against all others, as papers on outliers count: each cluster stands for the class that
// accuracy()'s matching gives it, and only "is it the first class?" is judged.
struct OneClassAccuracy {
  double accuracy;  // share of points for which that answer is right
  double baseline;  // the same of the answer "no" for all: 1 - the class's share
};
// The class is the lowest label of `truth` ("digit 0").
OneClassAccuracy one_class_accuracy(const Tensor& truth, const Tensor& predicted);

// The matching behind accuracy(): for each column of the table, the row that it stands for, or -1.
std::vector<int32_t> match_columns(const Contingency& table);

}  // namespace clade::cluster

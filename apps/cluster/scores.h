// Each method's clusters against the known classes. Rows whose class is not known do not count.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/cluster/clustering.h"
#include "clustering/metrics/accuracy.h"
#include "data/labels.h"

namespace clade::apps {

struct MethodScores {
  std::string key, name;  // "hdbscan", "HDBSCAN"
  Tensor labels;          // (n) i32, -1 noise
  int64_t clusters = 0;
  double noise = 0;     // share of points in no cluster
  bool scored = false;  // the rest is known only with labels
  // Noise counts as one more cluster in all four; `treatments` has the other readings (HDBSCAN
  // alone).
  double acc = 0, nmi = 0, ari = 0, ami = 0;
  std::optional<cluster::NoiseAccuracy> treatments;
  // DCRA alone, whose paper seems to print it: one class against the rest.
  std::optional<cluster::OneClassAccuracy> one_class;
};

// own: the model's own clusters, (n) i32, under the model's name; undefined where it has none. It
// comes first.
std::vector<MethodScores> score(const Clusterings& found, const std::string& model,
                                const Tensor& own, const data::Labels& labels);
// Null where the method did not run.
const MethodScores* find_method(const std::vector<MethodScores>& methods, const std::string& key);

}  // namespace clade::apps

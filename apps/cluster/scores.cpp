#include "apps/cluster/scores.h"

#include <algorithm>

#include "clustering/metrics/information.h"
#include "clustering/metrics/pairs.h"

namespace clade::apps {
namespace {

MethodScores describe(std::string key, std::string name, const Tensor& labels) {
  MethodScores m;
  m.key = std::move(key), m.name = std::move(name), m.labels = labels;
  int64_t noise = 0;
  for (int32_t label : labels.to_vector<int32_t>()) {
    m.clusters = std::max<int64_t>(m.clusters, label + 1);
    noise += label < 0;
  }
  m.noise = double(noise) / double(labels.numel());
  return m;
}

// The labels of the rows whose class is known.
Tensor where_known(const Tensor& labels, const std::vector<int32_t>& classes) {
  const auto all = labels.to_vector<int32_t>();
  std::vector<int32_t> kept;
  for (size_t i = 0; i < all.size(); i++)
    if (classes[i] != data::Labels::kUnknown) kept.push_back(all[i]);
  return Tensor::from(kept, {int64_t(kept.size())});
}

}  // namespace

std::vector<MethodScores> score(const Clusterings& found, const std::string& model,
                                const Tensor& own, const data::Labels& labels) {
  std::vector<MethodScores> methods;
  if (own.defined()) methods.push_back(describe(model, model, own));
  if (found.hdbscan.labels.defined())
    methods.push_back(describe("hdbscan", "HDBSCAN", found.hdbscan.labels));
  if (found.gmm.defined()) methods.push_back(describe("gmm", "GMM", found.gmm));
  if (found.kmeans.defined()) methods.push_back(describe("kmeans", "k-means", found.kmeans));
  if (!labels.defined() || labels.unknown() == labels.size()) return methods;

  const auto classes = labels.ids().to_vector<int32_t>();
  const Tensor truth = where_known(labels.ids(), classes);
  for (MethodScores& m : methods) {
    const Tensor predicted = where_known(m.labels, classes);
    m.scored = true;
    const cluster::Contingency table = cluster::contingency("scores", truth, predicted);
    m.acc = cluster::accuracy(table);
    m.nmi = cluster::normalized_mutual_information(table);
    m.ari = cluster::adjusted_rand(table);
    m.ami = cluster::adjusted_mutual_information(table);
    if (m.key == "dcra") m.one_class = cluster::one_class_accuracy(truth, predicted);
    if (m.key == "hdbscan")
      m.treatments =
          cluster::noise_accuracy(truth, predicted, where_known(found.hdbscan_soft, classes));
  }
  return methods;
}

const MethodScores* find_method(const std::vector<MethodScores>& methods, const std::string& key) {
  for (const MethodScores& m : methods)
    if (m.key == key) return &m;
  return nullptr;
}

}  // namespace clade::apps

#include "apps/reproduce/measures.h"

#include <algorithm>
#include <set>

#include "clustering/metrics/accuracy.h"
#include "clustering/metrics/information.h"
#include "clustering/metrics/pairs.h"
#include "clustering/metrics/silhouette.h"
#include "data/batches.h"

namespace clade::apps {
namespace {

using Ids = std::vector<int32_t>;

Tensor tensor(const Ids& ids) { return Tensor::from(ids, {int64_t(ids.size())}); }

// Of `ids`, those where keep(i).
template <class Keep>
Ids where(const Ids& ids, Keep keep) {
  Ids out;
  for (size_t i = 0; i < ids.size(); i++)
    if (keep(i)) out.push_back(ids[i]);
  return out;
}

}  // namespace

std::vector<Measure> measure(const StageOutput& found, const data::Labels& labels) {
  const Ids all = found.labels.to_vector<int32_t>();
  const std::set<int32_t> distinct(all.begin(), all.end());
  const auto noise = std::count_if(all.begin(), all.end(), [](int32_t label) { return label < 0; });
  std::vector<Measure> out = {
      {"clusters", double(std::count_if(distinct.begin(), distinct.end(),
                                        [](int32_t label) { return label >= 0; }))},
      {"noise", double(noise)},
      {"labelled", 1 - double(noise) / double(all.size())}};
  if (!labels.defined() || labels.unknown() == labels.size()) return out;

  const Ids classes = labels.ids().to_vector<int32_t>();
  auto known = [&](size_t i) { return classes[i] != data::Labels::kUnknown; };
  auto kept = [&](size_t i) { return known(i) && all[i] >= 0; };
  const Tensor truth = tensor(where(classes, known)), predicted = tensor(where(all, known));
  const Tensor soft =
      found.soft.defined() ? tensor(where(found.soft.to_vector<int32_t>(), known)) : Tensor();
  const auto ways = cluster::noise_accuracy(truth, predicted, soft);
  const auto one = cluster::one_class_accuracy(truth, predicted);
  using cluster::Mean;
  using cluster::normalized_mutual_information;
  for (const Measure& m : std::vector<Measure>{
           {"acc", ways.as_cluster},
           {"acc_strict", ways.strict},
           {"acc_soft", ways.soft},
           {"acc_labelled", ways.labelled},
           {"nmi", normalized_mutual_information(truth, predicted)},
           {"nmi_geometric", normalized_mutual_information(truth, predicted, Mean::geometric)},
           {"ari", cluster::adjusted_rand(truth, predicted)},
           {"ami", cluster::adjusted_mutual_information(truth, predicted)},
           {"purity", cluster::purity(truth, predicted)},
           {"one_against_the_rest", one.accuracy},
           {"majority", one.baseline}})
    out.push_back(m);
  const Ids sure = where(all, kept);
  if (sure.empty()) {  // nothing but noise tells nothing
    for (const char* name : {"nmi_labelled", "ari_labelled", "ami_labelled"})
      out.push_back({name, 0});
    return out;
  }
  const Tensor sure_truth = tensor(where(classes, kept)), sure_labels = tensor(sure);
  out.push_back({"nmi_labelled", normalized_mutual_information(sure_truth, sure_labels)});
  out.push_back({"ari_labelled", cluster::adjusted_rand(sure_truth, sure_labels)});
  out.push_back({"ami_labelled", cluster::adjusted_mutual_information(sure_truth, sure_labels)});
  return out;
}

bool is_costly(const std::string& name) { return name == "silhouette"; }

Measure measure_costly(const std::string& name, const Tensor& labels, const Subject& subject,
                       const Progress& progress) {
  const Ids all = labels.to_vector<int32_t>();
  std::vector<int64_t> rows;
  std::set<int32_t> distinct;
  for (size_t i = 0; i < all.size(); i++)
    if (all[i] >= 0) rows.push_back(int64_t(i)), distinct.insert(all[i]);
  if (distinct.size() < 2 || distinct.size() == rows.size()) return {name, 0};  // nothing to tell
  Tensor x = subject.data.values.contiguous().reshape({subject.data.size(), -1});
  Tensor kept = labels;
  if (rows.size() < all.size()) {
    x = data::gather_rows(x, Tensor::from(rows, {int64_t(rows.size())}));
    kept = tensor(where(all, [&](size_t i) { return all[i] >= 0; }));
  }
  return {name, cluster::silhouette(x, kept, progress)};
}

}  // namespace clade::apps

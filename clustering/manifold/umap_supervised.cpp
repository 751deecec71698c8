#include "clustering/manifold/umap_supervised.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/error.h"

namespace clade::cluster {
namespace {

constexpr double kUnknown = 1.0;
constexpr double kFar = 2.5;

}  // namespace

FuzzyGraph intersect_with_labels(const FuzzyGraph& graph, const Tensor& labels,
                                 double target_weight) {
  const int64_t n = graph.vertices();
  if (labels.rank() != 1 || labels.numel() != n || is_floating(labels.dtype()))
    fail("umap", text("labels: ", n, " whole numbers, negative for unknown"), text(labels));
  if (!(target_weight >= 0 && target_weight <= 1))
    fail("umap", "target_weight in [0, 1]", text(target_weight));
  const std::vector<int64_t> label = labels.to_vector<int64_t>();
  const float other = target_weight < 1 ? float(std::exp(-kFar / (1 - target_weight))) : 0.0f;
  const float unknown = float(std::exp(-kUnknown));
  const int64_t* offset = graph.offset.data<int64_t>();
  const int32_t* column = graph.column.data<int32_t>();
  const float* weight = graph.weight.data<float>();

  // What each row's heaviest edge weighs, after the labels.
  auto weakened = [&](int64_t i, int64_t e) {
    const int64_t a = label[size_t(i)], b = label[size_t(column[e])];
    return weight[e] * (a < 0 || b < 0 ? unknown : a == b ? 1.0f : other);
  };
  std::vector<float> heaviest(size_t(n), 0.0f);
  for (int64_t i = 0; i < n; i++)
    for (int64_t e = offset[i]; e < offset[i + 1]; e++)
      heaviest[size_t(i)] = std::max(heaviest[size_t(i)], weakened(i, e));

  FuzzyGraph result{Tensor::zeros({n + 1}, DType::i64), {}, {}};
  std::vector<int32_t> columns;
  std::vector<float> weights;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
      const float w = weakened(i, e);
      if (!(w > 0)) continue;
      const float a = w / heaviest[size_t(i)], b = w / heaviest[size_t(column[e])];
      // The smaller first: the same bits from either end.
      const float low = std::min(a, b), high = std::max(a, b);
      columns.push_back(column[e]);
      weights.push_back(low + high - low * high);
    }
    result.offset.data<int64_t>()[i + 1] = int64_t(columns.size());
  }
  const int64_t edges = int64_t(columns.size());
  result.column = Tensor::from(columns, {edges});
  result.weight = Tensor::from(weights, {edges});
  return result;
}

}  // namespace clade::cluster

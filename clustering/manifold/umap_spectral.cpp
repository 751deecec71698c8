#include "clustering/manifold/umap_spectral.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "clustering/density/union_find.h"
#include "clustering/manifold/graph_spectrum.h"
#include "clustering/manifold/pca.h"
#include "tensor/random.h"

namespace clade::cluster {
namespace {

// The vertices of each part, rising.
std::vector<std::vector<int32_t>> parts_of(const FuzzyGraph& graph) {
  const Tensor label = connected_components(graph);
  const int32_t* part = label.data<int32_t>();
  std::vector<std::vector<int32_t>> parts;
  for (int64_t i = 0; i < graph.vertices(); i++) {
    if (size_t(part[i]) == parts.size()) parts.emplace_back();
    parts[size_t(part[i])].push_back(int32_t(i));
  }
  return parts;
}

// The graph of one part alone; its vertices are renamed by `name`, in their order.
FuzzyGraph subgraph(const FuzzyGraph& graph, const std::vector<int32_t>& part,
                    std::vector<int32_t>& name) {
  const int64_t* offset = graph.offset.data<int64_t>();
  const int32_t* column = graph.column.data<int32_t>();
  const float* weight = graph.weight.data<float>();
  for (size_t i = 0; i < part.size(); i++) name[size_t(part[i])] = int32_t(i);
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  std::vector<float> weights;
  for (int32_t i : part) {
    for (int64_t e = offset[i]; e < offset[i + 1]; e++) {
      columns.push_back(name[size_t(column[e])]);
      weights.push_back(weight[e]);
    }
    offsets.push_back(int64_t(columns.size()));
  }
  return {Tensor::from(offsets, {int64_t(offsets.size())}),
          Tensor::from(columns, {int64_t(columns.size())}),
          Tensor::from(weights, {int64_t(weights.size())})};
}

// (parts, dimensions): where the parts are put, within [-1, 1].
std::vector<double> centres(const Tensor& x, const std::vector<std::vector<int32_t>>& parts,
                            int64_t dimensions) {
  const int64_t count = int64_t(parts.size()), d = x.size(1);
  std::vector<double> centre(size_t(count * dimensions), 0.0);
  if (count <= 2 * dimensions) {  // e1, e2, ..., -e1, -e2, ...
    const int64_t half = (count + 1) / 2;
    for (int64_t c = 0; c < count; c++)
      centre[size_t(c * dimensions + c % half)] = c < half ? 1 : -1;
    return centre;
  }
  Tensor means = Tensor::zeros({count, d}, DType::f64);
  const Tensor source = x.to(DType::f64).contiguous();
  const double* rows = source.data<double>();
  for (int64_t c = 0; c < count; c++) {
    double* mean = means.data<double>() + c * d;
    for (int32_t i : parts[size_t(c)])
      for (int64_t j = 0; j < d; j++) mean[j] += rows[i * d + j] / double(parts[size_t(c)].size());
  }
  const int64_t axes = std::min({dimensions, count - 1, d});
  const Tensor scores = transform(fit_pca(means, {.components = axes}), means);
  double largest = 0;
  for (int64_t e = 0; e < scores.numel(); e++)
    largest = std::max(largest, std::abs(scores.data<double>()[e]));
  for (int64_t c = 0; c < count; c++)
    for (int64_t j = 0; j < axes; j++)
      centre[size_t(c * dimensions + j)] =
          largest > 0 ? scores.data<double>()[c * axes + j] / largest : 0;
  return centre;
}

// Half the distance from centre c to the nearest other one that is not in the same place.
double reach(const std::vector<double>& centre, int64_t c, int64_t dimensions) {
  double least = INFINITY;
  for (size_t other = 0; other < centre.size() / size_t(dimensions); other++) {
    double sum = 0;
    for (int64_t j = 0; j < dimensions; j++) {
      double diff =
          centre[other * size_t(dimensions) + size_t(j)] - centre[size_t(c * dimensions + j)];
      sum += diff * diff;
    }
    if (sum > 0) least = std::min(least, std::sqrt(sum));
  }
  return std::isinf(least) ? 1 : least / 2;
}

}  // namespace

Tensor connected_components(const FuzzyGraph& graph) {
  const int64_t n = graph.vertices();
  const int64_t* offset = graph.offset.data<int64_t>();
  const int32_t* column = graph.column.data<int32_t>();
  UnionFind sets(n);
  for (int64_t i = 0; i < n; i++)
    for (int64_t e = offset[i]; e < offset[i + 1]; e++) sets.unite(int32_t(i), column[e]);
  Tensor labels = Tensor::empty({n}, DType::i32);
  int32_t *label = labels.data<int32_t>(), next = 0;
  for (int32_t i = 0; i < n; i++) label[i] = sets.find(i) == i ? next++ : label[sets.find(i)];
  return labels;
}

SpectralLayout spectral_layout(const FuzzyGraph& graph, const Tensor& x, int64_t dimensions,
                               uint64_t seed, const Progress& progress) {
  const int64_t n = graph.vertices();
  const std::vector<std::vector<int32_t>> parts = parts_of(graph);
  SpectralLayout layout;
  layout.components = int64_t(parts.size());
  layout.embedding = Tensor::empty({n, dimensions}, DType::f32);
  float* y = layout.embedding.data<float>();

  std::vector<double> centre(static_cast<size_t>(dimensions), 0.0);
  if (parts.size() > 1) centre = centres(x, parts, dimensions);
  const Random strewn = Random(seed).fork("umap small parts");
  std::vector<int32_t> name(static_cast<size_t>(n));
  for (size_t c = 0; c < parts.size(); c++) {
    const int64_t size = int64_t(parts[c].size());
    const double* middle = centre.data() + int64_t(c) * dimensions;
    const double radius = parts.size() > 1 ? reach(centre, int64_t(c), dimensions) : 1;
    if (size < 2 * dimensions || size <= dimensions + 1) {
      for (int32_t i : parts[c])
        for (int64_t j = 0; j < dimensions; j++)
          y[i * dimensions + j] =
              float(middle[j] + radius * (2 * strewn.uniform_at(uint64_t(i * dimensions + j)) - 1));
      continue;
    }
    const GraphSpectrum spectrum = graph_spectrum(
        parts.size() > 1 ? subgraph(graph, parts[c], name) : graph, dimensions, seed, progress);
    layout.residual = std::max(layout.residual, spectrum.residual);
    const double* v = spectrum.vectors.data<double>();
    double largest = 0;
    for (int64_t e = 0; e < size * dimensions; e++) largest = std::max(largest, std::abs(v[e]));
    for (int64_t i = 0; i < size; i++)
      for (int64_t j = 0; j < dimensions; j++)
        y[parts[c][size_t(i)] * dimensions + j] =
            float(middle[j] + radius * v[i * dimensions + j] / largest);
  }
  return layout;
}

}  // namespace clade::cluster

#include "clustering/manifold/umap_graph.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tensor/error.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int kBisections = 64;
constexpr double kTolerance = 1e-5;
constexpr double kSigmaFloor = 1e-3;  // of the mean distance

// Row-major i32 indices and f32 distances, every one of them sound.
Neighbors checked(const Neighbors& neighbors) {
  if (!neighbors.index.defined() || neighbors.index.rank() != 2 || neighbors.index.size(1) < 2 ||
      neighbors.index.shape() != neighbors.distance.shape())
    fail("umap", "neighbours: index and distance (n, k), k >= 2",
         text("index ", neighbors.index, ", distance ", neighbors.distance));
  if (is_floating(neighbors.index.dtype()) || !is_floating(neighbors.distance.dtype()))
    fail("umap", "neighbours: integer index, floating distance",
         text("index ", neighbors.index, ", distance ", neighbors.distance));
  Neighbors result{neighbors.index.to(DType::i32).contiguous(),
                   neighbors.distance.to(DType::f32).contiguous()};
  const int64_t n = result.index.size(0), k = result.index.size(1);
  const int32_t* index = result.index.data<int32_t>();
  const float* distance = result.distance.data<float>();
  for (int64_t e = 0; e < n * k; e++) {
    if (index[e] < 0 || index[e] >= n)
      fail("umap", text("neighbours among the rows 0 .. ", n - 1),
           text(index[e], " in row ", e / k));
    if (!(distance[e] >= 0) || !std::isfinite(distance[e]))
      fail("umap", "finite distances >= 0", text(distance[e], " in row ", e / k));
    if ((e % k == 0) != (index[e] == e / k))
      fail("umap", "each row its own first neighbour, and only that",
           text(index[e], " at place ", e % k, " of row ", e / k),
           "search with self = true (clade knn --self)");
    if (e % k > 0 && distance[e] < distance[e - 1])
      fail("umap", "neighbours nearest first",
           text(distance[e], " at place ", e % k, " of row ", e / k));
  }
  return result;
}

// The distance to the neighbour number `connectivity` among those not at 0, interpolated between
// two where it is no whole number.
float nearest(const float* distance, int64_t k, double connectivity) {
  const float* end = distance + k;
  const float* first = std::find_if(distance, end, [](float d) { return d > 0; });
  const int64_t count = end - first;
  if (double(count) < connectivity) return count ? *std::max_element(first, end) : 0.0f;
  const int64_t whole = int64_t(std::floor(connectivity));
  const double part = connectivity - double(whole);
  if (whole == 0) return float(part * first[0]);
  float rho = first[whole - 1];
  if (part > kTolerance) rho += float(part * double(first[whole] - first[whole - 1]));
  return rho;
}

// sigma with sum_j exp(-max(0, d_j - rho) / sigma) = target over j >= first, by bisection; until a
// sigma that is too large has been seen, by doubling.
double bisect(const float* distance, int64_t k, int64_t first, float rho, double target) {
  double low = 0, high = INFINITY, sigma = 1;
  for (int step = 0; step < kBisections; step++) {
    double sum = 0;
    for (int64_t j = first; j < k; j++) {
      double gap = distance[j] - rho;
      sum += gap > 0 ? std::exp(-gap / sigma) : 1;
    }
    if (std::abs(sum - target) < kTolerance) break;
    if (sum > target) {
      high = sigma;
      sigma = (low + high) / 2;
    } else {
      low = sigma;
      sigma = std::isinf(high) ? 2 * sigma : (low + high) / 2;
    }
  }
  return sigma;
}

double mean(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  return sum / double(count);
}

LocalScales scales(const Neighbors& neighbors, double local_connectivity) {
  if (!(local_connectivity >= 0) || !std::isfinite(local_connectivity))
    fail("umap", "local_connectivity >= 0", text(local_connectivity));
  const int64_t n = neighbors.index.size(0), k = neighbors.index.size(1);
  const float* distance = neighbors.distance.data<float>();
  const double all_mean = parallel_reduce(
      n, 4096, 0.0,
      [&](int64_t begin, int64_t end) {
        return mean(distance + begin * k, (end - begin) * k) * double(end - begin) / double(n);
      },
      [](double a, double b) { return a + b; });

  LocalScales result{Tensor::empty({n}, DType::f32), Tensor::empty({n}, DType::f32)};
  float *rho = result.rho.data<float>(), *sigma = result.sigma.data<float>();
  parallel_for(n, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const LocalScale scale = local_scale(distance + i * k, k, 1, local_connectivity, all_mean);
      rho[i] = scale.rho, sigma[i] = scale.sigma;
    }
  });
  return result;
}

// Directed edges in compressed rows, columns rising.
struct Directed {
  Directed(int64_t n, int64_t edges)
      : offset(size_t(n + 1), 0),
        columns(Tensor::empty({edges}, DType::i32)),
        weights(Tensor::empty({edges}, DType::f32)),
        column(columns.data<int32_t>()),
        weight(weights.data<float>()) {}

  int64_t rows() const { return int64_t(offset.size()) - 1; }
  int64_t begin(int64_t i) const { return offset[size_t(i)]; }
  int64_t end(int64_t i) const { return offset[size_t(i + 1)]; }

  std::vector<int64_t> offset;
  Tensor columns, weights;
  int32_t* column;
  float* weight;
};

// p(j | i), without the row itself and without what is too far to count.
Directed memberships(const Neighbors& neighbors, const LocalScales& scale) {
  const int64_t n = neighbors.index.size(0), k = neighbors.index.size(1);
  const int32_t* index = neighbors.index.data<int32_t>();
  const float* distance = neighbors.distance.data<float>();
  const float *rho = scale.rho.data<float>(), *sigma = scale.sigma.data<float>();
  Directed graph(n, n * k);
  std::vector<std::pair<int32_t, float>> row;
  int64_t e = 0;
  for (int64_t i = 0; i < n; i++) {
    row.clear();
    for (int64_t j = i * k; j < (i + 1) * k; j++) {
      if (index[j] == i) continue;
      const double gap = distance[j] - rho[i];
      const float weight = gap <= 0 || sigma[i] == 0 ? 1.0f : float(std::exp(-gap / sigma[i]));
      row.emplace_back(index[j], weight);
    }
    std::sort(row.begin(), row.end());
    for (size_t j = 0; j < row.size(); j++) {
      if (j > 0 && row[j].first == row[j - 1].first)
        fail("umap", "distinct neighbours in each row", text(row[j].first, " twice in row ", i));
      if (row[j].second > 0) graph.column[e] = row[j].first, graph.weight[e++] = row[j].second;
    }
    graph.offset[size_t(i + 1)] = e;
  }
  return graph;
}

// The edges turned round, by counting: sources come in rising order, so rows come out sorted.
Directed transpose(const Directed& graph) {
  const int64_t n = graph.rows(), edges = graph.offset.back();
  Directed turned(n, edges);
  for (int64_t e = 0; e < edges; e++) turned.offset[size_t(graph.column[e]) + 1]++;
  for (size_t i = 0; i < size_t(n); i++) turned.offset[i + 1] += turned.offset[i];
  std::vector<int64_t> next(turned.offset.begin(), turned.offset.end() - 1);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t e = graph.begin(i); e < graph.end(i); e++) {
      const int64_t place = next[size_t(graph.column[e])]++;
      turned.column[place] = int32_t(i);
      turned.weight[place] = graph.weight[e];
    }
  }
  return turned;
}

// Calls emit(column, a, b) for each column in row i of A or of its transpose, rising.
template <class Emit>
void merge_row(const Directed& a, const Directed& b, int64_t i, Emit&& emit) {
  int64_t p = a.begin(i), q = b.begin(i);
  const int64_t p_end = a.end(i), q_end = b.end(i);
  while (p < p_end || q < q_end) {
    const int32_t left = p < p_end ? a.column[p] : INT32_MAX;
    const int32_t right = q < q_end ? b.column[q] : INT32_MAX;
    const int32_t column = std::min(left, right);
    const float here = left == column ? a.weight[p++] : 0.0f;
    const float there = right == column ? b.weight[q++] : 0.0f;
    emit(column, here, there);
  }
}

}  // namespace

LocalScale local_scale(const float* distance, int64_t count, int64_t first,
                       double local_connectivity, double mean_distance) {
  const float rho = nearest(distance, count, local_connectivity);
  const double floor = kSigmaFloor * (rho > 0 ? mean(distance, count) : mean_distance);
  const double sigma = bisect(distance, count, first, rho, std::log2(double(count)));
  return {rho, float(std::max(sigma, floor))};
}

LocalScales smooth_knn_distances(const Neighbors& neighbors, double local_connectivity) {
  return scales(checked(neighbors), local_connectivity);
}

FuzzyGraph fuzzy_simplicial_set(const Neighbors& neighbors, double set_op_mix_ratio,
                                double local_connectivity) {
  if (!(set_op_mix_ratio >= 0 && set_op_mix_ratio <= 1))
    fail("umap", "set_op_mix_ratio in [0, 1]", text(set_op_mix_ratio));
  const Neighbors sound = checked(neighbors);
  const int64_t n = sound.index.size(0);
  const Directed rows = memberships(sound, scales(sound, local_connectivity));
  const Directed turned = transpose(rows);

  const float mix = float(set_op_mix_ratio);
  auto join = [mix](float a, float b) { return mix * (a + b - a * b) + (1 - mix) * (a * b); };
  FuzzyGraph graph;
  graph.offset = Tensor::zeros({n + 1}, DType::i64);
  int64_t* offset = graph.offset.data<int64_t>();
  parallel_for(n, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      merge_row(rows, turned, i,
                [&](int32_t, float a, float b) { offset[i + 1] += join(a, b) > 0; });
  });
  for (int64_t i = 0; i < n; i++) offset[i + 1] += offset[i];

  graph.column = Tensor::empty({offset[n]}, DType::i32);
  graph.weight = Tensor::empty({offset[n]}, DType::f32);
  int32_t* column = graph.column.data<int32_t>();
  float* weight = graph.weight.data<float>();
  parallel_for(n, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t e = offset[i];
      merge_row(rows, turned, i, [&](int32_t j, float a, float b) {
        if (join(a, b) > 0) column[e] = j, weight[e++] = join(a, b);
      });
    }
  });
  return graph;
}

}  // namespace clade::cluster

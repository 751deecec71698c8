#include "clustering/density/dbcv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "clustering/linalg/matrix.h"
#include "kernels/distance/distance.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The rows of one cluster, or its inner nodes alone.
struct Part {
  Tensor rows;               // (c, d) f64
  std::vector<double> core;  // (c)
};

// a_i of each row, by log-sum-exp over -d log |i - j|.
std::vector<double> density_core_distances(const Tensor& rows) {
  const int64_t n = rows.size(0), d = rows.size(1);
  const double* x = rows.data<double>();
  std::vector<double> core(static_cast<size_t>(n));
  parallel_for(n, 16, [&](int64_t begin, int64_t end) {
    std::vector<double> logs;
    for (int64_t i = begin; i < end; i++) {
      logs.clear();
      double most = -kInfinity;
      for (int64_t j = 0; j < n; j++) {
        const double squared = kernels::direct_squared_distance(x + i * d, x + j * d, d);
        if (!(squared > 0)) continue;
        logs.push_back(-double(d) / 2 * std::log(squared));
        most = std::max(most, logs.back());
      }
      double sum = 0;
      for (double l : logs) sum += std::exp(l - most);
      // All coincide: infinitely dense.
      core[size_t(i)] =
          logs.empty() ? 0
                       : std::exp(-(most + std::log(sum) - std::log(double(n - 1))) / double(d));
    }
  });
  return core;
}

Part take(const Part& part, const std::vector<int64_t>& places) {
  const int64_t d = part.rows.size(1);
  Part out{Tensor::empty({int64_t(places.size()), d}, DType::f64), {}};
  for (size_t i = 0; i < places.size(); i++) {
    std::copy_n(part.rows.data<double>() + places[i] * d, d,
                out.rows.data<double>() + int64_t(i) * d);
    out.core.push_back(part.core[size_t(places[i])]);
  }
  return out;
}

// DSC of the cluster; cuts it down to its inner nodes.
double sparseness(Part& part, const Progress& progress) {
  const int64_t n = part.rows.size(0);
  if (n == 1) return 0;
  const SpanningTree tree = minimum_spanning_tree(part.rows, Tensor::from(part.core, {n}), 1,
                                                  SpanningTreeMethod::automatic, progress);
  const int32_t *from = tree.from.data<int32_t>(), *to = tree.to.data<int32_t>();
  std::vector<int> degree(static_cast<size_t>(n), 0);
  for (int64_t e = 0; e < n - 1; e++) degree[size_t(from[e])]++, degree[size_t(to[e])]++;
  std::vector<int64_t> inner;
  for (int64_t i = 0; i < n; i++)
    if (degree[size_t(i)] > 1) inner.push_back(i);
  if (inner.empty()) inner.push_back(0);
  double longest = -1;
  for (int64_t e = 0; e < n - 1; e++)
    if (degree[size_t(from[e])] > 1 && degree[size_t(to[e])] > 1)
      longest = std::max(longest, tree.weight.data<double>()[e]);
  if (longest < 0) longest = tree.weight.data<double>()[n - 2];  // no edge between inner nodes
  part = take(part, inner);
  return longest;
}

// DSPC of two clusters, given their inner nodes.
double separation(const Part& a, const Part& b) {
  const int64_t n = a.rows.size(0), m = b.rows.size(0), d = a.rows.size(1);
  return parallel_reduce(
      n, 16, kInfinity,
      [&](int64_t begin, int64_t end) {
        double least = kInfinity;
        for (int64_t i = begin; i < end; i++)
          for (int64_t j = 0; j < m; j++) {
            const double core = std::max(a.core[size_t(i)], b.core[size_t(j)]);
            if (core >= least) continue;
            const double distance = std::sqrt(kernels::direct_squared_distance(
                a.rows.data<double>() + i * d, b.rows.data<double>() + j * d, d));
            least = std::min(least, std::max(core, distance));
          }
        return least;
      },
      [](double p, double q) { return std::min(p, q); });
}

double value(double apart, double sparse) {
  const double larger = std::max(apart, sparse);
  return larger > 0 ? (apart - sparse) / larger : 0;
}

std::vector<int32_t> checked_labels(const char* op, const Tensor& labels, int64_t n) {
  if (!labels.defined() || labels.dtype() != DType::i32 || labels.shape() != Shape{n})
    fail(op, text("labels i32 [", n, "]"), text(labels));
  return labels.to_vector<int32_t>();
}

}  // namespace

Dbcv dbcv(const Tensor& x, const Tensor& labels, const Progress& progress) {
  const Tensor rows = finite_matrix("dbcv", x).to(DType::f64);
  const int64_t n = rows.size(0);
  const std::vector<int32_t> label = checked_labels("dbcv", labels, n);
  std::map<int32_t, std::vector<int64_t>> members;
  for (int64_t i = 0; i < n; i++)
    if (label[size_t(i)] >= 0) members[label[size_t(i)]].push_back(i);
  const int64_t k = int64_t(members.size());
  if (k < 2) fail("dbcv", "at least 2 clusters", text(k), "the index compares clusters");

  const Part whole{rows, std::vector<double>(static_cast<size_t>(n), 0)};
  std::vector<Part> parts;
  std::vector<double> sparse, apart(size_t(k), kInfinity), share;
  for (const auto& [name, places] : members) {
    progress("dbcv", int64_t(parts.size()), k);
    Part part = take(whole, places);
    part.core = density_core_distances(part.rows);
    share.push_back(double(places.size()) / double(n));
    sparse.push_back(sparseness(part, {}));
    parts.push_back(std::move(part));
  }
  for (size_t a = 0; a < parts.size(); a++) {
    progress("dbcv separation", int64_t(a), k);
    for (size_t b = a + 1; b < parts.size(); b++) {
      const double between = separation(parts[a], parts[b]);
      apart[a] = std::min(apart[a], between);
      apart[b] = std::min(apart[b], between);
    }
  }
  Dbcv out;
  std::vector<double> values;
  for (size_t c = 0; c < parts.size(); c++) {
    values.push_back(value(apart[c], sparse[c]));
    out.index += share[c] * values.back();
  }
  out.clusters = Tensor::from(values, {k});
  return out;
}

double relative_validity(const SpanningTree& tree, const Tensor& labels) {
  const int64_t n = tree.points();
  const std::vector<int32_t> label = checked_labels("relative_validity", labels, n);
  const int32_t most = *std::max_element(label.begin(), label.end());
  if (most < 0) return 0;
  const size_t k = size_t(most) + 1;
  std::vector<double> sparse(k, 0), apart(k, kInfinity), size(k, 0);
  for (int32_t l : label)
    if (l >= 0) size[size_t(l)]++;
  const int32_t *from = tree.from.data<int32_t>(), *to = tree.to.data<int32_t>();
  const double* weight = tree.weight.data<double>();
  double to_noise = kInfinity;
  for (int64_t e = 0; e < n - 1; e++) {
    const int32_t a = label[size_t(from[e])], b = label[size_t(to[e])];
    if ((a < 0) != (b < 0)) to_noise = std::min(to_noise, weight[e]);
    if (a < 0 || b < 0) continue;
    if (a == b) {
      sparse[size_t(a)] = std::max(sparse[size_t(a)], weight[e]);
    } else {
      apart[size_t(a)] = std::min(apart[size_t(a)], weight[e]);
      apart[size_t(b)] = std::min(apart[size_t(b)], weight[e]);
    }
  }
  // A cluster that touches no other in the tree is taken as twice the longest edge apart; the only
  // cluster, as twice its shortest edge to noise.
  const double longest = weight[n - 2];
  const double far = 2 * (k > 1 || to_noise == kInfinity ? longest : to_noise);
  double index = 0;
  for (size_t c = 0; c < k; c++)
    index += size[c] / double(n) * value(apart[c] < kInfinity ? apart[c] : far, sparse[c]);
  return index;
}

}  // namespace clade::cluster

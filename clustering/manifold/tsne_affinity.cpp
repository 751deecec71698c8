#include "clustering/manifold/tsne_affinity.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "tensor/parallel.h"

namespace clade::cluster {
namespace {

constexpr int kSteps = 100;
constexpr double kTolerance = 1e-6;  // of the entropy

struct Entry {
  int32_t column;
  float p;
};

}  // namespace

void conditional_probabilities(const double* squared, int64_t count, double perplexity, double* p) {
  const double target = std::log(perplexity);
  const double nearest = *std::min_element(squared, squared + count);
  double mean = 0;
  for (int64_t j = 0; j < count; j++) mean += (squared[j] - nearest) / double(count);
  double low = 0, high = INFINITY, beta = mean > 0 ? 1 / mean : 1, sum = 1;
  for (int step = 0; step < kSteps; step++) {
    double first = 0, second = 0;  // moments of d^2 - nearest
    sum = 0;
    for (int64_t j = 0; j < count; j++) {
      const double gap = squared[j] - nearest;
      p[j] = std::exp(-beta * gap);
      sum += p[j];
      first += p[j] * gap;
      second += p[j] * gap * gap;
    }
    first /= sum;
    const double variance = second / sum - first * first;
    const double excess = std::log(sum) + beta * first - target;
    if (std::abs(excess) < kTolerance) break;
    (excess > 0 ? low : high) = beta;
    const double newton = beta + excess / (beta * variance);
    const double middle = std::isinf(high) ? 2 * beta : (low + high) / 2;
    // Ties at the nearest distance hold the entropy up: beta then grows without end, to no effect.
    if (beta * mean > 1e12) break;
    beta = newton > low && newton < high && std::isfinite(newton) ? newton : middle;
  }
  for (int64_t j = 0; j < count; j++) p[j] /= sum;
}

Affinities joint_probabilities(const Neighbors& neighbors, double perplexity) {
  const int64_t n = neighbors.index.size(0), k = neighbors.index.size(1);
  if (!(perplexity >= 1) || !(perplexity < double(k)))
    fail("tsne", text("perplexity in [1, ", k, "), below the neighbours of a row"),
         text(perplexity), "take a smaller perplexity");
  const int32_t* index = neighbors.index.data<int32_t>();
  const float* distance = neighbors.distance.data<float>();
  std::vector<double> conditional(size_t(n * k));
  parallel_for(n, 64, [&](int64_t begin, int64_t end) {
    std::vector<double> squared(static_cast<size_t>(k));
    for (int64_t i = begin; i < end; i++) {
      for (int64_t j = 0; j < k; j++)
        squared[size_t(j)] = double(distance[i * k + j]) * double(distance[i * k + j]);
      conditional_probabilities(squared.data(), k, perplexity, conditional.data() + i * k);
    }
  });

  // Each p(j | i) goes into rows i and j; a row's two parts of one column are added.
  std::vector<int64_t> begin(size_t(n + 1), 0);
  for (int64_t i = 0; i < n; i++) {
    begin[size_t(i + 1)] += k;
    for (int64_t e = i * k; e < (i + 1) * k; e++) begin[size_t(index[e]) + 1]++;
  }
  for (size_t i = 0; i < size_t(n); i++) begin[i + 1] += begin[i];
  std::vector<Entry> entries(static_cast<size_t>(2 * n * k));
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  for (int64_t i = 0; i < n; i++)
    for (int64_t e = i * k; e < (i + 1) * k; e++) {
      const float p = float(conditional[size_t(e)] / (2 * double(n)));
      entries[size_t(next[size_t(i)]++)] = {index[e], p};
      entries[size_t(next[size_t(index[e])]++)] = {int32_t(i), p};
    }
  std::vector<int64_t> kept(static_cast<size_t>(n));
  parallel_for(n, 256, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
      Entry *row = entries.data() + begin[size_t(i)], *end = entries.data() + begin[size_t(i + 1)];
      // Of two with one column the order does not matter: a + b = b + a.
      std::sort(row, end, [](const Entry& a, const Entry& b) { return a.column < b.column; });
      Entry* to = row;
      for (Entry* from = row; from != end; from++) {
        if (to != row && to[-1].column == from->column)
          to[-1].p += from->p;
        else
          *to++ = *from;
      }
      kept[size_t(i)] = to - row;
    }
  });

  Affinities out;
  out.offset = Tensor::zeros({n + 1}, DType::i64);
  int64_t* offset = out.offset.data<int64_t>();
  for (int64_t i = 0; i < n; i++)
    offset[i + 1] =
        offset[i] + (kept[size_t(i)] + kAffinityLanes - 1) / kAffinityLanes * kAffinityLanes;
  out.column = Tensor::empty({offset[n]}, DType::i32);
  out.value = Tensor::zeros({offset[n]}, DType::f32);
  parallel_for(n, 256, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
      std::fill(out.column.data<int32_t>() + offset[i], out.column.data<int32_t>() + offset[i + 1],
                int32_t(i));
      for (int64_t e = 0; e < kept[size_t(i)]; e++) {
        const Entry& entry = entries[size_t(begin[size_t(i)] + e)];
        out.column.data<int32_t>()[offset[i] + e] = entry.column;
        out.value.data<float>()[offset[i] + e] = entry.p;
      }
    }
  });
  return out;
}

}  // namespace clade::cluster

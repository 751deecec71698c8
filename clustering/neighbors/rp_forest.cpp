#include "clustering/neighbors/rp_forest.h"

#include <algorithm>
#include <numeric>

#include "tensor/vectors.h"

namespace clade::cluster {
namespace {

constexpr int64_t kLanes = 16;

float dot(const float* a, const float* b, int64_t width) {
  float sum[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= width; j += kLanes)
    for (int64_t l = 0; l < kLanes; l++) sum[l] += a[j + l] * b[j + l];
  for (; j < width; j++) sum[0] += a[j] * b[j];
  float total = 0;
  for (float s : sum) total += s;
  return total;
}

struct Node {
  int64_t begin, end;
  uint64_t place;  // 1 for the root; children 2 p and 2 p + 1
};

}  // namespace

RandomTree random_tree(const float* rows, int64_t n, int64_t width, int64_t leaf,
                       const Random& rng) {
  RandomTree tree;
  tree.rows.resize(size_t(n));
  std::iota(tree.rows.begin(), tree.rows.end(), 0);
  std::vector<Node> waiting{{0, n, 1}};
  std::vector<float> normal(static_cast<size_t>(width)), height(static_cast<size_t>(n));
  std::vector<int32_t> right;
  while (!waiting.empty()) {  // left children first, so leaves come in order
    const Node node = waiting.back();
    waiting.pop_back();
    const int64_t count = node.end - node.begin;
    if (count <= leaf) {
      tree.leaves.push_back(node.begin);
      continue;
    }
    int32_t* of = tree.rows.data() + node.begin;
    const Random draw = rng.fork(node.place);
    const int64_t first = draw.below_at(0, count);
    int64_t second = draw.below_at(1, count - 1);
    second += second >= first;
    const float *a = rows + of[first] * width, *b = rows + of[second] * width;
    with_vectors([&] {
      for (int64_t j = 0; j < width; j++) normal[size_t(j)] = a[j] - b[j];
      float middle = 0;
      for (int64_t j = 0; j < width; j++) middle += normal[size_t(j)] * (a[j] + b[j]) / 2;
      for (int64_t i = 0; i < count; i++)
        height[size_t(i)] = dot(rows + of[i] * width, normal.data(), width) - middle;
    });
    int64_t kept = 0;
    right.clear();
    for (int64_t i = 0; i < count; i++)
      if (height[size_t(i)] > 0)
        of[kept++] = of[i];
      else
        right.push_back(of[i]);
    std::copy(right.begin(), right.end(), of + kept);
    if (std::min(kept, count - kept) < std::max<int64_t>(1, leaf / 8)) kept = count / 2;
    const int64_t middle = node.begin + kept;
    // The place wraps round after 64 levels, which only repeats draws.
    waiting.push_back({middle, node.end, 2 * node.place + 1});
    waiting.push_back({node.begin, middle, 2 * node.place});
  }
  tree.leaves.push_back(n);
  return tree;
}

}  // namespace clade::cluster
